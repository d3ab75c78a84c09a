"""Every field of a .mod, set to a wrong value under a valid hash: the kernel's loader names it and
Python's reader refuses it too."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

import pytest

from fluid import modfile, modlayout
from fluid.errors import FluidError
from fluid.modlayout import Module, Reloc, Section, Symbol
from fluid.modread import unpack
from test_module_loader import BASE, build_loader

MAX = 0xFFFFFFFF
TABLES = {"section": 24, "reloc": 24, "export": 16, "import": 4, "symbol": 16}
_PAIRS = [*((f"{t}_count", f"{t}_off") for t in TABLES), ("string_size", "string_off")]
_FIELDS = [name for pair in [*_PAIRS, ("bitcode_size", "bitcode_off")] for name in pair]
HEADER_FIELDS = {name: 116 + 4 * n for n, name in enumerate(_FIELDS)}  # offsets


def module() -> Module:
    """Four sections (code, data, zeroed data, initialisers), one record in each other table."""
    return Module(
        name="fields",
        target="x86-64",
        rank=0,
        machine=modlayout.MACHINE_X86_64,
        cpu_bits=0,
        sections=[
            Section(".text", modlayout.SECTION_EXEC, 16, b"\xc3" * 64, 64),
            Section(".data", modlayout.SECTION_WRITE, 8, bytes(64), 64),
            Section(".bss", modlayout.SECTION_WRITE | modlayout.SECTION_NOBITS, 8, b"", 64),
            Section(".init_array", modlayout.SECTION_INIT, 8, bytes(8), 8),
        ],
        relocs=[Reloc(3, 0, modlayout.RELOC_ABS64, modlayout.TARGET_SECTION, 0, 0)],
        exports=[Symbol("entry", 0, 0, 16)],
        imports=["fluid_alloc"],
        symbols=[Symbol("entry", 0, 0, 16)],
    )


def header(name: str) -> int:
    return HEADER_FIELDS[name]


def field(data: bytes, table: str, row: int, offset: int) -> int:
    """Place in the file of a field, by table, row and offset in the record."""
    start = struct.unpack_from("<I", data, HEADER_FIELDS[f"{table}_off"])[0]
    return int(start) + row * TABLES[table] + offset


GOOD = modfile.pack(module())
STRING_END = (
    struct.unpack_from("<I", GOOD, header("string_off"))[0]
    + struct.unpack_from("<I", GOOD, header("string_size"))[0]
    - 1
)


def u32(value: int) -> bytes:
    return struct.pack("<I", value)


# place, wrong value, what the loader calls the field
CASES: list[tuple[int, bytes, str]] = [
    (8, u32(modlayout.HEADER.size - 1), "field header_size"),
    (8, u32(len(GOOD) + 1), "field header_size"),
    (12, u32(len(GOOD) - 1), "field file_size"),
    (12, u32(MAX), "field file_size"),
    (64, bytes(32), "field name"),
    (64, b"x" * 32, "field name"),
    (96, bytes(16), "field target"),
    (96, b"x" * 16, "field target"),
    *((header(f"{t}_count"), u32(MAX), f"field {t}_count") for t in TABLES),
    *(
        (header(f"{t}_count"), u32((1 << 32) // n + 1), f"field {t}_count")
        for t, n in TABLES.items()
    ),
    *((header(f"{t}_off"), u32(len(GOOD)), f"field {t}_count") for t in TABLES),
    *((header(f"{t}_off"), u32(MAX - 3), f"field {t}_count") for t in TABLES),
    (header("string_size"), u32(0), "field string_size"),
    (header("string_size"), u32(MAX), "field string_size"),
    (header("string_off"), u32(MAX), "field string_size"),
    (STRING_END, b"x", "field string_size"),
    (STRING_END - 1, b"\x1b", "field character"),  # for terminals
    (STRING_END - 1, b"\x80", "field character"),
    (64, b"\x1b", "field name"),
    (96, b"\xc3", "field target"),
    (header("bitcode_size"), u32(MAX), "field bitcode_size"),
    (field(GOOD, "section", 0, 0), u32(MAX), "section 0: field name"),
    (field(GOOD, "section", 1, 4), u32(3), "section 1: field flags"),
    (field(GOOD, "section", 1, 4), u32(32), "section 1: field flags"),
    (field(GOOD, "section", 1, 4), u32(5), "section 1: field file_size"),
    (field(GOOD, "section", 1, 8), u32(0), "section 1: field align"),
    (field(GOOD, "section", 1, 8), u32(24), "section 1: field align"),
    (field(GOOD, "section", 1, 8), u32(8192), "section 1: field align"),
    (field(GOOD, "section", 1, 12), u32(len(GOOD) - 63), "section 1: field file_off"),
    (field(GOOD, "section", 1, 12), u32(MAX - 31), "section 1: field file_off"),
    (field(GOOD, "section", 1, 16), u32(65), "section 1: field file_size"),
    (field(GOOD, "section", 1, 16), u32(MAX), "section 1: field file_off"),
    (field(GOOD, "section", 1, 20), u32(63), "section 1: field file_size"),
    (field(GOOD, "section", 2, 20), u32(MAX), "section 2: field mem_size"),
    (field(GOOD, "section", 2, 20), u32(modlayout.MEMORY_MAX), "section 2: field mem_size"),
    (field(GOOD, "section", 3, 20), u32(12), "section 3: field mem_size of initialisers"),
    (field(GOOD, "section", 3, 8), u32(4), "section 3: field mem_size of initialisers"),
    (field(GOOD, "reloc", 0, 0), u32(4), "relocation 0: field section"),
    (field(GOOD, "reloc", 0, 0), u32(2), "relocation 0: field offset"),
    (field(GOOD, "reloc", 0, 4), u32(1), "relocation 0: field offset"),
    (field(GOOD, "reloc", 0, 4), u32(MAX - 3), "relocation 0: field offset"),
    (field(GOOD, "reloc", 0, 8), b"\x00", "relocation 0: field type"),
    (field(GOOD, "reloc", 0, 8), b"\x06", "relocation 0: field type"),
    (field(GOOD, "reloc", 0, 10), b"\x02", "relocation 0: field target"),
    (field(GOOD, "reloc", 0, 12), u32(4), "relocation 0: field target"),
    *(
        case
        for table in ("export", "symbol")
        for case in (
            (field(GOOD, table, 0, 0), u32(MAX), f"{table} 0: field name"),
            (field(GOOD, table, 0, 4), u32(4), f"{table} 0: field section"),
            (field(GOOD, table, 0, 8), u32(49), f"{table} 0: field offset"),
            (field(GOOD, table, 0, 8), u32(MAX - 15), f"{table} 0: field offset"),
            (field(GOOD, table, 0, 12), u32(65), f"{table} 0: field offset"),
        )
    ),
    (field(GOOD, "import", 0, 0), u32(MAX), "import 0: field name"),
]


@pytest.fixture(scope="module")
def loader() -> Path:
    return build_loader("x86_64")


def load(loader: Path, data: bytes, folder: Path) -> str:
    (folder / "m.mod").write_bytes(data)
    command = [str(loader), "load", str(folder / "m.mod"), str(BASE)]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


def test_the_module_itself_is_good(loader: Path, tmp_path: Path) -> None:
    assert load(loader, GOOD, tmp_path) == "ok fields x86-64\n"


@pytest.mark.parametrize(("place", "value", "expected"), CASES)
def test_wrong_field(loader: Path, tmp_path: Path, place: int, value: bytes, expected: str) -> None:
    data = GOOD[:place] + value + GOOD[place + len(value) :]
    sha = slice(modlayout.SHA_OFFSET, modlayout.SHA_OFFSET + modlayout.SHA_SIZE)
    data = data[: sha.start] + modlayout.digest(data) + data[sha.stop :]
    answer = load(loader, data, tmp_path)
    assert answer.startswith("E-MOD-03 ") and f"{expected} is out of bounds" in answer
    with pytest.raises(FluidError, match="E-MOD-03"):
        unpack(data)
