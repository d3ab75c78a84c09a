"""Reading a .mod file with every field checked.

Refuses what the kernel's loader refuses, with the same codes: E-MOD-01 too short or wrong magic,
02 version, 03 a field out of bounds, 04 SHA-256.
"""

import re
import struct
from pathlib import Path
from typing import Any

from fluid.errors import FluidError
from fluid.files import StrPath
from fluid.modlayout import (
    ALIGN_MAX,
    EXPORT,
    HEADER,
    IMPORT,
    MAGIC,
    MEMORY_MAX,
    POINTER_BYTES,
    RELOC,
    RELOC_BYTES,
    SECTION,
    SECTION_EXEC,
    SECTION_FLAGS,
    SECTION_NOBITS,
    SECTION_RUN,
    SECTION_WRITE,
    SECTIONS_MAX,
    SYMBOL,
    TARGET_IMPORT,
    TARGET_SECTION,
    VERSION_MAJOR,
    Module,
    Reloc,
    Section,
    Symbol,
    digest,
)

PRINTABLE = rb"[ -~]+"  # names are shown to people


def _bad(what: str, found: object) -> FluidError:
    return FluidError("E-MOD-03", f"{what} out of bounds: found {found} (file damaged? rebuild it)")


def _text(raw: bytes, what: str) -> str:
    """A NUL-padded header field."""
    text, nul, rest = raw.partition(b"\0")
    if not nul or rest.strip(b"\0") or not re.fullmatch(PRINTABLE, text):
        raise _bad(what, raw)
    return text.decode()


class _Reader:
    """Bounds-checked access to the tables of one file."""

    def __init__(self, data: bytes, string_off: int, string_size: int) -> None:
        self.data = data
        self.strings = self.bytes("strings", string_off, string_size)
        if not self.strings or self.strings[-1]:
            raise _bad("strings", "no final NUL")
        if not all(re.fullmatch(PRINTABLE, text) for text in self.strings.split(b"\0") if text):
            raise _bad("strings", "a character that is not printable ASCII")

    def bytes(self, what: str, offset: int, size: int) -> bytes:
        if offset > len(self.data) or size > len(self.data) - offset:
            raise _bad(what, f"{size} bytes at {offset} of {len(self.data)}")
        return self.data[offset : offset + size]

    def table(self, what: str, layout: struct.Struct, count: int, offset: int) -> list[Any]:
        return list(layout.iter_unpack(self.bytes(what, offset, count * layout.size)))

    def string(self, what: str, offset: int) -> str:
        if offset >= len(self.strings):
            raise _bad(what, offset)
        return self.strings[offset : self.strings.index(0, offset)].decode()


def _check_section(s: Section, pointer: int) -> None:
    what = f"section {s.name}"
    if s.flags & ~SECTION_FLAGS or (s.flags & SECTION_WRITE and s.flags & SECTION_EXEC):
        raise _bad(f"{what}: flags", s.flags)
    if not 1 <= s.align <= ALIGN_MAX or s.align & (s.align - 1):
        raise _bad(f"{what}: align", s.align)
    if len(s.data) > s.mem_size or (s.flags & SECTION_NOBITS and s.data):
        raise _bad(f"{what}: file_size", len(s.data))
    if s.flags & SECTION_RUN and (s.mem_size % pointer or s.align < pointer):
        raise _bad(f"{what}: mem_size of initialisers", s.mem_size)


def _check_place(what: str, sections: list[Section], place: Symbol) -> None:
    if place.section >= len(sections):
        raise _bad(f"{what}: section", place.section)
    if place.offset + place.size > sections[place.section].mem_size:
        raise _bad(f"{what}: offset", place.offset)


def _check_reloc(m: Module, n: int, r: Reloc) -> None:
    what = f"relocation {n}"
    if r.section >= len(m.sections) or m.sections[r.section].flags & SECTION_NOBITS:
        raise _bad(f"{what}: section", r.section)
    if r.type not in RELOC_BYTES:
        raise _bad(f"{what}: type", r.type)
    if r.offset + RELOC_BYTES[r.type] > len(m.sections[r.section].data):
        raise _bad(f"{what}: offset", r.offset)
    targets = {TARGET_SECTION: len(m.sections), TARGET_IMPORT: len(m.imports)}
    if r.target >= targets.get(r.target_kind, 0):
        raise _bad(f"{what}: target", (r.target_kind, r.target))


def unpack(data: bytes) -> Module:
    """Reads a .mod; raises FluidError E-MOD-01 .. 04 for a damaged one."""
    if len(data) < HEADER.size or struct.unpack_from("<I", data)[0] != MAGIC:
        raise FluidError(
            "E-MOD-01", f"expected a .mod file, found {len(data)} other bytes; rebuild it"
        )
    h = HEADER.unpack_from(data)
    if h[1] != VERSION_MAJOR:
        raise FluidError("E-MOD-02", f"version {VERSION_MAJOR} expected, {h[1]} found; rebuild it")
    if h[3] < HEADER.size or h[3] > len(data):
        raise _bad("header_size", h[3])
    if h[4] != len(data):
        raise _bad("file_size", f"{h[4]}, file has {len(data)}")
    if h[5] != digest(data):
        raise FluidError(
            "E-MOD-04", "SHA-256 does not match the content (file damaged? rebuild it)"
        )
    counts = dict(zip(("section", "reloc", "export", "import", "symbol"), h[12:22:2], strict=True))
    offs = dict(zip(counts, h[13:23:2], strict=True))
    reader = _Reader(data, string_off=h[23], string_size=h[22])

    def table(what: str, layout: struct.Struct) -> list[Any]:
        return reader.table(what, layout, counts[what], offs[what])

    def place(what: str, row: tuple[int, int, int, int]) -> Symbol:
        return Symbol(reader.string(f"{what} name", row[0]), *row[1:])

    sections = []
    for name, flags, align, file_off, file_size, mem_size in table("section", SECTION):
        content = reader.bytes("section content", file_off, file_size)
        sections.append(
            Section(reader.string("section name", name), flags, align, content, mem_size)
        )
    module = Module(
        name=_text(h[9], "name"),
        target=_text(h[10], "target"),
        rank=h[11],
        machine=h[7],
        cpu_bits=h[8],
        sections=sections,
        relocs=[Reloc(*row) for row in table("reloc", RELOC)],
        exports=[place("export", row) for row in table("export", EXPORT)],
        imports=[reader.string("import name", row[0]) for row in table("import", IMPORT)],
        symbols=[place("symbol", row) for row in table("symbol", SYMBOL)],
        bitcode=reader.bytes("bitcode", h[25], h[24]),
        kernel_abi=h[6],
        source=h[27],
    )
    if len(sections) > SECTIONS_MAX:
        raise _bad("section_count", len(sections))
    if sum(s.mem_size + s.align for s in sections) > MEMORY_MAX:
        raise _bad("mem_size", "more than a module may have")
    for s in sections:
        _check_section(s, POINTER_BYTES.get(module.machine, 1))
    for what, places in (("export", module.exports), ("symbol", module.symbols)):
        for p in places:
            _check_place(f"{what} {p.name}", module.sections, p)
    for n, r in enumerate(module.relocs):
        _check_reloc(module, n, r)
    return module


def read_mod(path: StrPath) -> Module:
    return unpack(Path(path).read_bytes())
