"""Where the engine keeps K and V, and how much context it takes."""

from pathlib import Path

import pytest

import models
from engine_driver import Engine, EngineError
from test_engine import EXACT, IDS, check_logits, opened


def short_of_memory(path: Path) -> int:
    """Memory in which F16 has no room for 2048 of the model's 16384 positions, but Q8_0 has."""
    full = opened(path)
    assert full["kv_type"] == "F16" and full["ctx"] == 16384
    rope = full["ctx"] * full["rope_dim"] * 4
    used: int = full["used"] - full["kv_bytes"] * 7 // 8 - rope
    return used


def test_a_large_cache_is_in_half_precision(tmp_path: Path) -> None:
    """Where rounding makes another half of K or V, the difference is one step of it."""
    path = models.make_tiny(tmp_path / "m.gguf", ctx=16384)
    check_logits(path, IDS, 4 * EXACT)
    info = opened(path)
    assert info["ctx"] == 16384 and info["kv_bytes"] == 2 * 2 * 2 * 16384 * 16 * 2
    ids = [1, *(260 + 7 * i % 50 for i in range(150))]
    with Engine(path) as one, Engine(path) as several:
        assert one.predict(ids, batch=1) == several.predict(ids, batch=64)


def test_a_cache_in_8_bits(tmp_path: Path) -> None:
    """Where memory is short of F16: equal to numpy but for steps of values that are halfway
    between two, and for any batch."""
    path = models.make_tiny(tmp_path / "m.gguf", ctx=16384)
    memory = short_of_memory(path)
    assert opened(path, "memory", memory)["kv_type"] == "Q8_0"
    check_logits(path, IDS, 20 * EXACT, memory)
    ids = [1, *(260 + 7 * i % 50 for i in range(150))]
    options = ("memory", str(memory))
    with Engine(path, *options) as one, Engine(path, *options) as several:
        assert one.predict(ids, batch=1) == several.predict(ids, batch=64)


def test_context_fits_memory(tmp_path: Path) -> None:
    path = models.make_tiny(tmp_path / "m.gguf", ctx=16384)
    assert opened(path)["ctx"] == 16384
    assert opened(path, "ctx", 500)["ctx"] == 500
    full = opened(path)
    rope = 16384 * 16 * 4
    fixed = full["used"] - full["kv_bytes"] - rope
    tight = opened(path, "memory", fixed + full["kv_bytes"] // 2)
    assert full["kv_type"] == tight["kv_type"] == "F16"
    assert 2048 <= tight["ctx"] < 8192 and tight["ctx"] % 32 == 0
    assert tight["used"] <= fixed + full["kv_bytes"] // 2
    tighter = opened(path, "memory", short_of_memory(path))
    assert tighter["kv_type"] == "Q8_0" and 2048 <= tighter["ctx"] < tight["ctx"]
    assert tighter["kv_bytes"] == 2 * 2 * 2 * tighter["ctx"] * (2 + 16)
    assert tighter["used"] <= fixed + full["kv_bytes"] // 8
    with pytest.raises(EngineError, match="E-MEM-01") as refused:
        opened(path, "memory", fixed + full["kv_bytes"] // 160)
    assert "for 128 tokens" in refused.value.text and "enough for 96" in refused.value.text
    for memory in (1000, 100_000, 2_000_000):
        with pytest.raises(EngineError, match="E-MEM-02"):
            opened(path, "memory", memory)


def test_small_context_models_open(tmp_path: Path) -> None:
    assert opened(models.make_tiny(tmp_path / "m.gguf", ctx=20))["ctx"] == 20
