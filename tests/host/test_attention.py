"""Attention and its cache against numpy, on every variant (tensor_driver.py)."""

import numpy as np
import pytest
from numpy.typing import NDArray

from kv_rows import KINDS, cached, q8_rows
from tensor_driver import Floats, Tensor, random


def test_store_kv_rounds_to_the_nearest_half(tensor: Tensor) -> None:
    """numpy's conversion is the reference; nothing around the places of the tokens changes."""
    halves = np.arange(0x7C00, dtype=np.uint16).view(np.float16).astype(np.float32)
    middle = (halves[1:] + halves[:-1]) / 2
    x = np.concatenate([halves, middle, np.nextafter(middle, 0), np.nextafter(middle, 1e9)])
    x = np.concatenate([x, -x, random(5, 4099, scale=300)]).astype(np.float32)
    n, pos, ctx, kv_heads, head_dim = 2, 3, 7, 2, x.size
    tokens = np.stack([np.stack([x, x[::-1]]), np.stack([-x, -x[::-1]])])
    before = np.full((kv_heads, ctx, head_dim), 7, np.float16)
    cache = tensor.store_kv(before, tokens, pos)
    expected = before.copy()
    expected[:, pos : pos + n] = tokens.transpose(1, 0, 2).astype(np.float16)
    assert (cache.view(np.uint16) == expected.view(np.uint16)).all()


def test_store_kv_of_floats(tensor: Tensor) -> None:
    """Head sizes that fill no vector, too; places of other positions stay as they are."""
    for kv_heads, head_dim in ((1, 2), (2, 22), (3, 64)):
        x = random(head_dim, 4, kv_heads, head_dim)
        before = random(1, kv_heads, 9, head_dim)
        expected = before.copy()
        expected[:, 2:6] = x.transpose(1, 0, 2)
        assert (tensor.store_kv(before, x, 2) == expected).all()


def test_store_kv_has_neither_infinity_nor_nan(tensor: Tensor) -> None:
    most, infinity, nan = np.finfo(np.float16).max, np.inf, np.nan
    x = np.array([most, 65519, 65520, 1e30, infinity, -1e30, -infinity, nan, 1], np.float32)
    out = tensor.store_kv(np.zeros((1, 1, x.size), np.float16), x[None, None], 0)[0, 0]
    assert out.tolist() == [most] * 5 + [-most] * 2 + [most, 1]


@pytest.mark.parametrize("head_dim", [1, 2, 7, 22, 32, 64, 80, 128])
def test_store_kv_in_8_bits(tensor: Tensor, head_dim: int) -> None:
    """Blocks that are all zero, tiny, large, and of one large value among small ones."""
    n, kv_heads, pos, ctx = 6, 2, 1, 8
    x = random(head_dim, n, kv_heads, head_dim)
    scale = np.array([1, 0, 1e-9, 3e-6, 1e4, 1], np.float32)
    x *= scale[:, None, None]
    x[5, :, 0] = 1000
    before = np.full((kv_heads, ctx, q8_rows(x).shape[-1]), 7, np.uint8)
    expected = before.copy()
    expected[:, pos : pos + n] = q8_rows(x.transpose(1, 0, 2))
    assert (tensor.store_kv(before, x, pos) == expected).all()
    left = cached(np.ascontiguousarray(x.transpose(1, 0, 2)), "Q8_0")[1].transpose(1, 0, 2)
    largest = np.abs(x).max(axis=-1, keepdims=True)
    assert (np.abs(left - x) <= largest / 250 + 4e-6).all()


def test_store_kv_in_8_bits_has_neither_infinity_nor_nan(tensor: Tensor) -> None:
    most, infinity = np.finfo(np.float16).max, np.inf
    x = np.array([most, 1e30, infinity, -1e30, -infinity, np.nan, 1, 0], np.float32)
    kept = np.array([most, most, most, -most, -most, most, 1, 0], np.float32)
    cache = np.zeros((1, 1, 2 + x.size), np.uint8)
    assert (tensor.store_kv(cache, x[None, None], 0)[0, 0] == q8_rows(kept)).all()


def attention_reference(q: Floats, k: Floats, v: Floats, pos: int) -> NDArray[np.float64]:
    n, heads, head_dim = q.shape
    out = np.zeros(q.shape)
    for t in range(n):
        for h in range(heads):
            kv = h // (heads // k.shape[0])
            scores = k[kv, : pos + t + 1].astype(np.float64) @ q[t, h] / np.sqrt(head_dim)
            weight = np.exp(scores - scores.max())
            out[t, h] = weight / weight.sum() @ v[kv, : pos + t + 1].astype(np.float64)
    return out


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("heads", "kv_heads", "head_dim", "pos", "n"),
    [
        (1, 1, 2, 0, 1),
        (2, 1, 8, 3, 5),
        (9, 3, 64, 40, 7),
        (4, 4, 16, 0, 33),
        (2, 2, 6, 9, 2),
        (2, 1, 22, 17, 3),
        (2, 1, 22, 61, 3),  # 64 positions
        (1, 1, 128, 300, 1),
        (3, 3, 80, 130, 2),
        (1, 1, 3, 66, 1),
        (16, 2, 16, 70, 20),  # 160 queries of a head, in parts that end within a token
    ],
)
def test_attention(
    tensor: Tensor, heads: int, kv_heads: int, head_dim: int, pos: int, n: int, kind: str
) -> None:
    """The cache ends exactly after the last visible position: nothing behind it may be read."""
    q = random(pos, n, heads, head_dim, scale=2.0)
    k, k_floats = cached(random(pos + 1, kv_heads, pos + n, head_dim), kind)
    v, v_floats = cached(random(pos + 2, kv_heads, pos + n, head_dim), kind)
    out = tensor.attention(q, k, v, pos)
    assert np.allclose(out, attention_reference(q, k_floats, v_floats, pos), atol=3e-6)
    last = tensor.attention(q[n - 1 :], k, v, pos + n - 1)
    assert (last[0] == out[n - 1]).all()


def test_attention_ignores_the_unused_cache_and_large_scores(tensor: Tensor) -> None:
    q = random(1, 1, 2, 8, scale=300)
    k, v = random(2, 2, 20, 8).astype(np.float16), random(3, 2, 20, 8).astype(np.float16)
    k[:, 6:], v[:, 6:] = np.nan, np.nan
    out = tensor.attention(q, k, v, 5)
    assert np.allclose(
        out, attention_reference(q, k.astype(np.float32), v.astype(np.float32), 5), atol=1e-4
    )
