"""What several unit tests need."""

import sys
from pathlib import Path

import pytest

FAKE = Path(__file__).with_name("fake_guest.py")


@pytest.fixture
def emulator(tmp_path: Path) -> str:
    """A program that stands in for QEMU."""
    path = tmp_path / "fake-qemu"
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{FAKE}" "$@"\n')
    path.chmod(0o755)
    return str(path)
