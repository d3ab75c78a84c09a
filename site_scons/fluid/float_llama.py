"""A plain float32 forward pass of llama-architecture GGUF files: the oracle of the engine.

It shares no code and no layout with the engine: weights are dequantised by the gguf package, whole
sequences are computed at once, and attention is a masked softmax over full matrices.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGUFReader
from gguf.quants import dequantize
from numpy.typing import NDArray

Array = NDArray[np.float32]


class FloatLlama:
    """Weights and hyper-parameters of one file; logits() evaluates token ids."""

    real: type[np.floating[Any]] = np.float32  # of activations

    def __init__(self, path: Path) -> None:
        reader = GGUFReader(path)

        def key(name: str, default: Any = None) -> Any:
            field = reader.fields.get(f"llama.{name}")
            return default if field is None else field.contents()

        self.layers: int = key("block_count")
        self.heads: int = key("attention.head_count")
        self.kv_heads: int = key("attention.head_count_kv", self.heads)
        self.head_dim: int = key("attention.key_length", key("embedding_length") // self.heads)
        self.context: int = key("context_length")
        self.rope_dim: int = key("rope.dimension_count", self.head_dim)
        self.rope_base: float = key("rope.freq_base", 10000.0)
        self.eps = np.float32(key("attention.layer_norm_rms_epsilon"))
        self.weights: dict[str, Array] = {
            t.name: dequantize(t.data, t.tensor_type).astype(np.float32) for t in reader.tensors
        }
        self.types = {t.name: t.tensor_type for t in reader.tensors}
        # What a scaling of positions makes of the frequencies, and of rotated vectors' length.
        self.scaled: Callable[[NDArray[np.float64]], NDArray[np.float64]] | None = None
        self.magnitude = 1.0
        self.output = "output" if "output.weight" in self.weights else "token_embd"

    def _norm(self, x: Array, name: str) -> Array:
        mean = np.mean(x * x, axis=-1, keepdims=True)
        scaled: Array = x / np.sqrt(mean + self.eps) * self.weights[name + ".weight"]
        return scaled.astype(self.real)

    def _linear(self, x: Array, name: str) -> Array:
        out: Array = x @ self.weights[name + ".weight"].T
        return out + self.weights.get(name + ".bias", np.float32(0))

    def _rope(self, x: Array) -> Array:
        """Rotates pairs (2i, 2i + 1) of x (tokens, heads, head_dim) by position * base^(-2i/n)."""
        half = self.rope_dim // 2
        frequency = self.rope_base ** (-2.0 * np.arange(half) / self.rope_dim)
        frequency = frequency / self.weights.get("rope_freqs.weight", 1.0)
        frequency = self.scaled(frequency) if self.scaled else frequency
        angle = np.arange(len(x))[:, None] * frequency[None, :]
        turn = self.magnitude * np.exp(1j * angle)[:, None, :]
        pairs = x[..., 0 : self.rope_dim : 2] + 1j * x[..., 1 : self.rope_dim : 2]
        turned = pairs * turn
        out = x.copy()
        out[..., 0 : self.rope_dim : 2] = turned.real
        out[..., 1 : self.rope_dim : 2] = turned.imag
        return out

    def _cached(self, x: Array) -> Array:
        """K or V (tokens, kv_heads, head_dim) as it comes back from the cache."""
        return x

    def _attention(self, x: Array, block: str) -> Array:
        tokens = len(x)
        q = self._rope(self._linear(x, block + "attn_q").reshape(tokens, self.heads, -1))
        k = self._rope(self._linear(x, block + "attn_k").reshape(tokens, self.kv_heads, -1))
        v = self._linear(x, block + "attn_v").reshape(tokens, self.kv_heads, -1)
        k, v = self._cached(k), self._cached(v)
        group = self.heads // self.kv_heads
        k, v = np.repeat(k, group, axis=1), np.repeat(v, group, axis=1)
        q, k, v = (np.swapaxes(each, 0, 1) for each in (q, k, v))  # (heads, tokens, head_dim)
        scores = q @ np.swapaxes(k, 1, 2) / np.float32(np.sqrt(self.head_dim))
        scores = np.where(np.tri(tokens, dtype=bool), scores, np.float32(-np.inf))
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        weights /= weights.sum(axis=-1, keepdims=True)
        mixed = np.swapaxes(weights @ v, 0, 1).reshape(tokens, -1)
        return self._linear(mixed.astype(self.real), block + "attn_output")

    def _feed_forward(self, x: Array, block: str) -> Array:
        gate = self._linear(x, block + "ffn_gate")
        hidden = gate / (1 + np.exp(-gate)) * self._linear(x, block + "ffn_up")
        return self._linear(hidden.astype(self.real), block + "ffn_down")

    def logits(self, ids: Sequence[int]) -> Array:
        """Logits (len(ids), vocab): row i predicts the token after ids[i]."""
        x = self.weights["token_embd.weight"][list(ids)].astype(self.real)
        for layer in range(self.layers):
            block = f"blk.{layer}."
            x = x + self._attention(self._norm(x, block + "attn_norm"), block)
            x = x + self._feed_forward(self._norm(x, block + "ffn_norm"), block)
        return self._linear(self._norm(x, "output_norm"), self.output).astype(np.float32)
