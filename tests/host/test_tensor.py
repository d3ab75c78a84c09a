"""The tensor modules against numpy in double precision, on every variant (tensor_driver.py)."""

import numpy as np
import pytest
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType
from gguf.constants import QK_K
from gguf.quants import dequantize, quantize
from numpy.typing import NDArray

from fluid.random_blocks import BLOCKS, K_TYPES, random_blocks
from fluid.targets import LONG_MODE
from host_features import lacking
from tensor_driver import FLOATS, PACK_ROWS, QUANTISE, Bytes, Floats, Tensor, random

KINDS = {
    "f32": GGMLQuantizationType.F32,
    "f16": GGMLQuantizationType.F16,
    "q8_0": GGMLQuantizationType.Q8_0,
    "q4_0": GGMLQuantizationType.Q4_0,
    "q4_1": GGMLQuantizationType.Q4_1,
    "bf16": GGMLQuantizationType.BF16,
    "q5_0": GGMLQuantizationType.Q5_0,
    "q5_1": GGMLQuantizationType.Q5_1,
    **{kind.lower(): GGMLQuantizationType[kind] for kind in K_TYPES},
}
QUANTISED = [kind for kind in KINDS if kind not in FLOATS]  # products take activations in 8 bits
ONE_SCALE = ["q8_0", "q4_0", "q4_1", "q5_0", "q5_1"]  # for 32 weights, which stands first


@pytest.mark.parametrize("tag", LONG_MODE)
def test_every_variant_runs_here(tensor: Tensor, tag: str) -> None:
    """All variants that this machine can run are compared in this file; here are the others."""
    if missing := lacking(tag):
        pytest.skip(f"this machine cannot run {tag} code: no {' '.join(missing)}")
    assert {tag, f"{tag}-plain"} <= {process.variant.name for process in tensor.processes}


def fitting(kind: str, cols: int) -> int:
    """Columns of about this number that fill blocks of the type."""
    return cols if kind.upper() not in K_TYPES else max(cols // QK_K, 1) * QK_K


def pack(kind: str, w: Floats) -> Bytes:
    """Of super-blocks, others with the same deviation."""
    if kind.upper() in K_TYPES:
        rng = np.random.default_rng(w.size)
        return random_blocks(kind.upper(), rng, w.shape[0], w.shape[1], float(w.std()))
    packed: Bytes = quantize(w, KINDS[kind]).view(np.uint8)
    return packed


def unpack(kind: str, raw: Bytes) -> NDArray[np.float64]:
    if kind == "f16":
        return raw.view(np.float16).astype(np.float64)
    values: Floats = dequantize(raw, KINDS[kind])
    return values.astype(np.float64)


def activations(
    kind: str, x: Floats, tensor: Tensor
) -> tuple[NDArray[np.generic], NDArray[np.float64]]:
    """What matmul takes and the values (n, cols) that it stands for."""
    if kind in FLOATS:
        return x, x.astype(np.float64)
    act = tensor.quantize(kind, x)
    values = act["q"].astype(np.float64) * act["d"].astype(np.float64)[..., None]
    return act, values.transpose(1, 0, 2).reshape(x.shape)


def some_tokens(x: NDArray[np.generic], kind: str, tokens: slice) -> NDArray[np.generic]:
    return x[tokens] if kind in FLOATS else x[:, tokens]


def check_matmul(out: Floats, w: NDArray[np.float64], x: NDArray[np.float64]) -> None:
    """Rounding errors grow with the sum of the magnitudes."""
    limit = 1e-6 * (np.abs(x) @ np.abs(w).T) + 1e-30
    assert (np.abs(out - x @ w.T) <= limit).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("rows", "cols", "n"),
    [
        (1, 32, 1),
        (3, 64, 2),
        (4, 288, 3),
        (5, 576, 17),
        (7, 256, 33),
        (33, 1536, 4),
        (16, 288, 1),  # a group
        (24, 288, 3),  # and half of one
        (47, 320, 1),  # and all but a row
        (64, 320, 64),
        (2, 352, 65),
    ],
)
def test_matmul_equals_numpy(tensor: Tensor, kind: str, rows: int, cols: int, n: int) -> None:
    cols = fitting(kind, cols)
    raw = pack(kind, random(rows, rows, cols, scale=0.05))
    x, values = activations(kind, random(cols + n, n, cols), tensor)
    check_matmul(tensor.matmul(kind, raw, x, rows, cols), unpack(kind, raw), values)


@pytest.mark.parametrize("kind", FLOATS)
@pytest.mark.parametrize("cols", [1, 2, 3, 5, 7, 11, 172, 255, 257, 259])
def test_matmul_of_odd_columns(tensor: Tensor, kind: str, cols: int) -> None:
    w = random(cols, 6, cols)
    raw = w.view(np.uint8) if kind == "f32" else pack(kind, w)
    x = random(cols + 1, 3, cols)
    check_matmul(tensor.matmul(kind, raw, x, 6, cols), unpack(kind, raw), x.astype(np.float64))


@pytest.mark.parametrize("kind", KINDS)
def test_result_depends_on_neither_batch_nor_row(tensor: Tensor, kind: str) -> None:
    """What if a token is computed alone, or a weight row stands elsewhere? The same bits."""
    rows, cols, n = 45, fitting(kind, 512 + 32), 67
    raw = pack(kind, random(1, rows, cols))
    x, _ = activations(kind, random(2, n, cols), tensor)
    batch = tensor.matmul(kind, raw, x, rows, cols)
    for t in range(n):
        assert (
            tensor.matmul(kind, raw, some_tokens(x, kind, slice(t, t + 1)), rows, cols)[0]
            == batch[t]
        ).all()
    for r in range(rows):
        assert (tensor.matmul(kind, raw[r : r + 1], x, 1, cols)[:, 0] == batch[:, r]).all()
    for count in (2, 3, 5, 32, 65):
        assert (
            tensor.matmul(kind, raw, some_tokens(x, kind, slice(count)), rows, cols)
            == batch[:count]
        ).all()


@pytest.mark.parametrize("kind", QUANTISED)
@pytest.mark.parametrize("n", [1, 2, 67])
def test_result_does_not_depend_on_what_is_fetched(tensor: Tensor, kind: str, n: int) -> None:
    """Nothing (AHEAD_NONE), little, more than there is."""
    rows, cols = 45, fitting(kind, 512 + 32)
    raw = pack(kind, random(1, rows, cols))
    x, _ = activations(kind, random(2, n, cols), tensor)
    expected = tensor.matmul(kind, raw, x, rows, cols)
    for ahead in (1, 1024, 16384):
        assert (tensor.matmul(kind, raw, x, rows, cols, ahead) == expected).all()


@pytest.mark.parametrize("kind", QUANTISED)
@pytest.mark.parametrize("fill", [0x00, 0x7F, 0x80, 0xFF])
@pytest.mark.parametrize("n", [1, 4])
def test_extreme_integers_do_not_overflow(tensor: Tensor, kind: str, fill: int, n: int) -> None:
    """Largest and smallest stored weights against activations of +-127, all signs alike."""
    size, weights = GGML_QUANT_SIZES[KINDS[kind]][::-1]
    scaled = BLOCKS[kind.upper()]
    places = [scaled.d] if scaled.m is None else [scaled.d, scaled.m]
    raw = np.full((25, 2 * size), fill, np.uint8)
    for b in range(2):
        for place, scale in zip(places, (1.0, -2.0), strict=False):
            at = b * size + place
            raw[:, at : at + 2] = np.array([scale], np.float16).view(np.uint8)
    for q in (127, -127):
        x = np.zeros((2, n), QUANTISE[kind.endswith("k")][1])
        x["d"], x["q"] = 0.5, q
        if kind.endswith("k"):
            x["sums"] = q * 16
        else:
            x["sum"], x["offset"] = 0.5 * q * 32, -8 * q * 32
        out = tensor.matmul(kind, raw, x, 25, 2 * weights)
        expected = unpack(kind, raw) @ np.full((2 * weights, n), 0.5 * q)
        assert (out == expected.T).all()


@pytest.mark.parametrize("kind", ONE_SCALE)
@pytest.mark.parametrize("half", [0x0000, 0x8000, 0x0001, 0x8001, 0x03FF, 0x0400, 0x7BFF, 0xFBFF])
def test_special_scales(tensor: Tensor, kind: str, half: int) -> None:
    """Zero, subnormal, smallest normal and largest: of a packed row, of one behind, of all."""
    size, cols = pack(kind, random(0, 1, 32)).shape[1], 96
    for affected in ([1], [17], list(range(19))):
        raw = pack(kind, random(3, 19, cols)).copy()
        scale = np.array([half], np.uint16).view(np.uint8)
        raw[affected, size : size + 2] = scale
        if kind.endswith("1"):
            raw[affected, 2 * size + 2 : 2 * size + 4] = scale
        x, values = activations(kind, random(4, 5, cols), tensor)
        check_matmul(tensor.matmul(kind, raw, x, 19, cols), unpack(kind, raw), values)
        for r in range(19):
            expected = unpack(kind, raw)[r]
            assert np.allclose(tensor.row(kind, raw, r, cols), expected, rtol=3e-7, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_rows_equal_dequantised_weights(tensor: Tensor, kind: str) -> None:
    cols = fitting(kind, 800)
    raw = pack(kind, random(5, 19, cols))
    for r in range(19):
        expected = unpack(kind, raw)[r]
        assert np.allclose(tensor.row(kind, raw, r, cols), expected, rtol=2e-7, atol=3e-7)


def test_every_f16_value_converts_exactly(tensor: Tensor) -> None:
    """All 65536 bit patterns: subnormals, infinities and NaN included."""
    every = np.arange(65536, dtype=np.uint16)
    out = tensor.row("f16", every.view(np.uint8), 0, every.size)
    expected = every.view(np.float16).astype(np.float32)
    nan = np.isnan(expected)
    assert (np.isnan(out) == nan).all()
    assert (out.view(np.uint32)[~nan] == expected.view(np.uint32)[~nan]).all()


def test_f16_infinity_reaches_the_result(tensor: Tensor) -> None:
    w = np.ones((4, 40), np.float16)
    w[1, 3], w[2, 39] = np.inf, np.nan
    out = tensor.matmul("f16", w.view(np.uint8), np.ones((1, 40), np.float32), 4, 40)[0]
    assert out[0] == 40 and out[3] == 40 and np.isposinf(out[1]) and np.isnan(out[2])


@pytest.mark.parametrize("kind", QUANTISED)
def test_packing_moves_every_byte_to_a_place_of_its_own(tensor: Tensor, kind: str) -> None:
    size, weights = GGML_QUANT_SIZES[KINDS[kind]][::-1]
    count = PACK_ROWS * 2 * size
    sources = np.zeros(count, np.int64)
    for digit in range(2):  # of the byte's number, to base 256
        numbers = (np.arange(count) >> 8 * digit).astype(np.uint8).reshape(PACK_ROWS, 2 * size)
        sources += tensor.pack(kind, numbers, 2 * weights).reshape(-1).astype(np.int64) << 8 * digit
    assert sorted(sources) == list(range(count))


def test_quantisation_rounds_halves_to_even(tensor: Tensor) -> None:
    x = np.zeros((1, 32), np.float32)
    below = np.nextafter(np.float32(0.5), 0)
    x[0, :9] = [127, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, below, -126.5]
    block = tensor.quantize("q8_0", x)[0, 0]
    assert block["d"] == 1
    assert list(block["q"][:9]) == [127, 0, 2, 2, 0, -2, -2, 0, -126]
    assert block["offset"] == -8 and block["sum"] == 1


@pytest.mark.parametrize(
    ("kind", "cols"), [("q8_0", 32), ("q8_0", 576), ("q4_k", 256), ("q4_k", 1536)]
)
def test_quantisation_equals_its_definition(tensor: Tensor, kind: str, cols: int) -> None:
    scales = np.float32(10.0) ** np.arange(-6, 6, dtype=np.float32)
    x = random(cols, 12, cols) * scales[:, None]
    act = tensor.quantize(kind, x)
    blocks = x.reshape(12, act.shape[0], -1).transpose(1, 0, 2)
    largest = np.abs(blocks).max(axis=2)
    q = np.rint(blocks * (np.float32(127) / largest)[..., None])
    d = largest / np.float32(127)
    assert (act["d"] == d).all()
    assert (act["q"] == q).all()
    assert (np.abs(act["q"]).max(axis=2) == 127).all()
    if kind == "q8_0":
        assert (act["offset"] == -8 * q.sum(axis=2)).all()
        assert (act["sum"] == d * q.sum(axis=2).astype(np.float32)).all()
    else:
        assert (act["sums"] == q.reshape(*d.shape, -1, 16).sum(axis=3)).all()


@pytest.mark.parametrize(("kind", "size"), [("q8_0", 32), ("q4_k", 256)])
def test_quantisation_of_zero_tiny_and_broken_blocks(tensor: Tensor, kind: str, size: int) -> None:
    x = np.zeros((5, size), np.float32)
    x[1] = 1e-40  # subnormal: the block becomes zero
    x[2, 0] = np.nan
    x[3, 0] = -np.inf
    x[4, 0] = 3e38
    act = tensor.quantize(kind, x)[0]
    for block in act[:2]:
        sums = block["sums"] if kind == "q4_k" else block["offset"]
        assert block["d"] == 0 and not sums.any() and not block["q"].any()
    assert np.isnan(act["d"][2]) and np.isinf(act["d"][3])
    assert act["q"][4][0] == 127 and act["d"][4] == np.float32(3e38) / np.float32(127)


@pytest.mark.parametrize("dim", [1, 2, 3, 7, 8, 64, 172, 576, 1539])
def test_rmsnorm(tensor: Tensor, dim: int) -> None:
    x, w = random(dim, 3, dim, scale=3.0), random(dim + 1, dim)
    out = tensor.rmsnorm(x, w, 1e-5)
    wide = x.astype(np.float64)
    expected = wide / np.sqrt((wide**2).mean(axis=1, keepdims=True) + np.float32(1e-5)) * w
    assert np.allclose(out, expected, rtol=2e-6, atol=1e-9)
    assert (tensor.rmsnorm(x[1:2], w, 1e-5)[0] == out[1]).all()


@pytest.mark.parametrize(
    ("heads", "head_dim", "rope_dim"), [(9, 64, 64), (3, 8, 8), (2, 10, 6), (1, 2, 2), (4, 6, 6)]
)
def test_rope(tensor: Tensor, heads: int, head_dim: int, rope_dim: int) -> None:
    pos, n, half = 5, 4, rope_dim // 2
    frequency = 10000.0 ** (-np.arange(half) / half)
    angle = np.arange(pos + n)[:, None] * frequency
    table = np.stack([np.cos(angle), np.sin(angle)], axis=2).astype(np.float32)
    x = random(7, n, heads, head_dim)
    out = tensor.rope(x, table, pos)
    rotated = x[..., :rope_dim].astype(np.float64).reshape(n, heads, half, 2)
    number = rotated[..., 0] + 1j * rotated[..., 1]
    number = number * (table[pos:, None, :, 0] + 1j * table[pos:, None, :, 1].astype(np.float64))
    expected = np.stack([number.real, number.imag], axis=3).reshape(n, heads, rope_dim)
    assert np.allclose(out[..., :rope_dim], expected, atol=1e-6)
    assert (out[..., rope_dim:] == x[..., rope_dim:]).all()


def exp_through_swiglu(tensor: Tensor, x: Floats) -> Floats:
    """silu(-x) * up with up = -1 / x gives 1 / (1 + e^x)."""
    return tensor.swiglu(-x, (-1 / x).astype(np.float32))


def test_exp_is_accurate_over_its_range(tensor: Tensor) -> None:
    x = np.linspace(-87, 88, 200001).astype(np.float32)
    x = x[x != 0]
    exact = 1 / (1 + np.exp(x.astype(np.float64)))
    relative = np.abs(exp_through_swiglu(tensor, x) / exact - 1)
    assert relative.max() < 2 * 2**-23 + 4 * 2**-24  # 2 ulp, and four more roundings


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 172, 1001])
def test_swiglu(tensor: Tensor, count: int) -> None:
    gate, up = random(count, count, scale=4.0), random(count + 1, count)
    wide = gate.astype(np.float64)
    expected = wide / (1 + np.exp(-wide)) * up
    assert np.allclose(tensor.swiglu(gate, up), expected, rtol=1e-6, atol=1e-12)


def test_swiglu_of_extremes(tensor: Tensor) -> None:
    gate = np.array([-1e30, -200, -104, -88, 88, 200, 1e30, 0, np.nan], np.float32)
    out = tensor.swiglu(gate, np.ones(9, np.float32))
    assert (out[:2] == 0).all() and np.abs(out[2:4]).max() < 1e-35
    assert (out[4:7] == gate[4:7]).all() and out[7] == 0 and np.isnan(out[8])


@pytest.mark.parametrize("count", [1, 3, 4, 6, 1001])
def test_add(tensor: Tensor, count: int) -> None:
    x, y = random(count, count), random(count + 1, count)
    assert (tensor.add(x, y) == x + y).all()
