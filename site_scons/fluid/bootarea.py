"""The boot area: MBR sector, manifest, stage2 and the blobs that stage2 loads.

Everything about sizes is derived from the files and checked here, so that no sector is ever lost:
E-BOOT-01 stage1, 02 stage2, 03 kernel, 04 manifest, 05 CRC-32 of a part, 06 build id. `unpack`
makes every check that the boot sectors make.
"""

import hashlib
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

from fluid.errors import FluidError
from fluid.files import StrPath, write_atomic
from fluid.kernelfile import (
    BUILD_ID_OFFSET,
    KERNEL_HEADER,
    KERNEL_HEADER_MAGIC,
    KernelShape,
    flatten_kernel,
    kernel_shape,
)
from fluid.manifest import (
    BLOB_CHECKED,
    BLOB_KERNEL,
    BLOB_KSYMS,
    BLOB_REGISTRY,
    BUILD_ID_SIZE,
    MANIFEST_LBA,
    MBR_SIGNATURE,
    SECTOR,
    STAGE1_CODE_MAX,
    STAGE2_ADDR,
    STAGE2_END,
    STAGE2_MAGIC,
    Blob,
    Manifest,
    pack_manifest,
    sectors,
    unpack_manifest,
)


@dataclass(frozen=True)
class BootArea:
    stage1: bytes
    stage2: bytes
    kernel: bytes
    ksyms: bytes
    registry: bytes
    manifest: Manifest


def check_stage1(stage1: bytes) -> None:
    end = SECTOR - len(MBR_SIGNATURE)
    if len(stage1) != SECTOR or stage1[end:] != MBR_SIGNATURE or any(stage1[STAGE1_CODE_MAX:end]):
        raise FluidError(
            "E-BOOT-01",
            f"stage1: {SECTOR} bytes with nothing between code and 55 AA at the end expected, "
            f"{len(stage1)} bytes found; its code must end before byte {STAGE1_CODE_MAX}",
        )


def check_stage2(stage2: bytes) -> None:
    limit = STAGE2_END - STAGE2_ADDR
    if not 8 <= len(stage2) <= limit or struct.unpack_from("<I", stage2, 4)[0] != STAGE2_MAGIC:
        raise FluidError(
            "E-BOOT-02",
            f"stage2: at most {limit} bytes with 'FLS2' at offset 4 expected, "
            f"{len(stage2)} bytes found; shrink it, or check stage2.ld",
        )


def build_id(toolchain: str, *parts: bytes) -> bytes:
    """Identifies what an image is made of: the tools, then stage2, kernel, symbols and registry.
    The kernel has a zero build id in its header."""
    state = hashlib.sha256()
    for part in (toolchain.encode(), *parts):
        state.update(len(part).to_bytes(8, "little"))
        state.update(part)
    return state.digest()[:BUILD_ID_SIZE]


def set_build_id(kernel: bytes, new_id: bytes) -> bytes:
    return kernel[:BUILD_ID_OFFSET] + new_id + kernel[BUILD_ID_OFFSET + BUILD_ID_SIZE :]


def pack(
    stage1: bytes,
    stage2: bytes,
    kernel: bytes,
    shape: KernelShape,
    ksyms: bytes,
    registry: bytes,
    *,
    toolchain: str = "",
) -> bytes:
    """The boot area. `kernel` is flat; `shape` says where it lives; `toolchain` names the tools."""
    check_stage1(stage1)
    check_stage2(stage2)
    if len(kernel) != shape.file_size:
        raise FluidError(
            "E-BOOT-03",
            f"kernel.bin: {shape.file_size} bytes expected, {len(kernel)} found; build it again",
        )
    kernel = set_build_id(kernel, bytes(BUILD_ID_SIZE))
    the_id = build_id(toolchain, stage2, kernel, ksyms, registry)
    kernel = set_build_id(kernel, the_id)

    stage2_lba = MANIFEST_LBA + 1
    lba = stage2_lba + sectors(len(stage2))
    blobs = []
    for kind, flags, content, load, mem_size in (
        (BLOB_KERNEL, BLOB_CHECKED, kernel, shape.load, shape.mem_size),
        (BLOB_KSYMS, BLOB_CHECKED, ksyms, 0, len(ksyms)),
        (BLOB_REGISTRY, 0, registry, 0, len(registry)),
    ):
        if content:
            count, crc = sectors(len(content)), zlib.crc32(content)
            blobs.append(Blob(kind, flags, lba, count, len(content), load, mem_size, crc))
            lba += count
    manifest = Manifest(
        the_id,
        stage2_lba,
        sectors(len(stage2)),
        len(stage2),
        zlib.crc32(stage2),
        shape.entry,
        blobs,
    )
    parts = [stage1, pack_manifest(manifest), stage2, kernel, ksyms, registry]
    data = b"".join(part.ljust(sectors(len(part)) * SECTOR, b"\0") for part in parts)
    if len(data) != manifest.end_lba() * SECTOR or unpack(data).manifest != manifest:
        raise FluidError(
            "E-BOOT-04", "the same boot area expected after unpacking, another found; report this"
        )
    return data


def unpack(data: bytes) -> BootArea:
    """Reads the start of an image or a boot area and checks all of it."""
    if len(data) < 2 * SECTOR:
        raise FluidError(
            "E-BOOT-04", f"a boot area expected, {len(data)} bytes found; build it again"
        )
    manifest = unpack_manifest(data[SECTOR : 2 * SECTOR])
    if len(data) < manifest.end_lba() * SECTOR:
        raise FluidError(
            "E-BOOT-04",
            f"{manifest.end_lba()} sectors expected, {len(data)} bytes found; build it again",
        )

    def part(what: str, lba: int, size: int, crc: int) -> bytes:
        content = data[lba * SECTOR : lba * SECTOR + size]
        if len(content) != size or zlib.crc32(content) != crc:
            raise FluidError("E-BOOT-05", f"{what}: CRC-32 does not match; rewrite the image")
        return content

    def blob(what: str, kind: int) -> bytes:
        for b in manifest.blobs:
            if b.kind == kind:
                return part(what, b.lba, b.size, b.crc32)
        return b""

    stage2 = part("stage2", manifest.stage2_lba, manifest.stage2_size, manifest.stage2_crc32)
    check_stage2(stage2)
    kernel = blob("kernel", BLOB_KERNEL)
    magic, _, kernel_id, *_ = KERNEL_HEADER.unpack_from(kernel.ljust(KERNEL_HEADER.size, b"\0"))
    if magic != KERNEL_HEADER_MAGIC or kernel_id != manifest.build_id:
        raise FluidError(
            "E-BOOT-06", "kernel: its build id is not the manifest's; rewrite the image"
        )
    return BootArea(
        data[:SECTOR],
        stage2,
        kernel,
        blob("ksyms", BLOB_KSYMS),
        blob("registry", BLOB_REGISTRY),
        manifest,
    )


def read_area(path: StrPath) -> BootArea:
    """The boot area of an image or of boot.bin."""
    with Path(path).open("rb") as file:
        start = file.read(2 * SECTOR)
        if len(start) < 2 * SECTOR:
            raise FluidError(
                "E-BOOT-04", f"a boot area expected, {len(start)} bytes found; build it again"
            )
        rest = (unpack_manifest(start[SECTOR:]).end_lba() - 2) * SECTOR
        return unpack(start + file.read(rest))


def build_flat_kernel(kernel_elf: StrPath, out_path: StrPath) -> None:
    write_atomic(out_path, flatten_kernel(kernel_elf))


def build_boot_area(
    stage1_bin: StrPath,
    stage2_bin: StrPath,
    kernel_elf: StrPath,
    kernel_bin: StrPath,
    ksyms_bin: StrPath,
    registry_bin: StrPath,
    out_path: StrPath,
    *,
    toolchain: str = "",
) -> None:
    """Writes LBA 0 up to the end of the last blob, in whole sectors."""
    stage1, stage2, kernel, ksyms, registry = (
        Path(p).read_bytes() for p in (stage1_bin, stage2_bin, kernel_bin, ksyms_bin, registry_bin)
    )
    shape = kernel_shape(kernel_elf)
    area = pack(stage1, stage2, kernel, shape, ksyms, registry, toolchain=toolchain)
    write_atomic(out_path, area)
