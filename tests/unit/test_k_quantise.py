"""Rounding to K types against the gguf package, which reads them."""

from __future__ import annotations

from typing import Any

import gguf
import numpy as np
import pytest
from gguf.quants import dequantize
from numpy.typing import NDArray

from fluid.k_quantise import BLOCK, CHUNK, QUANTISERS, k_quantise

# Root mean square of the error of normal weights, as a part of theirs: least and most.
ERRORS = {
    "Q2_K": (0.25, 0.36),
    "Q3_K": (0.13, 0.17),
    "Q4_K": (0.07, 0.085),
    "Q5_K": (0.034, 0.042),
    "Q6_K": (0.017, 0.021),
}
OFFSET = ("Q2_K", "Q4_K", "Q5_K")  # types that have an offset beside the step


def round_trip(weights: NDArray[np.float32], kind: str) -> NDArray[np.float32]:
    code = gguf.GGMLQuantizationType[kind]
    data = k_quantise(weights, kind)
    block, size = gguf.GGML_QUANT_SIZES[code]
    assert block == BLOCK and data.dtype == np.uint8
    assert data.shape == (len(weights), weights.shape[1] // BLOCK * size)
    return np.asarray(dequantize(data, code))


def normal(rows: int, cols: int, deviation: float = 0.02) -> NDArray[np.float32]:
    rng = np.random.default_rng(5)
    return (rng.standard_normal((rows, cols)) * deviation).astype(np.float32)


def relative_error(weights: NDArray[Any], kind: str) -> float:
    lost = round_trip(weights, kind) - weights
    return float(np.sqrt(np.square(lost).mean() / np.square(weights).mean()))


def test_every_k_type_has_one() -> None:
    assert QUANTISERS.keys() == ERRORS.keys()


@pytest.mark.parametrize("kind", QUANTISERS)
def test_error_of_normal_weights(kind: str) -> None:
    """Neither more than rounding must lose, nor less than it can."""
    least, most = ERRORS[kind]
    for deviation in (1e-2, 1.0, 100.0):
        assert least < relative_error(normal(64, 768, deviation), kind) < most


@pytest.mark.parametrize("kind", QUANTISERS)
def test_every_weight_has_its_own_place(kind: str) -> None:
    """Blocks with one weight that is not 0: it comes back where it was, and nothing else does, but
    for what an offset and a step differ by, each rounded to f16."""
    for value in (0.5, -0.5):
        found = round_trip(np.eye(BLOCK, dtype=np.float32) * np.float32(value), kind)
        assert np.diag(found) == pytest.approx(value, rel=2e-3)
        assert np.abs(found - np.diag(np.diag(found))).max() < 1e-3 * 0.5


@pytest.mark.parametrize("kind", QUANTISERS)
def test_weights_of_one_sign(kind: str) -> None:
    """An offset makes the steps of negative ones finer; none of positive ones."""
    weights = np.abs(normal(16, 512))
    for signed in (weights, -weights):
        assert relative_error(signed, kind) < 1.05 * ERRORS[kind][1]
    if kind in OFFSET:
        assert relative_error(weights, kind) < 0.8 * ERRORS[kind][1]


@pytest.mark.parametrize("kind", QUANTISERS)
def test_zeros_and_outliers(kind: str) -> None:
    """All zeros stay zeros. A great weight does not harm the other blocks."""
    weights = normal(2, 512)
    weights[0, :256] = 0
    weights[1, 3] = 40.0
    found = round_trip(weights, kind)
    assert not found[0, :256].any()
    assert found[1, 3] == pytest.approx(40.0, rel=1e-2)
    lost = np.abs(found - weights)
    assert lost[0, 256:].max() < 0.06 > lost[1, 256:].max()


def test_many_blocks_are_made_in_parts() -> None:
    weights = normal(CHUNK // 2 + 1, 2 * BLOCK)
    whole = k_quantise(weights, "Q4_K")
    assert (whole[-3:] == k_quantise(weights[-3:], "Q4_K")).all()
    assert (whole[:3] == k_quantise(weights[:3], "Q4_K")).all()
