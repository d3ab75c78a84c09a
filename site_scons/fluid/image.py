"""The disk image: boot area, partition table, FAT16 partition, cache partition.

E-IMG-01 the partition table is damaged, 02 the parts do not fit, 03 no FAT16 partition.
"""

import os
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from fluid import bootarea, fat
from fluid.cachelayout import PARTITION_TYPE
from fluid.errors import FluidError
from fluid.files import StrPath, align_up, replacing
from fluid.manifest import (
    BLOB_REGISTRY,
    MANIFEST_LBA,
    MBR_SIGNATURE,
    PARTITION_TABLE,
    SECTOR,
    Manifest,
    pack_manifest,
    sectors,
    unpack_manifest,
)

MIB = 1 << 20
PARTITION_FAT16_LBA = 0x0E
ACTIVE = 0x80  # some BIOSes boot only disks with an active partition
PARTITION_COUNT = 4
CHS_BEYOND = b"\xfe\xff\xff"  # "use the LBA": beyond what cylinder, head and sector can say
ENTRY = struct.Struct("<B3sB3sII")
COPY_CHUNK = 1 << 20


@dataclass(frozen=True)
class Partition:
    active: bool
    type: int
    lba: int
    sectors: int


@dataclass(frozen=True)
class Layout:
    """What an image holds, where."""

    size: int
    manifest: Manifest
    partitions: list[Partition]  # used entries only

    def fat16(self) -> Partition:
        for p in self.partitions:
            if p.type == PARTITION_FAT16_LBA:
                return p
        raise FluidError("E-IMG-03", "a FAT16 partition expected, none found; rebuild the image")


def pack_table(partitions: Sequence[Partition]) -> bytes:
    """The four primary entries of the MBR."""
    rows = [
        ENTRY.pack(ACTIVE if p.active else 0, CHS_BEYOND, p.type, CHS_BEYOND, p.lba, p.sectors)
        for p in partitions
    ]
    return b"".join(rows).ljust(PARTITION_COUNT * ENTRY.size, b"\0")


def unpack_table(mbr: bytes, disk_sectors: int) -> list[Partition]:
    """Used entries; E-IMG-01 when one lies outside of the disk or overlaps another."""
    if len(mbr) < SECTOR or mbr[SECTOR - 2 : SECTOR] != MBR_SIGNATURE:
        raise FluidError(
            "E-IMG-01",
            "an MBR with 55 AA at its end expected, found other data; name an image or a disk, or "
            "build it again",
        )
    table = mbr[PARTITION_TABLE : PARTITION_TABLE + PARTITION_COUNT * ENTRY.size]
    found = [
        Partition(status == ACTIVE, kind, lba, count)
        for status, _, kind, _, lba, count in ENTRY.iter_unpack(table)
        if kind
    ]
    end = 1
    for p in sorted(found, key=lambda p: p.lba):
        if p.lba < end or not p.sectors or p.lba + p.sectors > disk_sectors:
            raise FluidError(
                "E-IMG-01",
                f"partition of {p.sectors} sectors at LBA {p.lba}: inside of {disk_sectors} "
                "sectors and apart from others expected; rebuild the image",
            )
        end = p.lba + p.sectors
    return found


def read_layout(path: StrPath) -> Layout:
    """Manifest and partitions of an image, checked."""
    with Path(path).open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        start = file.read(2 * SECTOR)
    partitions = unpack_table(start, size // SECTOR)
    manifest = unpack_manifest(start[MANIFEST_LBA * SECTOR :])
    if manifest.end_lba() > min([size // SECTOR, *(p.lba for p in partitions)]):
        raise FluidError("E-IMG-02", "the boot area reaches into a partition; rebuild the image")
    return Layout(size, manifest, partitions)


def _copy_sparse(source: StrPath, target: BinaryIO, offset: int) -> None:
    """Copies a file into `target` (all zero there) without writing its zero blocks."""
    with Path(source).open("rb") as file:
        while chunk := file.read(COPY_CHUNK):
            if chunk.count(0) != len(chunk):
                target.seek(offset)
                target.write(chunk)
            offset += len(chunk)


def build_image(
    boot_bin: StrPath, fat_img: StrPath, out_path: StrPath, cache: int | Path = 0
) -> None:
    """The boot area, then the FAT16 partition at the next MiB boundary, then one for the cache: an
    empty one of so many MiB, or none, or what is in a file (cache_image.check); a whole number of
    MiB."""
    boot_size, fat_size = Path(boot_bin).stat().st_size, Path(fat_img).stat().st_size
    bootarea.read_area(boot_bin)
    fat.read_geometry(fat_img)
    start = max(align_up(boot_size, MIB), MIB)
    cache_start = align_up(start + fat_size, MIB)
    cache_size = cache * MIB if isinstance(cache, int) else cache.stat().st_size
    end = cache_start + align_up(cache_size, MIB)
    if boot_size % SECTOR or fat_size % SECTOR or end // SECTOR >= 1 << 32:
        raise FluidError(
            "E-IMG-02",
            f"whole sectors within 2 TiB expected, {boot_size} + {fat_size} bytes found; choose a "
            "smaller model",
        )
    partitions = [Partition(True, PARTITION_FAT16_LBA, start // SECTOR, fat_size // SECTOR)]
    if cache_size:
        sectors = cache_size // SECTOR
        partitions.append(Partition(False, PARTITION_TYPE, cache_start // SECTOR, sectors))
    with replacing(out_path) as new:
        with new.open("wb") as file:
            file.truncate(end)
            _copy_sparse(boot_bin, file, 0)
            _copy_sparse(fat_img, file, start)
            if isinstance(cache, Path):
                _copy_sparse(cache, file, cache_start)
            file.seek(PARTITION_TABLE)
            file.write(pack_table(partitions))
        if read_layout(new).partitions != partitions:
            raise FluidError(
                "E-IMG-01", "the same partitions expected after packing, others found; report this"
            )


def replace_registry(path: StrPath, registry: bytes) -> None:
    """Puts another registry, valid or not, into an existing image; the build id stays."""
    layout = read_layout(path)
    manifest = layout.manifest
    old = manifest.blob(BLOB_REGISTRY)
    room = min(p.lba for p in layout.partitions) - old.lba
    if manifest.blobs[-1] != old or not 0 < sectors(len(registry)) <= room:
        raise FluidError(
            "E-IMG-02",
            f"a registry of 1..{room * SECTOR} bytes expected, {len(registry)} found; "
            "build the image anew",
        )
    blob = replace(
        old,
        sectors=sectors(len(registry)),
        size=len(registry),
        mem_size=len(registry),
        crc32=zlib.crc32(registry),
    )
    with Path(path).open("r+b") as file:
        file.seek(MANIFEST_LBA * SECTOR)
        file.write(pack_manifest(replace(manifest, blobs=[*manifest.blobs[:-1], blob])))
        file.seek(blob.lba * SECTOR)
        file.write(registry.ljust(blob.sectors * SECTOR, b"\0"))
