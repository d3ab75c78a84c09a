"""Random weights in the block formats of GGML, without floats to quantise: random bytes, but for
the f16 numbers that scale a block. That is quick, and the gguf package does not write "K" types.

The formats are those of ggml-common.h; sizes of blocks are the gguf package's.
"""

from __future__ import annotations

from dataclasses import dataclass

import gguf
import numpy as np
from gguf.constants import GGML_QUANT_SIZES
from gguf.quants import dequantize
from numpy.typing import NDArray

SAMPLE = 4096  # blocks that tell the standard deviation of all


@dataclass(frozen=True)
class Scaled:
    """Where the f16 numbers stand in a block, in bytes: the factor d of its numbers and, if it has
    one, the offset m, as a multiple of d that makes their mean 0."""

    d: int
    m: int | None = None
    offset: float = 0.0


# Weights are d q, d q + m (Q4_1, Q5_1), or d s q - m t with random s and t of one range.
BLOCKS = {
    "Q4_0": Scaled(0),
    "Q4_1": Scaled(0, 2, -7.5),
    "Q5_0": Scaled(0),
    "Q5_1": Scaled(0, 2, -15.5),
    "Q8_0": Scaled(0),
    "Q2_K": Scaled(80, 82, 1.5),
    "Q3_K": Scaled(108),
    "Q4_K": Scaled(0, 2, 7.5),
    "Q5_K": Scaled(0, 2, 15.5),
    "Q6_K": Scaled(208),
}
K_TYPES = tuple(kind for kind in BLOCKS if kind.endswith("_K"))


def block_size(kind: str) -> tuple[int, int]:
    """(weights, bytes) of a block."""
    weights, size = GGML_QUANT_SIZES[gguf.GGMLQuantizationType[kind]]
    return int(weights), int(size)


def random_blocks(
    kind: str, rng: np.random.Generator, rows: int, cols: int, deviation: float
) -> NDArray[np.uint8]:
    """(rows, bytes) of weights with this standard deviation; cols is a multiple of a block's."""
    weights, size = block_size(kind)
    count = rows * cols // weights
    blocks = np.frombuffer(bytearray(rng.bytes(count * size)), np.uint8).reshape(count, size)
    _scale(kind, blocks[:SAMPLE], np.ones(min(count, SAMPLE)))
    plain = dequantize(blocks[:SAMPLE], gguf.GGMLQuantizationType[kind])
    _scale(kind, blocks, deviation / plain.std() * rng.uniform(0.5, 1.5, count))
    return blocks.reshape(rows, -1)


def _scale(kind: str, blocks: NDArray[np.uint8], values: NDArray[np.float64]) -> None:
    where = BLOCKS[kind]
    places = [(where.d, 1.0)] + ([] if where.m is None else [(where.m, where.offset)])
    for at, factor in places:
        halves = (values * factor).astype(np.float16)
        blocks[:, at : at + 2] = halves[:, None].view(np.uint8)
