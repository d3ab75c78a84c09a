"""Rounds weights to GGML's K types, which the gguf package reads but does not write.

Plain rounding to nearest: the step of a sub-block follows from its extreme weights. llama.cpp's
quantizer searches for the steps with the least weighted error; its files are better than these.

A block has 256 weights, in sub-blocks of 16 or 32 that have integer factors of their own, and one
or two f16 numbers that these are multiples of. The layouts are ggml-common.h's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fluid.quality_formats import K_BLOCK

BLOCK = K_BLOCK
CHUNK = 1 << 14  # blocks at a time, which bounds the memory

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
Bytes = NDArray[np.uint8]


def k_quantise(weights: Floats, kind: str) -> Bytes:
    """(rows, bytes) of weights (rows, cols), cols a multiple of BLOCK; kind: of QUANTISERS."""
    blocks = weights.reshape(-1, BLOCK)
    parts = [QUANTISERS[kind](blocks[at : at + CHUNK]) for at in range(0, len(blocks), CHUNK)]
    return np.concatenate(parts).reshape(len(weights), -1)


def _divide(numbers: Floats, by: Floats) -> Floats:
    """Quotients, 0 where the divisor is 0."""
    safe = np.where(by == 0, np.float32(1), by)
    return np.where(by == 0, np.float32(0), numbers / safe)


def _rounded(numbers: Floats, step: Floats, low: int, high: int) -> Ints:
    """The nearest multiples of the steps, as integers low .. high."""
    return np.clip(np.rint(_divide(numbers, step)), low, high).astype(np.int32)


def _half(numbers: Floats) -> Floats:
    """What is left of them as f16."""
    return numbers.astype(np.float16).astype(np.float32)


def _bytes_of_half(numbers: Floats) -> Bytes:
    """(blocks, 2) of (blocks, 1, 1)."""
    return numbers.reshape(-1, 1).astype(np.float16).view(np.uint8)


def _pack(numbers: Ints, rows: int, bits: int, width: int = 32) -> Bytes:
    """(blocks, bytes): `rows` neighbouring rows of `width` numbers are put into one row of bytes,
    the first one into its lowest bits. Numbers are below 2^bits."""
    grouped = numbers.reshape(len(numbers), -1, rows, width).astype(np.uint8)
    shifts = np.arange(0, rows * bits, bits, dtype=np.uint8)
    packed: Any = np.bitwise_or.reduce(grouped << shifts[:, None], axis=2)
    return np.asarray(packed.reshape(len(numbers), -1))


def _signed_step(numbers: Floats, low: int) -> Floats:
    """With which the number of the greatest magnitude becomes `low` (.., 1); it has its sign."""
    at = np.abs(numbers).argmax(axis=-1, keepdims=True)
    return np.take_along_axis(numbers, at, axis=-1) / np.float32(low)


def _symmetric(blocks: Floats, low: int, factor_low: int) -> tuple[Floats, Ints, Ints]:
    """d, factors (n, 16), integers (n, 256) with weights = d * factor * integer; both are
    low .. -low - 1."""
    groups = blocks.reshape(len(blocks), 16, 16)
    steps = _signed_step(groups, low)
    d = _half(_signed_step(steps.reshape(len(blocks), 1, 16), factor_low))
    factors = _rounded(steps, d, factor_low, -factor_low - 1)
    integers = _rounded(groups, d * factors.astype(np.float32), low, -low - 1)
    return d, factors.reshape(len(blocks), 16), integers.reshape(blocks.shape)


def _offset(
    blocks: Floats, groups_of: int, high: int, factor_high: int
) -> tuple[Floats, Floats, Ints, Ints, Ints]:
    """d, dmin, factors, offsets, integers 0 .. high with weights = d * factor * integer - dmin *
    offset; factors and offsets are 0 .. factor_high."""
    groups = blocks.reshape(len(blocks), -1, groups_of)
    least = np.maximum(-groups.min(axis=-1, keepdims=True), 0)
    steps = (groups.max(axis=-1, keepdims=True) + least) / np.float32(high)
    d = _half(steps.max(axis=1, keepdims=True) / np.float32(factor_high))
    dmin = _half(least.max(axis=1, keepdims=True) / np.float32(factor_high))
    factors = _rounded(steps, d, 0, factor_high)
    offsets = _rounded(least, dmin, 0, factor_high)
    shifted = groups + dmin * offsets.astype(np.float32)
    integers = _rounded(shifted, d * factors.astype(np.float32), 0, high)
    shape = (len(blocks), -1)
    return d, dmin, factors.reshape(shape), offsets.reshape(shape), integers.reshape(blocks.shape)


def _q2_k(blocks: Floats) -> Bytes:
    d, dmin, factors, offsets, integers = _offset(blocks, 16, 3, 15)
    scales = (factors | offsets << 4).astype(np.uint8)
    return np.hstack([scales, _pack(integers, 4, 2), _bytes_of_half(d), _bytes_of_half(dmin)])


def _q3_k(blocks: Floats) -> Bytes:
    d, factors, integers = _symmetric(blocks, -4, -32)
    factors, integers = factors + 32, integers + 4
    scales = [_pack(factors & 15, 2, 4, width=8), _pack(factors >> 4, 4, 2, width=4)]
    parts = [_pack(integers >> 2, 8, 1), _pack(integers & 3, 4, 2)]
    return np.hstack([*parts, *scales, _bytes_of_half(d)])


def _six_bits(factors: Ints, offsets: Ints) -> Bytes:
    """(n, 12): the first four of each whole, with the others' upper two bits; then their lower."""
    first = [each[:, :4] | each[:, 4:] >> 4 << 6 for each in (factors, offsets)]
    rest = factors[:, 4:] & 15 | (offsets[:, 4:] & 15) << 4
    return np.hstack([*first, rest]).astype(np.uint8)


def _q4_k(blocks: Floats) -> Bytes:
    d, dmin, factors, offsets, integers = _offset(blocks, 32, 15, 63)
    head = [_bytes_of_half(d), _bytes_of_half(dmin), _six_bits(factors, offsets)]
    return np.hstack([*head, _pack(integers, 2, 4)])


def _q5_k(blocks: Floats) -> Bytes:
    d, dmin, factors, offsets, integers = _offset(blocks, 32, 31, 63)
    head = [_bytes_of_half(d), _bytes_of_half(dmin), _six_bits(factors, offsets)]
    return np.hstack([*head, _pack(integers >> 4, 8, 1), _pack(integers & 15, 2, 4)])


def _q6_k(blocks: Floats) -> Bytes:
    d, factors, integers = _symmetric(blocks, -32, -128)
    integers = integers + 32
    parts = [_pack(integers & 15, 2, 4, width=64), _pack(integers >> 4, 4, 2)]
    return np.hstack([*parts, factors.astype(np.int8).view(np.uint8), _bytes_of_half(d)])


QUANTISERS: dict[str, Callable[[Floats], Bytes]] = {
    "Q2_K": _q2_k,
    "Q3_K": _q3_k,
    "Q4_K": _q4_k,
    "Q5_K": _q5_k,
    "Q6_K": _q6_k,
}
