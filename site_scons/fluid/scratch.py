"""Scratch disks: what `/selftest disk` may overwrite, and what it leaves behind.

The first sector says that a disk may be overwritten and holds what the test is to do; C side:
src/include/fluid/scratch.h. `Expected` follows the test's operations without a machine
(src/kernel/selftest/scratch.c).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum

SECTOR = 512
MAGIC = b"FLUID-SCRATCH-1\0"
HIGH = 1  # flags: a buffer above 4 GiB
HEADER = struct.Struct("<16sQIII476s")
COUNT_MAX, COUNT_MEDIUM, COUNT_SMALL = 3000, 300, 16
MASK = 0xFFFFFFFF


class Kind(IntEnum):
    """Of an operation; numbers as in enum scratch_kind."""

    FLUSH = 0
    READ = 1
    WRITE = 2


@dataclass(frozen=True)
class Operation:
    """One operation: count sectors from lba on; none of a flush."""

    kind: Kind
    lba: int = 0
    count: int = 0
    offset: int = 0  # of the buffer, bytes


def header(sectors: int, seed: int, operations: int, flags: int = 0) -> bytes:
    """The first sector of a scratch disk of so many sectors."""
    return HEADER.pack(MAGIC, sectors, seed, operations, flags, b"")


def content(lba: int, version: int, seed: int) -> bytes:
    """The 512 bytes that operation `version` writes to a sector; version 0: what was there."""
    first = (lba * 2654435761 & MASK) ^ (version * 2246822519 & MASK) ^ seed
    return struct.pack("<128I", *((first + i * 0x9E3779B1) & MASK for i in range(128)))


def operations(seed: int, sectors: int, count: int) -> Iterator[Operation]:
    """What the test does, in order."""
    state = seed

    def random() -> int:
        nonlocal state
        state = (state * 1664525 + 1013904223) & MASK
        return state >> 8

    for _ in range(count):
        kind, size = random() % 16, random() % 64
        if kind == 0:
            yield Operation(Kind.FLUSH)
            continue
        limit = COUNT_MAX if size == 0 else COUNT_MEDIUM if size < 9 else COUNT_SMALL
        wanted = 1 + random() % limit
        lba = 1 + random() % (sectors - 1)
        offset = random() % 2048 * 2
        direction = Kind.READ if kind < 8 else Kind.WRITE
        yield Operation(direction, lba, min(wanted, sectors - lba), offset)


@dataclass
class Expected:
    """A scratch disk before (image) and after (result) the test."""

    sectors: int
    seed: int
    count: int
    flags: int = 0
    done: list[Operation] = field(init=False)

    def __post_init__(self) -> None:
        self.done = list(operations(self.seed, self.sectors, self.count))

    def image(self) -> bytes:
        """The disk as it is made."""
        return self._disk([0] * self.sectors)

    def result(self) -> bytes:
        """The disk behind the last operation."""
        version = [0] * self.sectors
        for number, operation in enumerate(self.done, 1):
            if operation.kind is Kind.WRITE:
                version[operation.lba : operation.lba + operation.count] = [
                    number
                ] * operation.count
        return self._disk(version)

    def summary(self) -> str:
        """What the machine prints behind the disk's name."""
        of = {kind: sum(o.kind is kind for o in self.done) for kind in Kind}
        moved = sum(operation.count for operation in self.done)
        return (
            f"{of[Kind.READ]} reads, {of[Kind.WRITE]} writes, {of[Kind.FLUSH]} flushes, "
            f"{moved} sectors moved"
        )

    def _disk(self, version: list[int]) -> bytes:
        first = header(self.sectors, self.seed, self.count, self.flags)
        rest = (content(lba, version[lba], self.seed) for lba in range(1, self.sectors))
        return first + b"".join(rest)
