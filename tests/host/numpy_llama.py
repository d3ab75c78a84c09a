"""The oracle of the engine's tests: FloatLlama with the engine's one approximation. Activations in
front of quantised weights are rounded to 8 bits, in blocks like theirs."""

from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

from fluid.float_llama import Array, FloatLlama

FLOATS = (GGMLQuantizationType.F32, GGMLQuantizationType.F16, GGMLQuantizationType.BF16)


def in_8_bits(x: Array, block: int) -> Array:
    """What is left of x (.., columns) when each block becomes integers -127 .. 127."""
    blocks = x.reshape(*x.shape[:-1], -1, block)
    largest = np.abs(blocks).max(axis=-1, keepdims=True)
    factor = np.float32(127) / np.where(largest > 0, largest, np.float32(1))
    rounded: Array = np.rint(blocks * factor) * (largest / np.float32(127))
    return rounded.reshape(x.shape)


class NumpyLlama(FloatLlama):
    """Weights and hyper-parameters of one file; logits() evaluates token ids."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.blocks = {
            name: GGML_QUANT_SIZES[kind][0]
            for name, kind in self.types.items()
            if kind not in FLOATS
        }

    def _linear(self, x: Array, name: str) -> Array:
        block: Any = self.blocks.get(name + ".weight")
        return super()._linear(x if block is None else in_8_bits(x, block), name)
