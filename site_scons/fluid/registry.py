"""The registry: the .mod files built into an image, with an index (src/include/fluid/registry.h).

E-REG-01 too short or wrong magic, 02 version, 03 a field out of bounds, 04 SHA-256 of the index,
05 order or duplicates, 06 an entry that differs from its module, 07 modules of different machines.
"""

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from fluid.errors import FluidError
from fluid.files import StrPath, align_up, write_atomic
from fluid.modlayout import Module
from fluid.modread import unpack as unpack_mod

MAGIC = 0x47455246
VERSION = 1
MODULE_ALIGN = 64

HEADER = struct.Struct("<IIII32s")
ENTRY = struct.Struct("<32s16sQIIII")


@dataclass(frozen=True)
class Entry:
    name: str
    target: str
    cpu_bits: int
    rank: int
    offset: int
    size: int


@dataclass(frozen=True)
class Registry:
    entries: list[Entry]
    files: list[bytes]  # the .mod files, in the order of the entries

    def modules(self) -> list[Module]:
        return [unpack_mod(data) for data in self.files]


def _order(module: Module) -> tuple[str, int]:
    return module.name, -module.rank


def pack(files: Sequence[bytes]) -> bytes:
    """The registry of these .mod files, whatever their order."""
    if not files:
        raise FluidError(
            "E-REG-08",
            "a registry of at least one module expected, found none; is src/modules there?",
        )
    modules = sorted(((unpack_mod(data), data) for data in files), key=lambda pair: _order(pair[0]))
    for (a, _), (b, _) in pairwise(modules):
        if _order(a) == _order(b):
            raise FluidError(
                "E-REG-05",
                f"module {a.name}: variants {a.target} and {b.target} both have rank {a.rank}; "
                "give each its own",
            )
    if len({m.machine for m, _ in modules}) > 1:
        raise FluidError("E-REG-07", "modules of one machine expected, found 32- and 64-bit ones")
    index, content = bytearray(), bytearray()
    base = HEADER.size + ENTRY.size * len(modules)
    for m, data in modules:
        content += bytes(align_up(base + len(content), MODULE_ALIGN) - base - len(content))
        offset = base + len(content)
        index += ENTRY.pack(
            m.name.encode(), m.target.encode(), m.cpu_bits, m.rank, offset, len(data), 0
        )
        content += data
    sha = hashlib.sha256(index).digest()
    header = HEADER.pack(MAGIC, VERSION, base + len(content), len(modules), sha)
    return header + bytes(index) + bytes(content)


def unpack(data: bytes) -> Registry:
    """Reads and checks a registry and its modules; raises E-REG-nn or E-MOD-nn."""
    if len(data) < HEADER.size or struct.unpack_from("<I", data)[0] != MAGIC:
        raise FluidError(
            "E-REG-01", f"expected a registry, found {len(data)} other bytes; rebuild it"
        )
    _, version, total, count, sha = HEADER.unpack_from(data)
    if version != VERSION:
        raise FluidError("E-REG-02", f"version {VERSION} expected, {version} found; rebuild it")
    if total != len(data) or HEADER.size + count * ENTRY.size > total:
        raise FluidError(
            "E-REG-03",
            f"{len(data)} bytes and entries within them expected, {total} and {count} entries "
            "found; rebuild it",
        )
    index = data[HEADER.size : HEADER.size + count * ENTRY.size]
    if hashlib.sha256(index).digest() != sha:
        raise FluidError("E-REG-04", "SHA-256 of the index does not match (damaged? rebuild it)")
    entries: list[Entry] = []
    files: list[bytes] = []
    for name, target, cpu_bits, rank, offset, size, _ in ENTRY.iter_unpack(index):
        if offset % MODULE_ALIGN or offset + size > total:
            raise FluidError(
                "E-REG-03",
                f"entry {len(entries)}: a place within {total} bytes expected, {size} at {offset} "
                "found; rebuild it",
            )
        content = data[offset : offset + size]
        m = unpack_mod(content)
        if (name.rstrip(b"\0"), target.rstrip(b"\0")) != (m.name.encode(), m.target.encode()) or (
            (cpu_bits, rank) != (m.cpu_bits, m.rank)
        ):
            raise FluidError(
                "E-REG-06",
                f"entry {len(entries)}: what module {m.name} says expected, another name, target, "
                "CPU or rank found; rebuild it",
            )
        entries.append(Entry(m.name, m.target, cpu_bits, rank, offset, size))
        files.append(content)
    keys = [(e.name, -e.rank) for e in entries]
    if keys != sorted(set(keys)):
        raise FluidError(
            "E-REG-05", "entries sorted by name and rank expected, another order found; rebuild it"
        )
    return Registry(entries, files)


def build_registry(mod_paths: Sequence[StrPath], out_path: StrPath) -> None:
    """Writes the registry of these .mod files."""
    write_atomic(out_path, pack([Path(p).read_bytes() for p in mod_paths]))


def sizes(registry: Registry) -> str:
    """KiB by CPU tag, what most machines load first: "x86-64-v2 120 KiB, x86-64-v3 70 KiB"."""
    by_tag: dict[str, int] = {}
    for entry in sorted(registry.entries, key=lambda e: e.rank):
        by_tag[entry.target] = by_tag.get(entry.target, 0) + entry.size
    return ", ".join(f"{tag} {-(-size // 1024)} KiB" for tag, size in by_tag.items())
