"""The manifest at LBA 1: what stage1 and stage2 read, and where from.

Owner of struct boot_manifest in src/include/fluid/bootinfo.h. E-BOOT-04: a manifest is damaged.
"""

import struct
import zlib
from dataclasses import dataclass

from fluid.errors import FluidError
from fluid.files import align_up

SECTOR = 512
MANIFEST_LBA = 1
MANIFEST_VERSION = 1
MANIFEST_MAGIC = b"FLUIDBM1"
MAX_BLOBS = 8
STAGE2_ADDR = 0x8000
STAGE2_END = 0x10000  # stage1 reads stage2 with one request that ends in the first 64 KiB
STAGE2_MAGIC = 0x32534C46
BUILD_ID_SIZE = 16

BLOB_KERNEL = 1
BLOB_KSYMS = 2
BLOB_REGISTRY = 3
BLOB_CHECKED = 1

STAGE1_CODE_MAX = 440  # bytes; the disk signature follows, zero in our images
PARTITION_TABLE = 446  # offset in the MBR
MBR_SIGNATURE = b"\x55\xaa"

MANIFEST = struct.Struct("<8sII16sIIIIII")
BLOB = struct.Struct("<IIIIIIII")
CRC_OFFSET = 12  # of boot_manifest.crc32
RESERVED = SECTOR - MANIFEST.size - MAX_BLOBS * BLOB.size


@dataclass(frozen=True)
class Blob:
    kind: int
    flags: int
    lba: int
    sectors: int
    size: int
    load: int
    mem_size: int
    crc32: int


@dataclass(frozen=True)
class Manifest:
    build_id: bytes
    stage2_lba: int
    stage2_sectors: int
    stage2_size: int
    stage2_crc32: int
    kernel_entry: int
    blobs: list[Blob]

    def blob(self, kind: int) -> Blob:
        for b in self.blobs:
            if b.kind == kind:
                return b
        raise FluidError(
            "E-BOOT-04", f"manifest: a blob of kind {kind} expected, none found; rebuild it"
        )

    def end_lba(self) -> int:
        """First sector behind everything that the manifest names."""
        return max(
            [self.stage2_lba + self.stage2_sectors, *(b.lba + b.sectors for b in self.blobs)]
        )


def sectors(size: int) -> int:
    return align_up(size, SECTOR) // SECTOR


def pack_manifest(m: Manifest) -> bytes:
    blobs = b"".join(
        BLOB.pack(b.kind, b.flags, b.lba, b.sectors, b.size, b.load, b.mem_size, b.crc32)
        for b in m.blobs
    )

    def header(crc: int) -> bytes:
        return MANIFEST.pack(
            *(MANIFEST_MAGIC, MANIFEST_VERSION, crc, m.build_id),
            *(m.stage2_lba, m.stage2_sectors, m.stage2_size, m.stage2_crc32),
            *(m.kernel_entry, len(m.blobs)),
        )

    rest = blobs.ljust(SECTOR - MANIFEST.size, b"\0")
    return header(zlib.crc32(header(0) + rest)) + rest


def unpack_manifest(data: bytes) -> Manifest:
    """Reads the sector at LBA 1; raises E-BOOT-04 when anything in it is wrong."""
    if len(data) != SECTOR or not data.startswith(MANIFEST_MAGIC):
        raise FluidError("E-BOOT-04", "manifest expected at LBA 1, found other data; rebuild it")
    _, version, crc, build_id, lba, count, size, stage2_crc, entry, blob_count = (
        MANIFEST.unpack_from(data)
    )
    if zlib.crc32(data[:CRC_OFFSET] + bytes(4) + data[CRC_OFFSET + 4 :]) != crc:
        raise FluidError("E-BOOT-04", "manifest: CRC-32 does not match; rewrite the image")
    if version != MANIFEST_VERSION or blob_count > MAX_BLOBS:
        raise FluidError(
            "E-BOOT-04",
            f"manifest: version {MANIFEST_VERSION} and at most {MAX_BLOBS} blobs expected, "
            f"version {version} and {blob_count} found; rebuild it",
        )
    table = data[MANIFEST.size : MANIFEST.size + blob_count * BLOB.size]
    blobs = [Blob(*row) for row in BLOB.iter_unpack(table)]
    manifest = Manifest(build_id, lba, count, size, stage2_crc, entry, blobs)
    next_lba = MANIFEST_LBA + 1
    for part_lba, part_sectors, part_size in [
        (lba, count, size),
        *((b.lba, b.sectors, b.size) for b in blobs),
    ]:
        if part_lba < next_lba or part_sectors != sectors(part_size):
            raise FluidError(
                "E-BOOT-04",
                f"manifest: whole sectors from LBA {next_lba} on expected, {part_size} bytes in "
                f"{part_sectors} sectors at LBA {part_lba} found; rebuild it",
            )
        next_lba = part_lba + part_sectors
    kinds = [b.kind for b in blobs]
    if len(set(kinds)) != len(kinds) or BLOB_KERNEL not in kinds:
        raise FluidError(
            "E-BOOT-04",
            f"manifest: different kinds of blobs, a kernel among them, expected, {kinds} found; "
            "rebuild it",
        )
    if any(b.mem_size < b.size for b in blobs):
        raise FluidError(
            "E-BOOT-04",
            "manifest: blobs that fit their memory expected, a larger one found; rebuild it",
        )
    return manifest
