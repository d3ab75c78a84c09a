"""The sampler against the same steps in numpy: repeat penalty, top-k, top-p, min-p, temperature."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import models
from engine_driver import Engine

Floats = NDArray[np.float64]

IDS = [1, 260, 270]  # evaluated before sampling
MASK = (1 << 64) - 1

CHAINS: list[dict[str, Any]] = [
    {"temperature": 0.8},
    {"temperature": 5.0, "top_k": 7},
    {"temperature": 1.0, "top_p": 0.3},
    {"temperature": 2.0, "min_p": 0.4},
    {"temperature": 0.7, "top_k": 40, "top_p": 0.95, "min_p": 0.05},
    {"temperature": 1.5, "top_k": 1},
    {"temperature": 1.0, "penalty": 1.8, "recent": [260, 5, 5, 270]},
    {"temperature": 1.0, "top_k": 20, "top_p": 0.6, "penalty": 1.3, "recent": list(range(200))},
    {"temperature": 1.0, "top_k": 100000, "top_p": 1.0},
]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    model = models.make_tiny(tmp_path_factory.mktemp("sampling") / "m.gguf")
    with Engine(model) as running:
        running.eval(IDS)
        yield running


def uniform(seed: int, draw: int, position: int) -> float:
    """splitmix64 of the state that names the draw."""
    z = (seed + draw * 0xD1342543DE82EF95 + (position + 1) * 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ z >> 30) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ z >> 27) * 0x94D049BB133111EB) & MASK
    return ((z ^ z >> 31) >> 11) / 2**53


def kept(
    logits: Sequence[float],
    *,
    temperature: float,
    top_k: int = 0,
    top_p: float = 1.0,
    min_p: float = 0.0,
    penalty: float = 1.0,
    recent: Sequence[int] = (),
) -> tuple[list[int], Floats]:
    """The tokens that remain, best first, and their probabilities."""
    values = np.array(logits, dtype=np.float32)
    for token in set(recent):
        v = values[token]
        values[token] = v / np.float32(penalty) if v > 0 else v * np.float32(penalty)
    order = np.lexsort((np.arange(len(values)), -values))
    order = order[: top_k or len(order)]
    weights = np.exp(values[order].astype(np.float64) - float(values[order[0]]))
    before = np.cumsum(weights) - weights
    enough = (before < top_p * weights.sum() if top_p < 1 else before >= 0) & (weights >= min_p)
    enough[0] = True
    order = order[: len(order) if enough.all() else int(np.argmin(enough))]
    scaled = (values[order].astype(np.float64) - float(values[order[0]])) / temperature
    weights = np.exp(scaled)
    return [int(token) for token in order], weights / weights.sum()


@pytest.mark.parametrize("chain", CHAINS, ids=lambda chain: "-".join(chain))
def test_every_draw_is_the_oracle_s(engine: Engine, chain: dict[str, Any]) -> None:
    tokens, shares = kept(engine.logits(), **chain)
    limits = np.cumsum(shares)
    for seed in range(400):
        at = int(np.searchsorted(limits, uniform(seed, 0, len(IDS)), side="right"))
        assert engine.sample(seed=seed, **chain) == tokens[min(at, len(tokens) - 1)]


def test_shares_are_the_probabilities(engine: Engine) -> None:
    logits = np.array(engine.logits(), dtype=np.float64)
    draws = [engine.sample(0.8, seed) for seed in range(3000)]
    weights = np.exp((logits - logits.max()) / 0.8)
    weights /= weights.sum()
    for token in np.argsort(weights)[-5:]:
        sigma = math.sqrt(weights[token] * (1 - weights[token]) / len(draws))
        assert draws.count(int(token)) / len(draws) == pytest.approx(weights[token], abs=5 * sigma)


def test_draws_of_one_seed_differ(engine: Engine) -> None:
    """What if a reply is made anew?"""
    draws = [engine.sample(2.0, 1, draw=draw) for draw in range(50)]
    assert draws == [engine.sample(2.0, 1, draw=draw) for draw in range(50)]
    assert len(set(draws)) > 10


def test_greedy(engine: Engine) -> None:
    """No temperature: the best token, also with filters; the repeat penalty still counts."""
    best = int(np.argmax(engine.logits()))
    assert engine.sample() == best
    assert engine.sample(1e-6, 1) == best
    assert engine.sample(top_k=3, top_p=0.1, min_p=0.5) == best
    other = engine.sample(penalty=10, recent=[best])
    assert other == kept(engine.logits(), temperature=1, penalty=10, recent=[best])[0][0]
    assert other != best


def test_recent_tokens_may_be_anything(engine: Engine) -> None:
    """What if ids that are no tokens are among the recent ones?"""
    assert engine.sample(penalty=2, recent=[-1, 1 << 30]) == engine.sample()
