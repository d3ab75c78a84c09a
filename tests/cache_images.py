"""Images with a cache partition behind the model's, for tests that boot them."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from fluid.cache_image import read
from fluid.cachedisk import MemoryDisk
from fluid.cachefile import Cache
from fluid.cachelayout import PARTITION_TYPE, SECTOR
from fluid.image import MIB, Partition, pack_table, read_layout
from fluid.manifest import PARTITION_TABLE

SECTORS = 1000  # an odd size, for its own sake
KEYS = [hashlib.sha256(b"entry %d" % number).digest() for number in range(4)]


def filled(sectors: int = SECTORS) -> bytes:
    """A partition with three entries and one in quarantine, by the model of the cache."""
    disk = MemoryDisk(bytes(sectors * SECTOR))
    cache = Cache(disk, lambda: 1)
    for number, key in enumerate(KEYS[:3]):
        cache.put(1, key, bytes([number + 1]) * (1000 + number), 100 * number)
    cache.quarantine(1, KEYS[3])
    return bytes(disk.data)


def with_cache(image: Path, out: Path, partition: bytes) -> Path:
    """A copy of the image that has this partition, too."""
    layout = read_layout(image)
    assert layout.size % MIB == 0
    shutil.copyfile(image, out)
    where = Partition(False, PARTITION_TYPE, layout.size // SECTOR, len(partition) // SECTOR)
    with out.open("r+b") as file:
        file.seek(PARTITION_TABLE)
        file.write(pack_table([*layout.partitions, where]))
        file.seek(layout.size)
        file.write(partition)
    return out


def cache_of(image: Path) -> Cache:
    """What an image has now."""
    return Cache(MemoryDisk(read(image)), lambda: 0)
