"""The kernel's function names for backtraces (layout: src/kernel/load/ksyms.h).

An entry with an empty name marks the end of the code before it, so that addresses outside of the
kernel get no name.
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elftools.common.exceptions import ELFError
from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile

from fluid.errors import FluidError
from fluid.files import StrPath, write_atomic

MAGIC = b"FSYM"
HEADER = struct.Struct("<4sI")
ENTRY = struct.Struct("<II")


@dataclass(frozen=True, order=True)
class KernelSymbol:
    address: int
    name: str


def pack(symbols: list[KernelSymbol]) -> bytes:
    offsets: dict[str, int] = {}
    names = bytearray()
    base = HEADER.size + ENTRY.size * len(symbols)
    for s in symbols:
        if s.name not in offsets:
            offsets[s.name] = base + len(names)
            names += s.name.encode() + b"\0"
    entries = [ENTRY.pack(s.address, offsets[s.name]) for s in symbols]
    return HEADER.pack(MAGIC, len(symbols)) + b"".join(entries) + bytes(names)


def unpack(data: bytes) -> list[KernelSymbol]:
    """Raises E-BOOT-20 for a damaged table."""
    damaged = FluidError(
        "E-BOOT-20", "a whole kernel symbol table expected, a damaged one found; rebuild it"
    )
    if len(data) < HEADER.size:
        raise damaged
    magic, count = HEADER.unpack_from(data)
    end = HEADER.size + count * ENTRY.size
    if magic != MAGIC or end > len(data) or (count and data[-1]):
        raise damaged
    symbols: list[KernelSymbol] = []
    for address, name in ENTRY.iter_unpack(data[HEADER.size : end]):
        if not end <= name < len(data) or (symbols and symbols[-1].address >= address):
            raise damaged
        text = data[name : data.index(0, name)]
        symbols.append(KernelSymbol(address, text.decode(errors="replace")))
    return symbols


def _code_symbols(elf: Any) -> dict[int, tuple[int, str]]:
    """address -> (preference, name); of several names for one address the best is kept."""
    code = {
        n: section["sh_addr"] + section["sh_size"]
        for n, section in enumerate(elf.iter_sections())
        if section["sh_flags"] & SH_FLAGS.SHF_EXECINSTR and section["sh_size"]
    }
    table = elf.get_section_by_name(".symtab")
    if table is None:
        raise FluidError(
            "E-BOOT-21", "kernel.elf: a symbol table expected, none found; do not strip it"
        )
    found: dict[int, tuple[int, str]] = {}
    for s in table.iter_symbols():
        kind, address = s["st_info"]["type"], s["st_value"]
        if s["st_shndx"] not in code or kind not in ("STT_FUNC", "STT_NOTYPE") or not s.name:
            continue
        if address < code[s["st_shndx"]]:
            mangled = s.name.startswith("_Z")  # llvm-libc's functions have a C name, too
            rank = (kind != "STT_FUNC") * 4 + mangled * 2 + (s["st_info"]["bind"] == "STB_LOCAL")
            found[address] = min(found.get(address, (9, "")), (rank, s.name))
    for end in code.values():
        found.setdefault(end, (9, ""))
    return found


def read_symbols(kernel_elf: StrPath) -> list[KernelSymbol]:
    """Functions and labels of the kernel's code, sorted by address."""
    try:
        with Path(kernel_elf).open("rb") as file:
            found = _code_symbols(ELFFile(file))
    except ELFError as error:
        raise FluidError(
            "E-BOOT-21",
            f"kernel: an ELF file expected, not a readable ELF found ({error}); build again",
        ) from None
    return [KernelSymbol(address, name) for address, (_, name) in sorted(found.items())]


def build_ksyms(kernel_elf: StrPath, out_path: StrPath) -> None:
    write_atomic(out_path, pack(read_symbols(kernel_elf)))
