"""What the cache partition consists of: numbers, record layouts, checksums, and where things lie.

The same layout in C: src/include/fluid/cache.h; tests/unit/test_layouts.py compares them. LBAs
count from the start of the partition, so that it may be moved or copied. The checksum of a
superblock or record header is SHA-256 over the bytes before it: the kernel has SHA-256 anyway, the
sector has room for all of it, and a sector of arbitrary payload never passes for a header.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import astuple, dataclass
from enum import IntEnum

SECTOR = 512
PARTITION_TYPE = 0x7F  # of the MBR: for private use, which no other system touches
MAGIC = b"FLUCACHE"
RECORD_MAGIC = 0x43455246  # "FREC"
VERSION_MAJOR = 1
VERSION_MINOR = 0
SUPERBLOCKS = (0, 8)  # LBAs: never in one 4 KiB sector of the medium
ARENA_LBA = 16
ARENA_ALIGN = 8
SECTORS_MIN = 64
SECTORS_MAX = 1 << 22  # 2 GiB; what lies behind is not used
GENERATION_MAX = 1 << 48
CLOCK_MAX = 1 << 48
ENTRIES_MAX = 512
QUARANTINE_MAX = 64
TOUCH_BYTES_MAX = 64 * SECTOR  # payload of one record: more than ENTRIES_MAX touches
HEAT_BOOTS = 4  # an entry's benefit counts half for every so many boots without use
KEY_SIZE = 32
LINK_SIZE = 16
SHA_SIZE = 32

SUPERBLOCK = struct.Struct("<8sHHIQQQQQ424s32s")
RECORD = struct.Struct("<IHHHHIQQQQQ16s32s32s344s32s")
TOUCH = struct.Struct("<QQQ")
ZERO_SECTOR = bytes(SECTOR)
NO_LINK = bytes(LINK_SIZE)


class Type(IntEnum):
    """Of a record."""

    PUT = 1
    TOUCH = 2
    DELETE = 3
    QUARANTINE = 4


@dataclass(frozen=True)
class Superblock:
    """Which arena is in use; fields as in struct cache_superblock."""

    arena: int
    generation: int
    epoch: int
    life: int
    sectors: int
    lba: int
    version_major: int = VERSION_MAJOR
    version_minor: int = VERSION_MINOR


@dataclass(frozen=True)
class Record:
    """A record's header; fields as in struct cache_record."""

    version_major: int
    version_minor: int
    type: int
    kind: int
    payload_size: int
    lba: int
    epoch: int
    life: int
    last_use: int
    benefit: int
    link: bytes
    key: bytes
    payload_sha256: bytes


@dataclass(frozen=True)
class Geometry:
    """Where the arenas of a partition lie, in sectors."""

    sectors: int
    arena_sectors: int

    def start(self, arena: int) -> int:
        return ARENA_LBA + arena * self.arena_sectors

    def end(self, arena: int) -> int:
        return self.start(arena) + self.arena_sectors

    def record_max(self) -> int:
        """Sectors of the largest record: what compaction keeps leaves room for it."""
        return self.arena_sectors // 2


def geometry(sectors: int) -> Geometry | None:
    """None: too small for a cache."""
    if sectors < SECTORS_MIN:
        return None
    used = min(sectors, SECTORS_MAX)
    return Geometry(used, (used - ARENA_LBA) // 2 // ARENA_ALIGN * ARENA_ALIGN)


def payload_sectors(size: int) -> int:
    return (size + SECTOR - 1) // SECTOR


def padded(payload: bytes) -> bytes:
    return payload.ljust(payload_sectors(len(payload)) * SECTOR, b"\0")


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _sealed(packed: bytes) -> bytes:
    return packed[:-SHA_SIZE] + sha256(packed[:-SHA_SIZE])


def _intact(sector: bytes) -> bool:
    return sha256(sector[:-SHA_SIZE]) == sector[-SHA_SIZE:]


def pack_superblock(s: Superblock) -> bytes:
    """One sector."""
    fields = (s.arena, s.generation, s.epoch, s.life, s.sectors, s.lba)
    return _sealed(SUPERBLOCK.pack(MAGIC, s.version_major, s.version_minor, *fields, b"", b""))


def unpack_superblock(sector: bytes) -> Superblock | None:
    """None: it is not one, or damaged. Of an unknown major version only version and generation
    mean something; they stay where they are in all versions, as do magic and checksum."""
    if sector[: len(MAGIC)] != MAGIC or not _intact(sector):
        return None
    _, major, minor, arena, generation, epoch, life, sectors, lba, _, _ = SUPERBLOCK.unpack(sector)
    found = Superblock(arena, generation, epoch, life, sectors, lba, major, minor)
    return found if found.generation <= GENERATION_MAX else None


def usable(s: Superblock, lba: int, sectors: int) -> bool:
    """Whether a superblock of our major version, found at lba, describes this partition."""
    place = s.arena <= 1 and s.sectors == sectors and s.lba == lba
    return place and 0 < s.life <= s.generation


def pack_record(r: Record) -> bytes:
    """One sector."""
    return _sealed(RECORD.pack(RECORD_MAGIC, *astuple(r), b"", b""))


def unpack_record(sector: bytes) -> Record | None:
    """None: it is not a record's header, or damaged."""
    magic, *fields, _, _ = RECORD.unpack(sector)
    if magic != RECORD_MAGIC or not _intact(sector):
        return None
    return Record(*fields)


def link_to(header: bytes) -> bytes:
    """What the next record says of the one with this header."""
    return header[-SHA_SIZE:][:LINK_SIZE]
