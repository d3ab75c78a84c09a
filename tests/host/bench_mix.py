"""Random numbers and checksums of the benchmarks (src/modules/bench/mix.h)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

WORD = 0xFFFFFFFF

Floats = NDArray[np.float32]


class Draws(Iterator[int]):
    """xorshift32."""

    def __init__(self) -> None:
        self.state = 0x2545F491

    def __next__(self) -> int:
        x = self.state
        x ^= x << 13 & WORD
        x ^= x >> 17
        x ^= x << 5 & WORD
        self.state = x
        return x

    def reals(self, *shape: int) -> Floats:
        """From -1 to 1."""
        count = int(np.prod(shape))
        halves = np.array([next(self) >> 16 for _ in range(count)], np.float32)
        return (halves / np.float32(32768) - np.float32(1)).reshape(shape)


def mix(words: Iterable[int]) -> int:
    """FNV-1a, a word at a time."""
    state = 0x811C9DC5
    for word in words:
        state = (state ^ word) * 0x01000193 & WORD
    return state


def mix_reals(values: Floats) -> int:
    """The same over the bits of the values, row by row."""
    return mix(np.ascontiguousarray(values, np.float32).view(np.uint32).ravel().tolist())
