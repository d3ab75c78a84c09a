"""Images whose kernel says that it wants other CPU features than it was compiled for."""

from __future__ import annotations

import zlib
from dataclasses import replace
from pathlib import Path

from fluid.bootarea import read_area
from fluid.kernelfile import KERNEL_HEADER
from fluid.manifest import BLOB_KERNEL, MANIFEST_LBA, SECTOR, pack_manifest

ALL = (1 << 64) - 1


def wants(image: Path, bits: int, copy: Path) -> Path:
    """A copy of the image with these bits in its kernel's header, and right checksums."""
    area = read_area(image)
    magic, size, build_id, target, _, machine, reserved = KERNEL_HEADER.unpack_from(area.kernel)
    header = KERNEL_HEADER.pack(magic, size, build_id, target, bits, machine, reserved)
    kernel = header + area.kernel[len(header) :]
    blobs = [
        replace(blob, crc32=zlib.crc32(kernel)) if blob.kind == BLOB_KERNEL else blob
        for blob in area.manifest.blobs
    ]
    manifest = replace(area.manifest, blobs=blobs)
    copy.write_bytes(image.read_bytes())
    with copy.open("r+b") as file:
        file.seek(MANIFEST_LBA * SECTOR)
        file.write(pack_manifest(manifest))
        file.seek(manifest.blob(BLOB_KERNEL).lba * SECTOR)
        file.write(kernel)
    return copy
