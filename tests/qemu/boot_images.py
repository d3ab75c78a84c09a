"""Images for the tests of the boot sectors: the built stage1 and stage2 with a kernel of any size
that only reports (boot_kernel.c), and ways to damage them."""

import random
import struct
import subprocess
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

from fluid.bootarea import pack
from fluid.kernelfile import KERNEL_MAX, flatten_kernel, kernel_shape
from fluid.manifest import CRC_OFFSET, MANIFEST, SECTOR
from fluid.targets import TARGETS
from qemu_images import TOP, artifact

KSYMS = random.Random(1).randbytes(5000)
REGISTRY = random.Random(2).randbytes(300_001)
DISK_SIZE = 64 << 20
TOO_LARGE = KERNEL_MAX + 1

Damage = Callable[[bytearray], None]


class BootImages:
    """Makes test kernels and images in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.area = cache(self._area)

    def _run(self, *command: str) -> None:
        subprocess.run(command, cwd=TOP, check=True, timeout=120)

    def _link(self, target: str, name: str, padding: bytes, bits: int = 0) -> Path:
        """The reporting kernel with so many bytes behind its data, made to want features."""
        t = TARGETS[target]
        kernel = TOP / "src/kernel/arch"
        sources = [kernel / "x86/entry32.S", kernel / t.arch / "entry.S", kernel / "x86/target.c"]
        sources.append(Path(__file__).with_name("boot_kernel.c"))
        flags = [f"--target={t.triple}", "-std=c17", "-ffreestanding", "-O2", "-fno-pic"]
        flags += ["-mgeneral-regs-only", "-mno-red-zone", "-fno-omit-frame-pointer"]
        flags += ["-fno-asynchronous-unwind-tables", "-Wall", "-Wextra", "-Werror"]
        flags += ["-Isrc/include", "-Isrc/kernel", f'-DFLUID_TARGET="{target}"']
        flags += ["-DFLUID_TARGET_FEATURES=0u", f"-DFLUID_KERNEL_FEATURES={bits:#x}ull"]
        if padding:
            file = self._folder / f"{name}.padding"
            file.write_bytes(padding)
            flags.append(f'-DPADDING="{file}"')
        objects = []
        for source in sources:
            objects.append(str(self._folder / f"{name}-{source.stem}.o"))
            own = flags if source.suffix == ".c" else [f for f in flags if "PADDING" not in f]
            self._run("clang-19", *own, "-c", str(source), "-o", objects[-1])
        elf = self._folder / f"{name}.elf"
        self._run("ld.lld-19", "-T", str(kernel / "x86/kernel.ld"), *objects, "-o", str(elf))
        return elf

    def _kernel(self, target: str, size: int) -> Path:
        """A kernel file of exactly size bytes; 0: the smallest."""
        small = self._link(target, f"kernel-{target}", b"")
        if size == 0:
            return small
        padding = random.Random(size).randbytes(size - kernel_shape(small).file_size)
        elf = self._link(target, f"kernel-{target}-{size}", padding)
        assert kernel_shape(elf).file_size == size
        return elf

    def _area(self, target: str, size: int = 0) -> bytes:
        """A boot area with such a kernel (made once, see area)."""
        elf = self._kernel(target, size)
        stage1 = artifact(target, "stage1.bin").read_bytes()
        stage2 = artifact(target, "stage2.bin").read_bytes()
        return pack(stage1, stage2, flatten_kernel(elf), kernel_shape(elf), KSYMS, REGISTRY)

    def image(
        self, target: str, size: int = 0, damage: Damage | None = None, disk: int = DISK_SIZE
    ) -> Path:
        """A disk of this many bytes that begins with the boot area, damaged."""
        data = bytearray(self.area(target, size))
        if damage is not None:
            damage(data)
        path = self._folder / f"{target}-{size}.img"
        with path.open("wb") as file:
            file.write(data)
            file.truncate(disk)
        return path


# ---- damage; positions are those of struct boot_manifest and struct boot_blob (bootinfo.h)

STAGE2_LBA, STAGE2_SECTORS, STAGE2_SIZE, STAGE2_CRC32, KERNEL_ENTRY, BLOB_COUNT = range(32, 56, 4)
KERNEL, KSYMS_BLOB, REGISTRY_BLOB = (MANIFEST.size + 32 * i for i in range(3))
KIND, FLAGS, LBA, SECTORS, SIZE, LOAD, MEM_SIZE, CRC32 = range(0, 32, 4)


def field(area: bytearray, position: int) -> int:
    """A field of the manifest."""
    return int(struct.unpack_from("<I", area, SECTOR + position)[0])


def seal(area: bytearray) -> None:
    """Makes the manifest's own checksum right again."""
    struct.pack_into("<I", area, SECTOR + CRC_OFFSET, 0)
    struct.pack_into("<I", area, SECTOR + CRC_OFFSET, zlib.crc32(area[SECTOR : 2 * SECTOR]))


def put(*fields: tuple[int, int]) -> Damage:
    """Sets fields of the manifest to values, with a right checksum."""

    def damage(area: bytearray) -> None:
        for position, value in fields:
            struct.pack_into("<I", area, SECTOR + position, value)
        seal(area)

    return damage


def flip(offset: int) -> Damage:
    """Flips a bit of the disk."""

    def damage(area: bytearray) -> None:
        area[offset] ^= 0x10

    return damage


def flip_stage2(offset: int) -> Damage:
    """Flips a bit of stage2; negative: from its end."""

    def damage(area: bytearray) -> None:
        start = field(area, STAGE2_LBA) * SECTOR
        area[start + offset % field(area, STAGE2_SIZE)] ^= 0x10

    return damage


def flip_blob(blob: int, offset: int, *, hide: bool = False) -> Damage:
    """Flips a bit of a part; hide: its checksum is made right, as if it had been built so."""

    def damage(area: bytearray) -> None:
        start, size = field(area, blob + LBA) * SECTOR, field(area, blob + SIZE)
        area[start + offset % size] ^= 0x10
        if hide:
            put((blob + CRC32, zlib.crc32(area[start : start + size])))(area)

    return damage


def not_stage2(area: bytearray) -> None:
    """Something else in the place of stage2, with a right checksum."""
    start, size = field(area, STAGE2_LBA) * SECTOR, field(area, STAGE2_SIZE)
    area[start + 4] ^= 0x10
    put((STAGE2_CRC32, zlib.crc32(area[start : start + size])))(area)


def _replace(area: bytearray, start: int, size: int, old: bytes, new: bytes) -> int:
    """Replaces old wherever it stands in a part of the area; the part's new checksum."""
    part = bytes(area[start : start + size])
    assert old in part and len(old) == len(new)
    area[start : start + size] = part.replace(old, new)
    return zlib.crc32(area[start : start + size])


def replace_in_stage2(old: bytes, new: bytes) -> Damage:
    """Other bytes in stage2, with a right checksum."""

    def damage(area: bytearray) -> None:
        start, size = field(area, STAGE2_LBA) * SECTOR, field(area, STAGE2_SIZE)
        put((STAGE2_CRC32, _replace(area, start, size, old, new)))(area)

    return damage


def replace_in_kernel(old: bytes, new: bytes) -> Damage:
    """Other bytes in the kernel, with a right checksum."""

    def damage(area: bytearray) -> None:
        start, size = field(area, KERNEL + LBA) * SECTOR, field(area, KERNEL + SIZE)
        put((KERNEL + CRC32, _replace(area, start, size, old, new)))(area)

    return damage
