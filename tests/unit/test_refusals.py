"""What the build refuses, and how: one test for each code that no other test is about."""

from __future__ import annotations

import hashlib
import importlib
import socket
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import test_bootarea
import test_modfile
import test_registry
from fluid import bootarea, fat, image, keyboard, ksyms, modfile, qmp, registry, terminal
from fluid.errors import FluidError
from fluid.manifest import SECTOR, unpack_manifest
from fluid.qmp import Qmp

ROOT = Path(__file__).resolve().parents[2]


def refused(code: str, call: Callable[..., Any], *arguments: Any) -> str:
    with pytest.raises(FluidError) as raised:
        call(*arguments)
    assert raised.value.code == code
    return raised.value.text


def test_a_damaged_part_of_the_boot_area(tmp_path: Path) -> None:
    data = bytearray(test_bootarea.build(tmp_path, test_bootarea.make_kernel(tmp_path)))
    kernel = unpack_manifest(bytes(data[SECTOR : 2 * SECTOR])).blobs[0]
    data[kernel.lba * SECTOR + 100] ^= 1
    assert "kernel" in refused("E-BOOT-05", bootarea.unpack, bytes(data))


def test_a_stripped_kernel(tmp_path: Path) -> None:
    kernel = test_bootarea.make_kernel(tmp_path)
    subprocess.run(["llvm-objcopy-19", "--strip-all", kernel], check=True, timeout=60)
    assert "strip" in refused("E-BOOT-21", ksyms.read_symbols, kernel)
    kernel.write_bytes(b"no ELF")
    refused("E-BOOT-21", ksyms.read_symbols, kernel)


def test_an_image_without_its_partition() -> None:
    layout = image.Layout(0, None, [])  # type: ignore[arg-type]
    refused("E-IMG-03", layout.fat16)


def test_a_damaged_registry() -> None:
    data = bytearray(test_registry.packed())
    refused("E-REG-01", registry.unpack, b"FREG"[:3])
    refused("E-REG-01", registry.unpack, b"X" + bytes(data[1:]))
    other = bytes(data[:4]) + struct.pack("<I", 7) + bytes(data[8:])
    refused("E-REG-02", registry.unpack, other)
    data[registry.HEADER.size] ^= 1
    refused("E-REG-04", registry.unpack, bytes(data))
    data[16:48] = hashlib.sha256(b"").digest()
    refused("E-REG-04", registry.unpack, bytes(data))


def test_a_reference_to_what_is_not_loaded(tmp_path: Path) -> None:
    source = (
        'static const char note[] __attribute__((section(".comment.x"), used)) = "x";\n'
        + test_modfile.EXPORT
        + " const char *f(void) { return note; }\n"
    )
    test_modfile.refused(tmp_path, "E-MOD-24", source)


def test_a_module_that_reads_back_different(monkeypatch: pytest.MonkeyPatch) -> None:
    """The writer checks itself; here the reader is wrong."""
    monkeypatch.setattr(modfile, "unpack", lambda data: None)
    refused("E-MOD-27", modfile.pack, test_registry.MODULES[0])


def test_programs_for_the_partition(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = tmp_path / "model"
    model.write_bytes(b"GGUF")
    files = [(model, "MODEL.GGUF")]
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "dosfstools" in refused("E-FAT-51", fat.build_fat_partition, files, tmp_path / "o")
    failing = tmp_path / "mkfs.vfat"
    failing.write_text("#!/bin/sh\necho no space >&2\nexit 1\n")
    failing.chmod(0o755)
    assert "no space" in refused("E-FAT-51", fat.build_fat_partition, files, tmp_path / "o")


def test_qmp_that_fails_or_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qmp, "QMP_SECONDS", 0.2)
    near, far = socket.socketpair()
    with near, far:
        far.sendall(b'{"QMP": {}}\n{"return": {}}\n{"error": {"desc": "no such command"}}\n')
        assert "no such command" in refused("E-RUN-08", Qmp(near).execute, "nonsense")
        refused("E-RUN-09", Qmp(near).execute, "query-status")


def test_keys_that_are_not_there_or_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "'ü'" in refused("E-RUN-13", keyboard.chord, "ü")
    monkeypatch.setattr(qmp, "QMP_SECONDS", -1.0)
    monkeypatch.setattr(Qmp, "_keyboard_status", lambda self: qmp.KEYBOARD_OUTPUT_FULL)
    near, far = socket.socketpair()
    with near, far:
        refused("E-RUN-16", Qmp(near).press, "a")


def test_a_pipe_to_a_machine_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "SILENCE_SECONDS", -1.0)
    near, far = socket.socketpair()
    with near, far:
        silent = SimpleNamespace(
            running=True, unsent=False, fileno=near.fileno, events=[], bells=()
        )
        display = SimpleNamespace(update=lambda: False)
        far.send(b"x")  # poll() returns at once
        refused("E-RUN-11", terminal.from_pipe, silent, iter([b"hello\n"]), display)


def test_a_build_without_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "site_scons" / "site_tools")
    fluid_image = importlib.import_module("fluid_image")

    assert "model=FILE" in refused("E-OPT-04", fluid_image._no_model_step, [], [], None)
