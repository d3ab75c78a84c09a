"""Which of two codes is faster (src/kernel/jit/measure.c), from cycles that are made up."""

from __future__ import annotations

import math
import random
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from hostcc import ROOT, build

PAIRS, BLOCK, LONG_BLOCK, LONG = 12, 8, 5, 5_000_000
CALLS = 2 * PAIRS * BLOCK
Cost = Callable[[int], float]  # of call n


@dataclass(frozen=True)
class Verdict:
    """looked: calls that it took."""

    looked: int
    before: int
    after: int
    wins: int
    faster: bool
    again: bool = False


def measure(incumbent: Cost, candidate: Cost, several: tuple[int, ...] = ()) -> Verdict:
    program = build(
        "measure_host", [ROOT / "tests/host/measure_host.c", ROOT / "src/kernel/jit/measure.c"]
    )
    lines = "".join(f"{int(incumbent(n))} {int(candidate(n))}\n" for n in range(CALLS))
    command = [str(program), *map(str, several)]
    done = subprocess.run(command, input=lines, check=True, capture_output=True, text=True)
    looked, before, after, wins, faster, again = map(int, done.stdout.split())
    return Verdict(looked, before, after, wins, bool(faster), bool(again))


def always(cycles: float) -> Cost:
    return lambda n: cycles


@pytest.mark.parametrize(
    ("before", "after", "faster"),
    [
        *((1000, 500, True), (1000, 970, True), (1000, 980, True), (1000, 985, False)),
        *((1000, 1000, False), (1000, 1020, False), (500, 1000, False), (0, 0, False)),
    ],
)
def test_steady_cycles(before: int, after: int, faster: bool) -> None:
    """Two percent less are needed."""
    found = measure(always(before), always(after))
    assert found == Verdict(CALLS, before, after, PAIRS if after < before else 0, faster)


@pytest.mark.parametrize(
    ("after", "several", "told"),
    [
        *((900, (), (1000, 900, True)), (900, (0, 9), (1000, 900, True))),
        *((900, (5000, 5100), (1000, 900, True)), (900, (5000, 5101), (1000, 900, False))),
        *((1000, (5000, 4750), (5000, 4750, True)), (1000, (5000, 4751), (1000, 1000, False))),
        *((1020, (5000, 4000), (5000, 4000, True)), (1021, (5000, 4000), (1000, 1021, False))),
    ],
)
def test_with_calls_for_several_tokens(
    after: int, several: tuple[int, ...], told: tuple[int, int, bool]
) -> None:
    """Code that is better for a prompt is taken when it is not worse for a token, and the reverse
    is."""
    found = measure(always(1000), always(after), several)
    assert (found.before, found.after, found.faster) == told


def test_long_calls_are_measured_in_shorter_blocks() -> None:
    found = measure(always(LONG + 1), always(LONG / 2))
    assert found.faster and found.looked == 2 * PAIRS * LONG_BLOCK
    assert measure(always(LONG), always(LONG / 2)).looked == CALLS
    assert measure(always(2**56), always(2**55)).faster


@pytest.mark.parametrize("slope", [0.001, 0.01, -0.004])
def test_what_drifts_counts_for_both(slope: float) -> None:
    """A context that grows, a processor that warms up."""

    def drifting(start: float) -> Cost:
        return lambda n: start * (1 + slope * n)

    assert not measure(drifting(1000), drifting(1000)).faster
    assert measure(drifting(1000), drifting(900)).faster
    assert not measure(drifting(900), drifting(1000)).faster


def noisy(seed: int, cycles: float, spread: float, outliers: float = 0) -> Cost:
    """Normal noise, and calls in which the processor was away."""
    rng = random.Random(seed)
    return lambda n: (
        cycles * max(0.1, rng.gauss(1, spread)) + (50 * cycles if rng.random() < outliers else 0)
    )


def test_noise_rarely_makes_code_faster() -> None:
    """Of the same cost: by chance in 2 % of cases, fewer for the margin."""
    found = [measure(noisy(n, 1e5, 0.1), noisy(n + 500, 1e5, 0.1)).faster for n in range(200)]
    assert sum(found) <= 6


def test_noise_does_not_hide_what_is_faster() -> None:
    found = [
        measure(noisy(n, 1e5, 0.1, 0.02), noisy(n + 500, 7e4, 0.1, 0.02)).faster for n in range(50)
    ]
    assert sum(found) >= 48


def test_a_processor_that_is_away_now_and_then() -> None:
    """A call in five takes fifty times as long, whichever code runs: the median does not care."""
    found = [
        measure(noisy(n, 1e5, 0.02, 0.2), noisy(n + 99, 8e4, 0.02, 0.2)).faster for n in range(50)
    ]
    assert sum(found) >= 48


def batches(seed: int, cycles: float, sizes: tuple[int, ...]) -> Cost:
    """Calls for one token and for several, as drafts come and go."""
    rng = random.Random(seed)
    chosen = [rng.choice(sizes) for _ in range(CALLS)]
    return lambda n: cycles * chosen[n]


@pytest.mark.parametrize("sizes", [(1, 1, 1, 8), (1, 1, 8), (1, 3)], ids=str)
@pytest.mark.parametrize("cycles", [1e5, 6e6], ids=["short", "long"])
def test_mixed_batches(cycles: float, sizes: tuple[int, ...]) -> None:
    """Nobody is told as faster without being it, and what takes half is, most of the time."""
    same = [
        measure(batches(n, cycles, sizes), batches(n + 99, cycles, sizes)).faster for n in range(40)
    ]
    half = [
        measure(batches(n, cycles, sizes), batches(n + 99, cycles / 2, sizes)).faster
        for n in range(40)
    ]
    assert sum(same) <= 2 and sum(half) >= 32


def test_the_first_two_calls_of_a_block_are_not_counted() -> None:
    """They may be of a loop that began before: with other code, and data that are not at hand."""
    found = measure(always(1000), lambda n: 100_000 if n % BLOCK < 2 else 900)
    assert found.faster and found.after == 900


def test_order_is_a_b_b_a() -> None:
    """A wave as long as two blocks would favour the one that comes second in A B A B."""

    def wave(n: int) -> float:
        return 1000 + 500 * math.sin(2 * math.pi * n / (2 * BLOCK))

    assert not measure(wave, wave).faster


def prompts(cycles: float, start: int, length: int) -> Cost:
    """Chunks of a prompt every 90 calls: each takes twenty times as long as a token."""
    return lambda n: cycles * (20 if (n + start) % 90 < length else 1)


@pytest.mark.parametrize("length", [8, 16, 30])
@pytest.mark.parametrize("start", range(0, 90, 11))
def test_ends_of_prompts(start: int, length: int) -> None:
    """Blocks on both sides of one spoil a pair: where these are too many that is said."""
    cost = prompts(1000, start, length)
    assert not measure(cost, cost).faster
    found = measure(cost, prompts(900, start, length))
    assert found.faster or found.again


def test_noise_is_no_reason_to_measure_again() -> None:
    found = [measure(noisy(n, 1e5, 0.1), noisy(n + 500, 1e5, 0.1)).again for n in range(50)]
    assert not any(found)
