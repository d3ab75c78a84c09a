"""Synthetic models of every type in the engine: they open, their vocabulary is complete, and the
logits are those of the weights."""

from pathlib import Path

import numpy as np
import pytest

from engine_driver import Engine
from fluid.synthetic import write_synthetic
from fluid.synthetic_shapes import TYPES
from numpy_llama import NumpyLlama
from test_engine import QUANTISED, all_logits

IDS = [1, 300, 17, 259, 511, 42]


@pytest.mark.parametrize("kind", TYPES)
def test_logits(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "m.gguf"
    write_synthetic(path, "tiny", kind, lambda step: None)
    with Engine(path) as engine:
        found = all_logits(engine, IDS)
    assert np.isfinite(found).all()
    assert found.std() > 0.1
    assert np.abs(found - NumpyLlama(path).logits(IDS)).max() < QUANTISED


@pytest.mark.parametrize("text", ["hello world", "Grüße, 你好\n\t\\"])
def test_text_comes_back(tmp_path: Path, text: str) -> None:
    """By pieces, and by bytes where there is none."""
    path = tmp_path / "m.gguf"
    write_synthetic(path, "tiny", "Q4_0", lambda step: None)
    with Engine(path) as engine:
        ids = engine.tokenize(text.encode())
        assert engine.detokenize(ids).removeprefix(b" ") == text.encode()
