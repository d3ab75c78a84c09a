"""The registry: order, offsets, and every damage refused with its code."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import replace
from pathlib import Path

import pytest

from fluid import modfile, modlayout, registry
from fluid.errors import FluidError
from fluid.modlayout import Module, Section, Symbol

TEXT = Section(".text", modlayout.SECTION_EXEC, 16, b"\xc3" * 16, 16)


def module(name: str, target: str, rank: int, cpu_bits: int = 3) -> Module:
    return Module(
        name=name,
        target=target,
        rank=rank,
        machine=modlayout.MACHINE_X86_64,
        cpu_bits=cpu_bits,
        sections=[TEXT],
        relocs=[],
        exports=[Symbol(f"{name}_entry", 0, 0, 16)],
        imports=[],
        symbols=[],
    )


MODULES = [module("b", "x86-64", 0), module("a", "x86-64", 0), module("b", "x86-64-v2", 1, 255)]


def packed() -> bytes:
    return registry.pack([modfile.pack(m) for m in MODULES])


def test_sorted_by_name_then_best_first(tmp_path: Path) -> None:
    paths = []
    for n, m in enumerate(MODULES):
        paths.append(tmp_path / f"{n}.mod")
        paths[-1].write_bytes(modfile.pack(m))
    registry.build_registry(paths, tmp_path / "registry.bin")
    data = (tmp_path / "registry.bin").read_bytes()
    assert data == packed() == registry.pack([modfile.pack(m) for m in reversed(MODULES)])
    found = registry.unpack(data)
    assert [(e.name, e.target, e.rank, e.cpu_bits) for e in found.entries] == [
        ("a", "x86-64", 0, 3),
        ("b", "x86-64-v2", 1, 255),
        ("b", "x86-64", 0, 3),
    ]
    assert all(e.offset % 64 == 0 for e in found.entries)
    assert found.modules() == [MODULES[1], MODULES[2], MODULES[0]]


def test_a_registry_without_modules_is_refused() -> None:
    with pytest.raises(FluidError, match="E-REG-08"):
        registry.pack([])


def test_what_cannot_be_chosen_between_is_refused() -> None:
    same = [modfile.pack(module("a", t, 0)) for t in ("x86-64", "x86-64-v2")]
    with pytest.raises(FluidError, match="E-REG-05 module a: variants x86-64 and x86-64-v2"):
        registry.pack(same)
    other = replace(MODULES[0], machine=modlayout.MACHINE_I386, name="c")
    with pytest.raises(FluidError, match="E-REG-07"):
        registry.pack([modfile.pack(MODULES[0]), modfile.pack(other)])


def refuse(data: bytes, codes: str) -> None:
    with pytest.raises(FluidError, match=codes):
        registry.unpack(data)


def test_every_damage_is_refused() -> None:
    data = packed()
    for size in range(0, len(data), 61):
        refuse(data[:size], "E-REG-0[1-4]")
    end = registry.HEADER.size + 3 * registry.ENTRY.size
    for at in range(end):
        refuse(data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :], "E-REG-0[1-4]")
    for e in registry.unpack(data).entries:
        at = e.offset + e.size // 2
        refuse(data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :], "E-MOD-0[34]")


def test_wrong_index_under_a_valid_hash() -> None:
    data = packed()
    start, end = registry.HEADER.size, registry.HEADER.size + 3 * registry.ENTRY.size
    size = registry.ENTRY.size
    swapped = data[start + size : start + 2 * size] + data[start : start + size]
    cases = [
        (struct.pack("<I", 0xFFFFFFC0), start + 60, "E-REG-03"),
        (struct.pack("<I", 65), start + 60, "E-REG-03"),
        (b"z", start, "E-REG-06"),
        (struct.pack("<I", 9), start + 56, "E-REG-06"),
        (swapped, start, "E-REG-05"),
    ]
    for patch, at, code in cases:
        bad = bytearray(data)
        bad[at : at + len(patch)] = patch
        bad[16:48] = hashlib.sha256(bad[start:end]).digest()
        refuse(bytes(bad), code)
