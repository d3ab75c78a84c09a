"""The oracle of the engine's tests: FloatLlama with the engine's two approximations.

Activations in front of quantised weights are rounded to 8 bits, in blocks like theirs; K and V of a
long context to F16, or to Q8_0 when it is said that memory is short. Sums are of 64 bits: 32 bits
are added up in another order on each processor, and one bit can make another integer of an
activation. The rounding itself is of 32 bits, as the engine's.
"""

from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

from fluid.float_llama import Array, FloatLlama
from kv_rows import cached

FLOATS = (GGMLQuantizationType.F32, GGMLQuantizationType.F16, GGMLQuantizationType.BF16)
F32_CACHE = 4 << 20  # bytes of a whole context that the engine keeps in F32


def in_8_bits(x: Array, block: int) -> Array:
    """What is left of x (.., columns) when each block becomes integers -127 .. 127."""
    blocks = x.reshape(*x.shape[:-1], -1, block)
    largest = np.abs(blocks).max(axis=-1, keepdims=True)
    factor = np.float32(127) / np.where(largest > 0, largest, np.float32(1))
    rounded: Array = np.rint(blocks * factor) * (largest / np.float32(127))
    return rounded.reshape(x.shape)


class NumpyLlama(FloatLlama):
    """Weights and hyper-parameters of one file; logits() evaluates token ids."""

    real = np.float64

    def __init__(self, path: Path, short_of_memory: bool = False) -> None:
        super().__init__(path)
        self.blocks = {
            name: GGML_QUANT_SIZES[kind][0]
            for name, kind in self.types.items()
            if kind not in FLOATS
        }
        values = 2 * self.layers * self.kv_heads * self.head_dim * self.context
        self.kv_type = "F32" if 4 * values <= F32_CACHE else "Q8_0" if short_of_memory else "F16"

    def _linear(self, x: Array, name: str) -> Array:
        block: Any = self.blocks.get(name + ".weight")
        if block is not None:
            x = in_8_bits(x.astype(np.float32), block).astype(self.real)
        return super()._linear(x, name)

    def _cached(self, x: Array) -> Array:
        kept: Array = cached(x.astype(np.float32), self.kv_type)[1].astype(self.real)
        return kept
