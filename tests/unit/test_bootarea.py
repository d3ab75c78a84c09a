"""The boot area: derived sizes, build id, checksums, and kernels that cannot be loaded."""

from __future__ import annotations

import struct
import subprocess
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fluid import bootarea, kernelfile, ksyms, manifest
from fluid.errors import FluidError
from fluid.manifest import SECTOR

KERNEL = """
.section .kernel_header, "a"
.long 0x4e524b46, 56
.skip 48
.text
.globl start
.type start, @function
start: hlt
.size start, 1
.local hidden
hidden: ret
.data
.ascii "the last byte of the file: "
.space {data}, 0x55
.byte 0xfe
.bss
.skip {bss}
"""
SCRIPT = """
ENTRY(start)
SECTIONS {{
    . = {base};
    .text : {{ *(.kernel_header) *(.text) }}
    . = ALIGN(4096);
    .data : {{ *(.data) }}
    .bss : {{ *(.bss) }}
}}
"""


def make_kernel(
    folder: Path, *, data: int = 1000, bss: int = 9000, base: str = "0x100000", source: str = KERNEL
) -> Path:
    (folder / "k.S").write_text(source.format(data=data, bss=bss))
    (folder / "k.ld").write_text(SCRIPT.format(base=base))
    cc = ["clang-19", "--target=i686-unknown-none-elf", "-c", "k.S", "-o", "k.o"]
    subprocess.run(cc, cwd=folder, check=True, timeout=60)
    link = ["ld.lld-19", "-m", "elf_i386", "-T", "k.ld", "k.o", "-o", "kernel.elf"]
    subprocess.run(link, cwd=folder, check=True, timeout=60)
    return folder / "kernel.elf"


def stage1() -> bytes:
    return b"\xeb\xfe".ljust(510, b"\0") + b"\x55\xaa"


def stage2(size: int = 3000) -> bytes:
    return struct.pack("<II", 0x90909090, manifest.STAGE2_MAGIC).ljust(size, b"\x90")


def build(folder: Path, kernel: Path, registry: bytes = b"registry" * 100) -> bytes:
    (folder / "stage1.bin").write_bytes(stage1())
    (folder / "stage2.bin").write_bytes(stage2())
    (folder / "registry.bin").write_bytes(registry)
    ksyms.build_ksyms(kernel, folder / "ksyms.bin")
    bootarea.build_flat_kernel(kernel, folder / "kernel.bin")
    flat, symbols, modules = (folder / f"{name}.bin" for name in ("kernel", "ksyms", "registry"))
    stages = (folder / "stage1.bin", folder / "stage2.bin")
    bootarea.build_boot_area(*stages, kernel, flat, symbols, modules, folder / "boot.bin")
    return (folder / "boot.bin").read_bytes()


def test_every_byte_is_where_the_manifest_says(tmp_path: Path) -> None:
    kernel = make_kernel(tmp_path)
    data = build(tmp_path, kernel)
    area = bootarea.unpack(data)
    m = area.manifest
    assert bootarea.read_area(tmp_path / "boot.bin") == area
    assert len(data) == m.end_lba() * SECTOR
    assert (area.stage1, area.stage2, area.registry) == (stage1(), stage2(), b"registry" * 100)
    assert area.kernel.endswith(b"\x55\xfe") and len(area.kernel) == 4096 + 27 + 1000 + 1
    assert area.kernel[8:24] == m.build_id != bytes(16)
    kernel_blob = m.blob(manifest.BLOB_KERNEL)
    assert (kernel_blob.load, kernel_blob.size) == (0x100000, len(area.kernel))
    assert kernel_blob.mem_size == len(area.kernel) + 9000
    assert m.kernel_entry == 0x100000 + kernelfile.KERNEL_HEADER.size
    assert [(b.kind, b.flags) for b in m.blobs] == [(1, 1), (2, 1), (3, 0)]
    assert [b.lba for b in m.blobs] == [8, 8 + 11, 8 + 11 + 1]
    assert ksyms.unpack(area.ksyms) == ksyms.read_symbols(kernel)


def test_build_id_follows_the_content(tmp_path: Path) -> None:
    kernel = make_kernel(tmp_path)
    one = bootarea.unpack(build(tmp_path, kernel)).manifest.build_id
    assert bootarea.unpack(build(tmp_path, kernel)).manifest.build_id == one
    assert bootarea.unpack(build(tmp_path, kernel, b"other")).manifest.build_id != one
    changed = make_kernel(tmp_path, data=1001)
    assert bootarea.unpack(build(tmp_path, changed)).manifest.build_id != one


def test_empty_registry_has_no_blob(tmp_path: Path) -> None:
    area = bootarea.unpack(build(tmp_path, make_kernel(tmp_path), b""))
    assert [b.kind for b in area.manifest.blobs] == [1, 2] and area.registry == b""


def test_every_damaged_sector_is_noticed(tmp_path: Path) -> None:
    data = build(tmp_path, make_kernel(tmp_path))
    m = bootarea.unpack(data).manifest
    for lba in range(1, m.end_lba()):
        bad = bytearray(data)
        bad[lba * SECTOR + 1] ^= 4
        with pytest.raises(FluidError, match=r"E-BOOT-0[245]"):
            bootarea.unpack(bytes(bad))
    for size in range(0, len(data), 700):
        with pytest.raises(FluidError, match=r"E-BOOT-0[2456]"):
            bootarea.unpack(data[:size])


def test_other_kernel_under_a_valid_checksum(tmp_path: Path) -> None:
    data = bytearray(build(tmp_path, make_kernel(tmp_path)))
    m = bootarea.unpack(bytes(data)).manifest
    blob = m.blobs[0]
    data[blob.lba * SECTOR + 8] ^= 1
    crc = zlib.crc32(data[blob.lba * SECTOR : blob.lba * SECTOR + blob.size])
    data[SECTOR : 2 * SECTOR] = manifest.pack_manifest(
        replace(m, blobs=[replace(blob, crc32=crc), *m.blobs[1:]])
    )
    with pytest.raises(FluidError, match="E-BOOT-06"):
        bootarea.unpack(bytes(data))


def test_wrong_manifests(tmp_path: Path) -> None:
    m = bootarea.unpack(build(tmp_path, make_kernel(tmp_path))).manifest
    first, *rest = m.blobs
    wrong = [
        replace(m, stage2_lba=1),
        replace(m, stage2_sectors=m.stage2_sectors + 1),
        replace(m, blobs=rest),
        replace(m, blobs=[first, first]),
        replace(m, blobs=[first, replace(rest[0], lba=first.lba)]),
        replace(m, blobs=[replace(first, mem_size=first.size - 1)]),
    ]
    assert manifest.unpack_manifest(manifest.pack_manifest(m)) == m
    for bad in wrong:
        with pytest.raises(FluidError, match="E-BOOT-04"):
            manifest.unpack_manifest(manifest.pack_manifest(bad))


def test_wrong_boot_sectors() -> None:
    filled = [stage1()[:at] + b"x" + stage1()[at + 1 :] for at in (440, 445, 446, 509)]
    wrong = [stage1()[:-1], stage1()[:-2] + b"\0\0", *filled]
    for bad in wrong:
        with pytest.raises(FluidError, match="E-BOOT-01"):
            bootarea.check_stage1(bad)
    for bad in (b"", stage2()[:7], bytes(100), stage2(manifest.STAGE2_END)):
        with pytest.raises(FluidError, match="E-BOOT-02"):
            bootarea.check_stage2(bad)


def test_kernels_that_cannot_be_loaded(tmp_path: Path) -> None:
    limit = kernelfile.KERNEL_MAX
    used = kernelfile.kernel_shape(make_kernel(tmp_path)).file_size - 1000
    largest = make_kernel(tmp_path, data=limit - used)
    assert len(kernelfile.flatten_kernel(largest)) == limit
    area = bootarea.unpack(build(tmp_path, largest))
    assert area.kernel.endswith(b"\x55\xfe") and len(area.kernel) == limit
    no_header = KERNEL.replace("0x4e52", "0x4e53")
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"data": limit - used + 1}, "at most 16777216 bytes expected"),
        ({"base": "0x8000"}, "check kernel.ld"),
        ({"base": "0x7ffff000"}, "check kernel.ld"),
        ({"source": no_header}, "kernel_header expected"),
    ]
    for options, text in wrong:
        with pytest.raises(FluidError, match=f"E-BOOT-03 .*{text}"):
            kernelfile.flatten_kernel(make_kernel(tmp_path, **options))
    with pytest.raises(FluidError, match=r"E-BOOT-03 .*not a readable ELF"):
        kernelfile.kernel_shape(tmp_path / "k.ld")


def test_kernel_bin_of_another_build(tmp_path: Path) -> None:
    build(tmp_path, make_kernel(tmp_path))
    flat = (tmp_path / "kernel.bin").read_bytes()
    shape = kernelfile.kernel_shape(tmp_path / "kernel.elf")
    with pytest.raises(FluidError, match=r"E-BOOT-03 kernel\.bin"):
        bootarea.pack(stage1(), stage2(), flat + b"x", shape, b"", b"")


def test_kernel_symbols(tmp_path: Path) -> None:
    symbols = ksyms.read_symbols(make_kernel(tmp_path))
    code = 0x100000 + kernelfile.KERNEL_HEADER.size
    assert [(s.address - code, s.name) for s in symbols] == [(0, "start"), (1, "hidden"), (2, "")]
    data = ksyms.pack(symbols)
    assert ksyms.unpack(data) == symbols
    for bad in (b"", data[:-1], data[:20], b"X" + data[1:], data[:4] + b"\xff" + data[5:]):
        with pytest.raises(FluidError, match="E-BOOT-20"):
            ksyms.unpack(bad)


def test_a_function_of_two_names_goes_by_its_c_name(tmp_path: Path) -> None:
    """llvm-libc's have a mangled one besides."""
    other = "_ZN3lib5startEv"
    alias = f".globl {other}\n.type {other}, @function\n.set {other}, start\n"
    symbols = ksyms.read_symbols(make_kernel(tmp_path, source=KERNEL + alias))
    assert [s.name for s in symbols] == ["start", "hidden", ""]
