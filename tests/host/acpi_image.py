"""Memory with ACPI tables, for acpi_host.c: as SeaBIOS makes them, and damaged (ACPI 6.5, 5.2)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

RSDP, RSDT, XSDT, MADT, OTHER = 0xF5AE0, 0x7FE1000, 0x7FE2000, 0x7FE3001, 0x7FE4000
LOCAL_APIC, IO_APIC = 0xFEE00000, 0xFEC00000
EBDA = 0x9FC00


def checked(table: bytes, size: int | None = None, at: int = 9) -> bytes:
    """The bytes with the checksum of the first `size` right, which stands at `at`."""
    rest = table[:at] + b"\0" + table[at + 1 :]
    return rest[:at] + bytes([-sum(rest[:size]) & 0xFF]) + rest[at + 1 :]


def table(signature: bytes, body: bytes, length: int | None = None) -> bytes:
    """A table with its header; length: what it says of itself."""
    size = 36 + len(body) if length is None else length
    head = struct.pack("<4sIBB6s8sI4sI", signature, size, 1, 0, b"FLUID", b"TEST", 1, b"TEST", 1)
    return checked(head + body)


def local_apic(number: int, enabled: bool = True) -> bytes:
    return struct.pack("<BBBBI", 0, 8, number, number, enabled)


def io_apic(address: int = IO_APIC, first: int = 0) -> bytes:
    return struct.pack("<BBBBII", 1, 12, 0, 0, address, first)


def override(irq: int, gsi: int, flags: int = 0, bus: int = 0) -> bytes:
    return struct.pack("<BBBBIH", 2, 10, bus, irq, gsi, flags)


def nmi(lint: int = 1, flags: int = 0, processor: int = 0xFF) -> bytes:
    return struct.pack("<BBBHB", 4, 6, processor, flags, lint)


def address_override(address: int) -> bytes:
    return struct.pack("<BBHQ", 5, 12, 0, address)


def local_x2apic(number: int) -> bytes:
    return struct.pack("<BBHIII", 9, 16, 0, number, 1, number)


USUAL = (local_apic(0), io_apic(), override(0, 2), override(9, 9, 0xD), nmi())


@dataclass
class Firmware:
    """What the BIOS left in memory. Pieces that are None are not there."""

    entries: Sequence[bytes] = USUAL
    local_apic: int = LOCAL_APIC
    revision: int = 2
    rsdp_at: int = RSDP
    madt: bytes | None = None  # another table in its place
    pieces: dict[int, bytes | None] = field(default_factory=dict)  # others at these addresses

    def memory(self) -> bytes:
        """The file that acpi_host reads."""
        head = struct.pack("<II", self.local_apic, 1)
        madt = self.madt or table(b"APIC", head + b"".join(self.entries))
        pieces: dict[int, bytes | None] = {
            self.rsdp_at: rsdp(self.revision),
            RSDT: table(b"RSDT", struct.pack("<II", OTHER, MADT)),
            XSDT: table(b"XSDT", struct.pack("<QQQ", 0, OTHER, MADT)),
            MADT: madt,
            OTHER: table(b"FACP", bytes(80)),
        }
        pieces.update(self.pieces)
        found = [(at, piece) for at, piece in pieces.items() if piece is not None]
        return b"".join(struct.pack("<QQ", at, len(piece)) + piece for at, piece in found)


def rsdp(revision: int, rsdt: int = RSDT, xsdt: int = XSDT, length: int = 36) -> bytes:
    """The root pointer; before revision 2 it has 20 bytes."""
    first = checked(struct.pack("<8sB6sBI", b"RSD PTR ", 0, b"FLUID", revision, rsdt), 20, 8)
    if revision < 2:
        return first
    return checked(first + struct.pack("<IQBBBB", length, xsdt, 0, 0, 0, 0), 36, 32)
