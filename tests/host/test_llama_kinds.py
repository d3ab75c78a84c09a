"""What members of the family do besides: biases, scaled positions; against numpy."""

import math
from collections.abc import Callable
from pathlib import Path

import gguf
import numpy as np
import pytest
from numpy.typing import NDArray

import models
from engine_driver import Engine
from numpy_llama import NumpyLlama
from test_engine import EXACT, IDS, QUANTISED, all_logits

Array = NDArray[np.float64]
DIM, KV_DIM, FFN, ROPE_DIM, CTX = 64, 32, 192, 16, 256  # of models.make_tiny
BIASES = {
    **{"attn_q": DIM, "attn_k": KV_DIM, "attn_v": KV_DIM, "attn_output": DIM},
    **{"ffn_gate": FFN, "ffn_up": FFN, "ffn_down": DIM},
}


def check(path: Path, oracle: NumpyLlama, tolerance: float) -> None:
    """Token by token, and as one batch."""
    with Engine(path) as engine:
        found = all_logits(engine, IDS)
    with Engine(path) as engine:
        engine.eval_all(IDS)
        assert (engine.logits() == found[-1]).all()
    assert np.abs(found - oracle.logits(IDS)).max() < tolerance


@pytest.mark.parametrize("quant", ["F32", "Q8_0"])
@pytest.mark.parametrize("names", [["attn_q", "attn_k", "attn_v"], list(BIASES)])
def test_biases(tmp_path: Path, quant: str, names: list[str]) -> None:
    rng = np.random.default_rng(5)

    def edit(writer: gguf.GGUFWriter) -> None:
        for layer in range(2):
            for name in names:
                values = 0.3 * rng.standard_normal(BIASES[name])
                writer.add_tensor(f"blk.{layer}.{name}.bias", values.astype(np.float32))

    path = models.make_tiny(tmp_path / "m.gguf", quant=quant, edit=edit)
    check(path, NumpyLlama(path), EXACT if quant == "F32" else QUANTISED)


def test_frequency_factors(tmp_path: Path) -> None:
    """Llama 3.1's own scaling comes as a tensor."""
    factors = np.linspace(1, 8, ROPE_DIM // 2, dtype=np.float32)

    def edit(writer: gguf.GGUFWriter) -> None:
        writer.add_tensor("rope_freqs.weight", factors)

    path = models.make_tiny(tmp_path / "m.gguf", edit=edit)
    check(path, NumpyLlama(path), EXACT)


def linear(frequency: Array) -> Array:
    return frequency / 4


def yarn(frequency: Array) -> Array:
    """arXiv 2309.00071, "NTK-by-parts": by how often a frequency turns in the original context."""
    found = []
    for number, value in enumerate(frequency):
        first, last = (
            ROPE_DIM * math.log(64 / (turns * 2 * math.pi)) / (2 * math.log(10000))
            for turns in (32, 1)
        )
        first, last = max(math.floor(first), 0), min(math.ceil(last), ROPE_DIM - 1)
        lowered = min(max((number - first) / max(last - first, 0.001), 0), 1)
        found.append(value / 4 * lowered + value * (1 - lowered))
    return np.array(found)


def scaling(kind: str) -> Callable[[gguf.GGUFWriter], None]:
    def edit(writer: gguf.GGUFWriter) -> None:
        writer.add_rope_scaling_factor(4.0)
        if kind != "untold":
            writer.add_rope_scaling_type(gguf.RopeScalingType(kind))
        if kind == "yarn":
            writer.add_rope_scaling_orig_ctx_len(64)
            writer.add_rope_scaling_attn_factors(1.5)

    return edit


@pytest.mark.parametrize("kind", ["linear", "untold", "yarn", "none"])
def test_scaled_positions(tmp_path: Path, kind: str) -> None:
    path = models.make_tiny(tmp_path / "m.gguf", edit=scaling(kind))
    oracle = NumpyLlama(path)
    oracle.scaled = {"yarn": yarn, "none": None}.get(kind, linear)
    if kind == "yarn":
        oracle.magnitude = 1.5 * (1 + 0.1 * math.log(4))
    check(path, oracle, EXACT)
    plain = NumpyLlama(path).logits(IDS)
    assert (np.abs(plain - oracle.logits(IDS)).max() > 10 * EXACT) == (kind != "none")


@pytest.mark.parametrize("head_dim", [8, 16, 32, 64, 80, 96, 128])
@pytest.mark.parametrize("kv_heads", [1, 2])
def test_head_sizes(tmp_path: Path, head_dim: int, kv_heads: int) -> None:
    shape = {"dim": 2 * head_dim, "heads": 2, "kv_heads": kv_heads, "layers": 1}
    path = models.make_tiny(tmp_path / "m.gguf", **shape)  # type: ignore[arg-type]
    check(path, NumpyLlama(path), EXACT)
