"""What a cache lies on: sectors that are read, written and flushed, here in memory."""

from __future__ import annotations

from typing import Protocol

from fluid.cachelayout import SECTOR


class DiskFault(Exception):
    """The disk reports an error."""


class Disk(Protocol):
    """LBAs from the start of the partition; DiskFault where the disk fails."""

    @property
    def sectors(self) -> int: ...

    @property
    def writable(self) -> bool: ...

    def read(self, lba: int, count: int) -> bytes: ...

    def write(self, lba: int, data: bytes) -> None: ...

    def flush(self) -> None: ...


class MemoryDisk:
    """The bytes of a partition, whole sectors of them."""

    def __init__(self, data: bytes, writable: bool = True) -> None:
        self.data = bytearray(data)
        self.sectors = len(data) // SECTOR
        self.writable = writable

    def read(self, lba: int, count: int) -> bytes:
        return bytes(self.data[lba * SECTOR : (lba + count) * SECTOR])

    def write(self, lba: int, data: bytes) -> None:
        if not self.writable or lba * SECTOR + len(data) > len(self.data):
            raise DiskFault
        self.data[lba * SECTOR : lba * SECTOR + len(data)] = data

    def flush(self) -> None:
        """Nothing waits."""
