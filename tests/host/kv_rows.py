"""The rows of a cache of K or V (fluid/tensor.h, enum kv_type) in numpy."""

import numpy as np

from tensor_driver import Bytes, Cached, Floats

BLOCK = 32  # values with one scale in Q8_0
KINDS = ["F32", "F16", "Q8_0"]


def q8_rows(x: Floats) -> Bytes:
    """Rows (.., head_dim) as the cache has them in Q8_0: per block f16 d, then the integers."""
    parts = []
    for c in range(0, x.shape[-1], BLOCK):
        block = x[..., c : c + BLOCK]
        d = (np.abs(block).max(axis=-1, keepdims=True) / np.float32(127)).astype(np.float16)
        wide = d.astype(np.float32)
        factor = np.divide(np.float32(1), wide, where=wide > 0, out=np.zeros_like(wide))
        q = np.rint(block * factor).clip(-128, 127).astype(np.int8)
        parts += [d.view(np.uint8), q.view(np.uint8)]
    return np.concatenate(parts, axis=-1)


def cached(x: Floats, kind: str) -> tuple[Cached, Floats]:
    """x (kv_heads, ctx, head_dim) as a cache of this kind, and what is left of the values."""
    if kind != "Q8_0":
        cache: Cached = x.astype({"F32": np.float32, "F16": np.float16}[kind])
        return cache, cache.astype(np.float32)
    rows, parts, at = q8_rows(x), [], 0
    for c in range(0, x.shape[-1], BLOCK):
        count = min(BLOCK, x.shape[-1] - c)
        d = rows[..., at : at + 2].copy().view(np.float16).astype(np.float32)
        q = rows[..., at + 2 : at + 2 + count].copy().view(np.int8)
        parts.append(d * q.astype(np.float32))
        at += 2 + count
    return rows, np.concatenate(parts, axis=-1)
