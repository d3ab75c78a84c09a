"""Random weights of the "K" types of GGML, which the gguf package reads but does not write: random
bytes, but for the f16 numbers that scale a block."""

import gguf
import numpy as np
from gguf.quants import dequantize
from numpy.typing import NDArray

WEIGHTS = 256  # of a block
# Where the f16 numbers stand in a block of so many bytes.
SCALES = {
    "Q2_K": (84, (80, 82)),
    "Q3_K": (110, (108,)),
    "Q4_K": (144, (0, 2)),
    "Q5_K": (176, (0, 2)),
    "Q6_K": (210, (208,)),
}


def random_blocks(
    kind: str, rng: np.random.Generator, rows: int, cols: int, deviation: float
) -> NDArray[np.uint8]:
    """(rows, bytes) of weights with this standard deviation; cols is a multiple of WEIGHTS."""
    size, places = SCALES[kind]
    blocks = rng.integers(0, 256, (rows, cols // WEIGHTS, size), np.uint8)
    _set_scales(blocks, places, np.ones(blocks.shape[:2]))
    plain = dequantize(blocks.reshape(rows, -1), gguf.GGMLQuantizationType[kind])
    scale = deviation / plain.std() * rng.uniform(0.5, 1.5, blocks.shape[:2])
    _set_scales(blocks, places, scale)
    return blocks.reshape(rows, -1)


def _set_scales(
    blocks: NDArray[np.uint8], places: tuple[int, ...], values: NDArray[np.float64]
) -> None:
    halves = values.astype(np.float16)[..., None].view(np.uint8)
    for at in places:
        blocks[..., at : at + 2] = halves
