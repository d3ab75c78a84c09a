"""Exported counters as LLVM's raw profile, for 32 and 64 bits."""

from __future__ import annotations

import base64
import struct
import subprocess
from pathlib import Path

import lief
import pytest

from fluid.errors import FluidError
from fluid.event_types import ProfRaw
from fluid.profraw import MACHINES, pack, write_profdata

SOURCE = "int chosen(int x) {\n    return x > 3 ? x * 5 : 2;\n}\n"
TRIPLES = {32: "i686-unknown-none-elf", 64: "x86_64-unknown-none-elf"}
COUNTER_POINTER = 16  # offset in a function's record


def export(tmp_path: Path, bits: int, counts: tuple[int, int]) -> ProfRaw:
    """What the machine tells of SOURCE: sections as the compiler makes them, with these counts."""
    source, obj = tmp_path / "chosen.c", tmp_path / "chosen.o"
    source.write_text(SOURCE)
    flags = [f"--target={TRIPLES[bits]}", "-O0", "-ffreestanding", "-fprofile-instr-generate"]
    subprocess.run(["clang-19", *flags, "-c", source, "-o", obj], check=True, cwd=tmp_path)
    parsed = lief.ELF.parse(str(obj))
    assert parsed is not None
    parts = {str(s.name): bytes(s.content) for s in parsed.sections}
    data = bytearray(parts["__llvm_prf_data"])
    counters = struct.pack("<2Q", *counts)
    counters_at = 4096
    form = "<Q" if bits == 64 else "<I"
    struct.pack_into(form, data, COUNTER_POINTER, counters_at)  # relative to the record
    return ProfRaw(
        module="chosen",
        target="test",
        counters_at=counters_at,
        names_at=1 << 20,
        functions=base64.b64encode(bytes(data)).decode(),
        counters=base64.b64encode(counters).decode(),
        names=base64.b64encode(parts["__llvm_prf_names"]).decode(),
    )


@pytest.mark.parametrize("bits", [32, 64])
def test_counts_arrive_at_the_compiler(tmp_path: Path, bits: int) -> None:
    """llvm-profdata reads the counts, and clang knows the function by them."""
    path = tmp_path / "chosen.profdata"
    write_profdata(export(tmp_path, bits, (1000, 7)), bits, path)
    show = ["llvm-profdata-19", "show", "--all-functions", "--counts", str(path)]
    text = subprocess.run(show, check=True, capture_output=True, text=True).stdout
    assert "Function count: 1000" in text and "Block counts: [7]" in text
    use = [f"-fprofile-instr-use={path}", "-Werror", "-O1", "-S", "-emit-llvm", "-o", "-"]
    command = ["clang-19", f"--target={TRIPLES[bits]}", *use, str(tmp_path / "chosen.c")]
    code = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert '!{!"function_entry_count", i64 1000}' in code
    assert '!{!"branch_weights", i32 8, i32 994}' in code


def test_nothing_counted(tmp_path: Path) -> None:
    with pytest.raises(FluidError, match=r"E-PGO-02 module chosen: .* found 2 that are zero"):
        pack(export(tmp_path, 64, (0, 0)), 64)


@pytest.mark.parametrize("field", ["functions", "counters", "names"])
def test_damaged_export(tmp_path: Path, field: str) -> None:
    """Sections that are cut off or absent are no profile."""
    whole = export(tmp_path, 64, (1, 1))
    cut = base64.b64encode(base64.b64decode(getattr(whole, field))[:-1]).decode()
    damaged = ProfRaw(**{**vars(whole), field: "" if field == "names" else cut})
    with pytest.raises(FluidError, match="E-PGO-01 module chosen"):
        pack(damaged, 64)


def test_distances_wrap_around(tmp_path: Path) -> None:
    """Counters may lie in front of the records."""
    whole = export(tmp_path, 64, (1, 1))
    before = ProfRaw(**{**vars(whole), "counters_at": 2**64 - 16})
    negative = ProfRaw(**{**vars(whole), "counters_at": -16})
    assert pack(before, 64) == pack(negative, 64)


def test_sections_that_are_no_base64(tmp_path: Path) -> None:
    broken = ProfRaw(**{**vars(export(tmp_path, 64, (1, 1))), "names": "ab=c"})
    with pytest.raises(FluidError, match="E-PGO-01 module chosen: sections in base64"):
        pack(broken, 64)


def test_llvm_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it says is told, and no file is left."""
    monkeypatch.setattr(MACHINES[64], "magic", 1)
    path = tmp_path / "chosen.profdata"
    with pytest.raises(FluidError, match="E-PGO-03 module chosen"):
        write_profdata(export(tmp_path, 64, (1, 1)), 64, path)
    assert not path.exists()
