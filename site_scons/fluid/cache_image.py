"""The cache partition of an image or disk: shown, copied to a file, put back from one.

E-CACHE-50 there is no such partition, 51 the file is no cache for it, 52 reading or writing failed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fluid.cachedisk import MemoryDisk
from fluid.cachelayout import PARTITION_TYPE, SECTOR
from fluid.cachelog import Log
from fluid.errors import FluidError
from fluid.files import replacing, write_atomic
from fluid.image import Partition, read_layout

KINDS = {1: "code", 2: "knobs", 3: "toolchain"}  # as src/kernel/jit/entry.h has them
MOST = (1 << 64) - 1  # benefit of what is never to go
KEY_SHOWN = 8  # bytes, as /cache shows them


def partition(image: Path) -> Partition:
    """Where it is; E-CACHE-50."""
    for p in read_layout(image).partitions:
        if p.type == PARTITION_TYPE:
            return p
    raise FluidError(
        "E-CACHE-50",
        f"{image}: a partition of type {PARTITION_TYPE:02x} expected, found none; build the image "
        "with cache=16",
    )


@contextmanager
def _errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise FluidError(
            "E-CACHE-52",
            f"{path}: a file that can be read or written expected, with room beside it, found: "
            f"{error.strerror}; free space or take another",
        ) from error


def read(image: Path) -> bytes:
    """The whole partition."""
    with _errors(image):
        where = partition(image)
        with image.open("rb") as file:
            file.seek(where.lba * SECTOR)
            return file.read(where.sectors * SECTOR)


def show(image: Path) -> str:
    """A table of the entries, and what is wrong with the log."""
    return table(Log(MemoryDisk(read(image), writable=False)))


def table(log: Log) -> str:
    """For people."""
    lines = [f"{'kind':<9}  {'key':<16}  {'bytes':>9}  {'benefit':>12}  {'last use':>8}"]
    for row in sorted(log.rows.values(), key=lambda r: r.lba):
        size = "banned" if row.quarantined else str(row.size)
        shown = row.key[:KEY_SHOWN].hex()
        benefit = "most" if row.benefit == MOST else str(row.benefit)
        kind = KINDS.get(row.kind, str(row.kind))
        lines.append(f"{kind:<9}  {shown}  {size:>9}  {benefit:>12}  {row.last_use:>8}")
    entries = len(log.rows)
    found = log.verify()
    ending = "damaged" if found.damaged_end else "sound"
    state = f" ({log.why_empty})" if log.why_empty else ""
    lines.append(
        f"{entries} entries{state}, {found.records} records of which {found.bad_records} are "
        f"damaged, {found.bad_superblocks} of 2 superblocks damaged, the end is {ending}"
    )
    return "\n".join(lines)


def pull(image: Path, file: Path) -> None:
    """Copies the partition to a file."""
    data = read(image)
    with _errors(file):
        write_atomic(file, data)


def check(file: Path | str) -> Path:
    """The file, if it is one of `pull`, for an image that is being built; E-CACHE-51."""
    path = Path(file)
    with _errors(path):
        data = path.read_bytes()
    if len(data) % SECTOR or Log(MemoryDisk(data)).why_empty:
        raise FluidError(
            "E-CACHE-51",
            f"{path}: a cache as cache-pull writes it expected, found {len(data)} bytes of "
            "something else, or an empty one; pull it from an image that has run",
        )
    return path


def push(file: Path, image: Path) -> None:
    """Puts a copy in the partition's place. An image file is replaced as a whole or stays as it is;
    a device is written to."""
    with _errors(file):
        data = file.read_bytes()
    with _errors(image):
        where = partition(image)
    if len(data) != where.sectors * SECTOR or Log(MemoryDisk(data)).why_empty in (
        "damaged",
        "version",
    ):
        raise FluidError(
            "E-CACHE-51",
            f"{file}: a cache of {where.sectors * SECTOR} bytes expected, as cache-pull writes it, "
            f"found {len(data)} bytes of something else; pull it from an image with as large a "
            "cache",
        )
    with _errors(image):
        if not image.is_file():
            _write(image, where, data)
            return
        with replacing(image) as new:
            shutil.copyfile(image, new)
            _write(new, where, data)


def clear(image: Path) -> None:
    """Makes it blank, in place, as a new image has it."""
    with _errors(image):
        where = partition(image)
        _write(image, where, bytes(where.sectors * SECTOR))


def _write(path: Path, where: Partition, data: bytes) -> None:
    with path.open("r+b") as target:
        target.seek(where.lba * SECTOR)
        target.write(data)
        target.flush()
        os.fsync(target.fileno())
