"""The oracle of quantised models: numpy_llama with activations rounded to 8 bits, as in the engine.

The rounding alone moves logits of tiny random models by up to 0.1, so that comparing with the float
oracle would hide real errors of that size. What remains against this one is 1e-5, except where a
value lies so close to a rounding boundary that float32 summation order decides.
"""

from collections.abc import Sequence

import numpy as np

from numpy_llama import Array, NumpyLlama

BLOCK = 32  # values that share one scale (src/include/fluid/tensor.h, struct act_q8)
LEVELS = np.float32(127)


def rounded(x: Array) -> Array:
    """x (..., n * BLOCK) as d * q with d = max|x| / 127 and q a whole number, per block."""
    blocks = x.reshape(*x.shape[:-1], -1, BLOCK)
    scale = np.abs(blocks).max(axis=-1, keepdims=True) / LEVELS
    inverse = np.divide(1, scale, out=np.zeros_like(scale), where=scale > 0)
    return (np.rint(blocks * inverse) * scale).reshape(x.shape).astype(np.float32)


class Int8Llama(NumpyLlama):
    """For files whose matrices are all quantised."""

    def _linear(self, x: Array, name: str) -> Array:
        return super()._linear(rounded(x), name)

    def logits(self, ids: Sequence[int]) -> Array:
        """Logits (len(ids), vocab), as the engine should compute them."""
        x = self.weights["token_embd.weight"][list(ids)]
        for layer in range(self.layers):
            block = f"blk.{layer}."
            x = x + self._attention(self._norm(x, block + "attn_norm"), block)
            x = x + self._feed_forward(self._norm(x, block + "ffn_norm"), block)
        return (rounded(self._norm(x, "output_norm")) @ self.output.T).astype(np.float32)
