"""What several unit tests need."""

import sys
from pathlib import Path

import pytest

import test_bootarea
from cache_images import filled, with_cache
from fluid import fat, image

FOLDER = Path(__file__).parent


def _program(path: Path, script: str) -> str:
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{FOLDER / script}" "$@"\n')
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def emulator(tmp_path: Path) -> str:
    """A program that stands in for QEMU."""
    return _program(tmp_path / "fake-qemu", "fake_guest.py")


@pytest.fixture
def compiler(tmp_path: Path) -> str:
    """One that stands in for QEMU or fluid-host with jit.elf."""
    return _program(tmp_path / "fake-machine", "fake_compiler.py")


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """An image whose cache has entries."""
    test_bootarea.build(tmp_path, test_bootarea.make_kernel(tmp_path), b"registry")
    (tmp_path / "model").write_bytes(bytes(5000))
    fat.build_fat_partition([(tmp_path / "model", "MODEL.GGUF")], tmp_path / "fat.img")
    image.build_image(tmp_path / "boot.bin", tmp_path / "fat.img", tmp_path / "plain.img")
    return with_cache(tmp_path / "plain.img", tmp_path / "fluid.img", filled())
