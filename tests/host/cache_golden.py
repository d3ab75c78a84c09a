"""Makes the images of tests/host/cache_golden: one of each version of the cache's layout, as a
partition of 64 sectors, compressed. That of a version is never made anew once there are caches of
it; the next version's is added.

    PYTHONPATH=site_scons:tests/host python tests/host/cache_golden.py
"""

from __future__ import annotations

import zlib
from pathlib import Path

from cache_crash import key
from fluid.cachedisk import MemoryDisk
from fluid.cachefile import Cache
from fluid.cachelayout import (
    ARENA_LBA,
    NO_LINK,
    SECTOR,
    SUPERBLOCKS,
    Record,
    Superblock,
    Type,
    link_to,
    pack_record,
    pack_superblock,
    padded,
    payload_sectors,
    sha256,
)

FOLDER = Path(__file__).parent / "cache_golden"
SECTORS = 64
EPOCH = 0x0123456789ABCDEF


def current() -> bytes:
    """What version 1.0 writes: three entries, one of them replaced, a touch, one in quarantine."""
    disk = MemoryDisk(bytes(SECTORS * SECTOR))
    cache = Cache(disk, lambda: EPOCH)
    for number in (1, 2, 1):
        cache.put(number, key(number), bytes(range(number, 200)), 10 * number)
    cache.quarantine(3, key(3))
    cache.note(2, key(2), 99)
    cache.sync()
    return bytes(disk.data)


def record(at: int, link: bytes, number: int, minor: int = 0, kind_of: int = Type.PUT) -> bytes:
    """An entry as a later minor version might write it."""
    data = bytes([number]) * (100 * number)
    header = pack_record(
        Record(
            *(1, minor, kind_of, 1, len(data), at, EPOCH, 1, 1, number, link, key(number)),
            sha256(padded(data)),
        )
    )
    return header + padded(data)


def versions(major: int, minor: int, records: list[tuple[int, int, int]]) -> bytes:
    """Superblocks of a version, and records of (number, minor version, type)."""
    image = bytearray(SECTORS * SECTOR)
    for generation, lba in enumerate(SUPERBLOCKS, 1):
        s = Superblock(0, generation, EPOCH, 1, SECTORS, lba, major, minor)
        image[lba * SECTOR : (lba + 1) * SECTOR] = pack_superblock(s)
    at, link = ARENA_LBA, NO_LINK
    for number, its_minor, kind_of in records:
        data = record(at, link, number, its_minor, kind_of)
        image[at * SECTOR : at * SECTOR + len(data)] = data
        at, link = at + 1 + payload_sectors(100 * number), link_to(data[:SECTOR])
    return bytes(image)


def all_images() -> dict[str, bytes]:
    """By version."""
    records = [(1, 0, 1), (2, 1, 1), (3, 0, 1), (4, 1, 9), (5, 0, 9), (6, 0, 1)]
    return {
        "1.0": current(),
        "1.1": versions(1, 1, records),
        "2.0": versions(2, 0, records),
    }


def load(version: str) -> bytes:
    return zlib.decompress((FOLDER / f"{version}.z").read_bytes())


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for version, image in all_images().items():
        (FOLDER / f"{version}.z").write_bytes(zlib.compress(image, 9))
