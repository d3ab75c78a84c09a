"""The boot sectors and the kernel's entry: kernels of every size arrive whole in every kind of
machine, and what is damaged stops with its own number before the kernel runs."""

import re
import struct
import zlib
from collections import defaultdict
from pathlib import Path

import pytest

from boot_images import (
    BLOB_COUNT,
    KERNEL,
    KERNEL_ENTRY,
    KIND,
    KSYMS,
    KSYMS_BLOB,
    LOAD,
    MEM_SIZE,
    REGISTRY,
    REGISTRY_BLOB,
    SECTORS,
    SIZE,
    STAGE2_LBA,
    STAGE2_SECTORS,
    STAGE2_SIZE,
    TOO_LARGE,
    BootImages,
    Damage,
    flip,
    flip_blob,
    flip_stage2,
    not_stage2,
    put,
    replace_in_kernel,
    replace_in_stage2,
)
from fluid.emulator import MACHINES, Ending
from fluid.event_types import Error
from fluid.kernelfile import KERNEL_MAX
from fluid.manifest import BLOB_KERNEL, Manifest, unpack_manifest
from guests import Machines
from vga_text import shown

MIB = 1 << 20
SIZES = [0, MIB, 5 * MIB + 12345, KERNEL_MAX]
BOOTINFO_MAGIC = 0x42444C46  # bootinfo.h
SECONDS = 60.0  # a boot from PIO disk of 16 MiB takes about 4

Report = dict[str, list[list[int]]]  # key -> its lines -> numbers


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> BootImages:
    return BootImages(tmp_path_factory.mktemp("boot"))


def report_of(text: str) -> Report:
    """What boot_kernel.c printed."""
    report: Report = defaultdict(list)
    for line in text.splitlines():
        key, *numbers = line.split() or [""]
        if numbers and all(re.fullmatch("[0-9a-f]+", n) for n in numbers):
            report[key].append([int(n, 16) for n in numbers])
    return report


def boot(machines: Machines, target: str, image: Path, **options: object) -> Report:
    """Boots to the end of the reporting kernel."""
    guest = machines.start(target, image, **options)
    ending = guest.wait_end(SECONDS)
    text = guest.text.decode()
    assert ending is Ending.PASS, text
    return report_of(text)


def check_report(report: Report, target: str, area: bytes) -> None:
    """The kernel found everything as bootinfo.h promises."""
    manifest = unpack_manifest(area[512:1024])
    assert report["dirty"] == [[0]]
    assert report["last_bss_byte"] == [[0]]
    assert report["stack"] == [[1, 0]]
    assert report["bits"] == [[32 if target == "i686" else 64]]
    assert report["tsc"] > [[0]]
    assert report["boot"] == [[BOOTINFO_MAGIC, 1, 72 + 128 * 24, 0x80]]
    assert report["id"] == [list(manifest.build_id)]
    check_parts(report, manifest, area)
    # Every part lies in memory that the map calls usable.
    usable = [(base, base + length) for base, length, kind in report["e820"] if kind == 1]
    for key in ("kernel", "ksyms", "registry"):
        address, _, mem_size, _ = report[key][0]
        assert any(low <= address and address + mem_size <= high for low, high in usable)


def check_parts(report: Report, manifest: Manifest, area: bytes) -> None:
    """Kernel, symbols and registry were loaded whole, one behind the other."""
    kernel = manifest.blob(BLOB_KERNEL)
    flat = area[kernel.lba * 512 :][: kernel.size]
    end = 0
    for key, content in (("kernel", flat), ("ksyms", KSYMS), ("registry", REGISTRY)):
        address, size, mem_size, checksum = report[key][0]
        assert size == len(content)
        assert checksum == zlib.adler32(content)
        assert address % 4096 == 0 and address >= end and mem_size >= size
        end = address + mem_size
    assert report["kernel"][0][0] == kernel.load
    assert report["kernel"][0][2] == kernel.mem_size


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("size", SIZES)
def test_kernels_of_every_size_arrive_whole(
    machines: Machines, target: str, images: BootImages, size: int, machine: str
) -> None:
    image = images.image(target, size)
    report = boot(machines, target, image, machine=machine, mem=64)
    check_report(report, target, images.area(target, size))


@pytest.mark.parametrize("mem", [16, 32, 2048, 4096])
def test_memory_of_every_size_is_found(
    machines: Machines, target: str, images: BootImages, mem: int
) -> None:
    if target == "i686" and mem == 4096:
        mem = 3500  # what a 32-bit emulator can give
    report = boot(machines, target, images.image(target), mem=mem)
    check_report(report, target, images.area(target))
    found = sum(length for _, length, kind in report["e820"] if kind == 1)
    assert mem * MIB - 2 * MIB < found <= mem * MIB


# Stands between the runner and QEMU: puts the disk on another controller.
OTHER_DISK = """#!/usr/bin/env python3
import os, sys
argv = sys.argv[1:]
at = argv.index("ide-hd,bus=ide.0,drive=disk,bootindex=0")
argv[at - 1 : at + 1] = {devices}
os.execvp("qemu-system-x86_64", ["qemu-system-x86_64", *argv])
"""


def other_disk(folder: Path, devices: list[str]) -> str:
    """An emulator with the disk on these devices."""
    emulator = folder / "qemu"
    arguments = [word for device in devices for word in ("-device", device)]
    emulator.write_text(OTHER_DISK.format(devices=arguments))
    emulator.chmod(0o755)
    return str(emulator)


@pytest.mark.of_target("x86-64-v2")
@pytest.mark.parametrize(
    "devices",
    [
        ["virtio-blk-pci,drive=disk"],
        ["qemu-xhci", "usb-storage,drive=disk"],
        ["nvme,serial=1,drive=disk"],
    ],
    ids=["virtio", "usb", "nvme"],
)
def test_every_disk_of_the_bios_boots(
    machines: Machines, images: BootImages, tmp_path: Path, devices: list[str]
) -> None:
    size = 5 * MIB + 12345
    image = images.image("x86-64-v2", size)
    emulator = other_disk(tmp_path, devices)
    report = boot(machines, "x86-64-v2", image, mem=64, emulator=emulator)
    check_report(report, "x86-64-v2", images.area("x86-64-v2", size))


@pytest.mark.parametrize("size", [0, 5 * MIB + 12345])
def test_bss_is_zero_in_dirty_memory(
    machines: Machines, target: str, images: BootImages, tmp_path: Path, size: int
) -> None:
    junk = tmp_path / "junk.bin"
    junk.write_bytes(b"\xa5\x5a\xff\x01" * (15 * MIB))
    loader = ("-device", f"loader,file={junk},addr=0x100000,force-raw=on")
    report = boot(machines, target, images.image(target, size), mem=64, extra=loader)
    assert report["junk"] == [[0x01FF5AA5]]  # the firmware left it there
    check_report(report, target, images.area(target, size))


def refused(machines: Machines, image: Path, code: str, **options: object) -> str:
    """The sentence with which the boot sectors stop, on screen, too; the kernel has not run."""
    guest = machines.start("x86-64-v2", image, **{"mem": 64, **options})
    guest.wait_text(b"E-BOOT-", SECONDS)
    guest.wait_text(b"\n", SECONDS, start=guest.text.index(b"E-BOOT-"))
    assert guest.quiet(0.3)
    text = guest.text.decode()
    assert re.findall(r"E-BOOT-\d\d", text) == [code], text
    assert not report_of(text)
    sentence = text.split(code)[1].strip()
    told = f"{code} {sentence}".strip()
    screen = shown(guest, lambda screen: told in screen.unwrapped, told)
    assert screen.unwrapped.rstrip(" ").endswith(told)  # nothing behind it, no glyphs of CR and LF
    return sentence


DAMAGES: list[tuple[str, str, Damage]] = [
    ("manifest-magic", "E-BOOT-33", flip(512)),
    ("manifest-version", "E-BOOT-33", flip(512 + 8)),
    ("manifest-byte", "E-BOOT-34", flip(512 + 511)),
    ("manifest-build-id", "E-BOOT-34", flip(512 + 20)),
    ("stage2-empty", "E-BOOT-35", put((STAGE2_SIZE, 0))),
    ("stage2-no-sectors", "E-BOOT-35", put((STAGE2_SECTORS, 0))),
    ("stage2-sectors-missing", "E-BOOT-35", put((STAGE2_SECTORS, 1))),
    ("stage2-too-large", "E-BOOT-35", put((STAGE2_SECTORS, 65), (STAGE2_SIZE, 65 * 512))),
    ("stage2-beyond-the-disk", "E-BOOT-32", put((STAGE2_LBA, 1 << 30))),
    ("stage2-first-byte", "E-BOOT-36", flip_stage2(0)),
    ("stage2-last-byte", "E-BOOT-36", flip_stage2(-1)),
    ("stage2-magic", "E-BOOT-37", not_stage2),
    ("no-parts", "E-BOOT-43", put((BLOB_COUNT, 0))),
    ("too-many-parts", "E-BOOT-43", put((BLOB_COUNT, 9))),
    ("unknown-part", "E-BOOT-43", put((KSYMS_BLOB + KIND, 7))),
    ("kernel-twice", "E-BOOT-43", put((KSYMS_BLOB + KIND, BLOB_KERNEL))),
    ("kernel-cut-short", "E-BOOT-43", put((KERNEL + SECTORS, 3))),
    ("kernel-in-low-memory", "E-BOOT-43", put((KERNEL + LOAD, 0x8000))),
    ("parts-overlap", "E-BOOT-43", put((KSYMS_BLOB + LOAD, 0x101000))),
    (
        "kernel-too-large",
        "E-BOOT-43",
        put((KERNEL + SIZE, TOO_LARGE), (KERNEL + SECTORS, TOO_LARGE // 512 + 1),
            (KERNEL + MEM_SIZE, 17 * MIB)),
    ),
    ("kernel-needs-2-gib", "E-BOOT-44", put((KERNEL + MEM_SIZE, 0x7FFFFFFF))),
    ("registry-does-not-fit", "E-BOOT-44", put((REGISTRY_BLOB + MEM_SIZE, 70 * MIB))),
    ("kernel-first-byte", "E-BOOT-46", flip_blob(KERNEL, 0)),
    ("kernel-last-byte", "E-BOOT-46", flip_blob(KERNEL, -1)),
    ("symbols-byte", "E-BOOT-46", flip_blob(KSYMS_BLOB, 1000)),
    ("kernel-magic", "E-BOOT-47", flip_blob(KERNEL, 0, hide=True)),
    ("entry-outside", "E-BOOT-47", put((KERNEL_ENTRY, 0x90000))),
    ("other-build", "E-BOOT-48", flip_blob(KERNEL, 8, hide=True)),
]  # fmt: skip


@pytest.mark.of_target("x86-64-v2")
@pytest.mark.parametrize(("code", "damage"), [d[1:] for d in DAMAGES], ids=[d[0] for d in DAMAGES])
def test_damage_has_its_number(
    machines: Machines, images: BootImages, code: str, damage: Damage
) -> None:
    refused(machines, images.image("x86-64-v2", damage=damage), code)


@pytest.mark.of_target("x86-64-v2")
@pytest.mark.parametrize(
    ("disk", "code"), [(512, "E-BOOT-32"), (2048, "E-BOOT-32"), (200 * 512, "E-BOOT-45")]
)
def test_a_truncated_disk_has_its_number(
    machines: Machines, images: BootImages, disk: int, code: str
) -> None:
    """On pc: with AHCI, SeaBIOS does not start from disks as small as these."""
    refused(machines, images.image("x86-64-v2", disk=disk), code, machine="pc")


@pytest.mark.of_target("x86-64-v2")
def test_too_little_memory_says_how_much(machines: Machines, images: BootImages) -> None:
    image = images.image("x86-64-v2", KERNEL_MAX)
    sentence = refused(machines, image, "E-BOOT-44", mem=16)
    needed = unpack_manifest(images.area("x86-64-v2", KERNEL_MAX)[512:1024]).blobs[0].mem_size
    found = re.search(r"(\d+) KiB .* expected, found (\d+) KiB", sentence)
    assert found is not None
    assert int(found[1]) == (needed + 1023) // 1024
    assert 14 * 1024 < int(found[2]) < 16 * 1024


@pytest.mark.of_target("x86-64-v2")
def test_a_damaged_registry_is_the_kernels_business(machines: Machines, images: BootImages) -> None:
    image = images.image("x86-64-v2", damage=flip_blob(REGISTRY_BLOB, 1000))
    report = boot(machines, "x86-64-v2", image, mem=64)
    assert report["registry"][0][3] not in (0, zlib.adler32(REGISTRY))


@pytest.mark.parametrize(
    ("target", "cpu", "missing"),
    [
        ("i686", "486", "tsc"),
        ("i686", "pentium", "pae"),
        ("x86-64-v2", "pentium", "pae"),
        ("x86-64-v2", "qemu32", "lm (long mode)"),
    ],
)
def test_an_unfit_processor_is_named(
    machines: Machines, images: BootImages, target: str, cpu: str, missing: str
) -> None:
    guest = machines.start(target, images.image(target), mem=64, cpu=cpu)
    assert guest.wait_end(SECONDS) is Ending.FAIL, guest.text.decode()
    assert [type(event) for event in guest.events] == [Error]
    error = guest.events[0]
    assert isinstance(error, Error)
    assert error.code == "E-CPU-02" and error.text.startswith(f"{missing}: ")
    assert f"error E-CPU-02: {error.text}" in guest.text.decode()


@pytest.mark.of_target("x86-64-v2")
def test_a_floppy_is_refused(machines: Machines, images: BootImages, tmp_path: Path) -> None:
    """It has no EDD packet access."""
    floppy = other_disk(tmp_path, ["floppy,drive=disk"])
    image = images.image("x86-64-v2", disk=2880 * 512)
    refused(machines, image, "E-BOOT-31", machine="pc", emulator=floppy, extra=("-boot", "a"))


def entry_fails(machines: Machines, target: str, image: Path, **options: object) -> str:
    """The code with which the kernel's first instructions end the machine."""
    guest = machines.start(target, image, **{"mem": 64, **options})
    assert guest.wait_end(SECONDS) is Ending.FAIL, guest.text.decode()
    [error] = guest.events
    assert isinstance(error, Error)
    return error.code


def test_a_kernel_that_something_else_started(
    machines: Machines, target: str, images: BootImages
) -> None:
    """Its caller must bring the boot information; here stage2 brings another magic."""
    damage = replace_in_stage2(struct.pack("<I", BOOTINFO_MAGIC), b"ELSE")
    assert entry_fails(machines, target, images.image(target, damage=damage)) == "E-BOOT-50"


def test_a_processor_without_cpuid(machines: Machines, target: str, images: BootImages) -> None:
    """No emulator lacks it: here the kernel changes no flag, and so finds none that it can."""
    flip, keep = b"\x35" + struct.pack("<I", 1 << 21), b"\x35" + bytes(4)  # xorl $EFLAGS_ID, %eax
    damage = replace_in_kernel(flip, keep)
    assert entry_fails(machines, target, images.image(target, damage=damage)) == "E-CPU-01"
