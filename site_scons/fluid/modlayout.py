"""What a .mod file consists of: numbers, record layouts and dataclasses.

The same layout in C: src/include/fluid/module.h; tests/unit/test_layouts.py compares them.
"""

import hashlib
import re
import struct
from dataclasses import dataclass

from fluid.errors import FluidError

MAGIC = 0x444F4D46
VERSION_MAJOR = 1
VERSION_MINOR = 2
KERNEL_ABI = 11
NAME_SIZE = 32
TARGET_SIZE = 16
SOURCE_SIZE = 16
MACHINE_I386 = 3
MACHINE_X86_64 = 62

SECTION_WRITE = 1
SECTION_EXEC = 2
SECTION_NOBITS = 4
SECTION_INIT = 8
SECTION_FINI = 16
SECTION_RUN = SECTION_INIT | SECTION_FINI  # arrays of functions that the loader calls
SECTION_FLAGS = 31
ALIGN_MAX = 4096
SECTIONS_MAX = 4096
MEMORY_MAX = 512 << 20  # of all sections, padding included
POINTER_BYTES = {MACHINE_I386: 4, MACHINE_X86_64: 8}

RELOC_ABS64 = 1
RELOC_ABS32 = 2
RELOC_ABS32S = 3
RELOC_PC32 = 4
RELOC_PC64 = 5
RELOC_BYTES = {RELOC_ABS64: 8, RELOC_ABS32: 4, RELOC_ABS32S: 4, RELOC_PC32: 4, RELOC_PC64: 8}

TARGET_SECTION = 0
TARGET_IMPORT = 1

HEADER = struct.Struct("<IHHII32sIIQ32s16sIIIIIIIIIIIIIIII16s")
SECTION = struct.Struct("<IIIIII")
RELOC = struct.Struct("<IIHHIq")
EXPORT = struct.Struct("<IIII")
IMPORT = struct.Struct("<I")
SYMBOL = struct.Struct("<IIII")
SHA_OFFSET = 16  # of mod_header.sha256
SHA_SIZE = 32

NAME_RE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


@dataclass(frozen=True)
class Section:
    name: str
    flags: int
    align: int
    data: bytes
    mem_size: int


@dataclass(frozen=True)
class Reloc:
    section: int
    offset: int
    type: int
    target_kind: int
    target: int
    addend: int


@dataclass(frozen=True)
class Symbol:
    """A place with a name: an export or a function."""

    name: str
    section: int
    offset: int
    size: int


@dataclass(frozen=True)
class Module:
    name: str
    target: str
    rank: int
    machine: int
    cpu_bits: int
    sections: list[Section]
    relocs: list[Reloc]
    exports: list[Symbol]
    imports: list[str]
    symbols: list[Symbol]
    bitcode: bytes = b""
    kernel_abi: int = KERNEL_ABI
    source: bytes = bytes(SOURCE_SIZE)


def check_name(what: str, text: str, size: int) -> None:
    """E-MOD-26 unless `text` fits a NUL-terminated field of `size` bytes."""
    if not NAME_RE.fullmatch(text) or len(text) >= size:
        raise FluidError(
            "E-MOD-26",
            f"{what} '{text}': expected 1..{size - 1} letters, digits, '_', '.' or '-'; rename it",
        )


def digest(data: bytes) -> bytes:
    """SHA-256 of a .mod with its sha256 field taken as zero."""
    blank = data[:SHA_OFFSET] + bytes(SHA_SIZE) + data[SHA_OFFSET + SHA_SIZE :]
    return hashlib.sha256(blank).digest()
