"""Damage to FAT16 boot sectors: a wrong value for each field, and the code that names it.

The reader is tried with these in a Linux process (tests/host/test_fat16_damage.py), and whole
machines are booted with them (tests/qemu/test_damage.py). Offsets are those of fatgen103.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass

Patch = tuple[int, bytes]  # offset in the boot sector


@dataclass(frozen=True)
class Bpb:
    """The fields of a sound boot sector, as far as the damage depends on them."""

    cluster: int
    total16: int
    fat_sectors: int
    partition: int  # sectors

    @staticmethod
    def of(boot: bytes, partition: int) -> "Bpb":
        total16, _, fat_sectors = struct.unpack_from("<HBH", boot, 19)
        return Bpb(boot[13], total16, fat_sectors, partition)

    def total(self, sectors: int) -> Patch:
        """The count of sectors, in the field that is in use."""
        return (19, u16(sectors)) if self.total16 else (32, u32(sectors))


def u16(value: int) -> bytes:
    return struct.pack("<H", value)


def u32(value: int) -> bytes:
    return struct.pack("<I", value)


BPB_DAMAGES: list[tuple[str, Callable[[Bpb], Patch], str]] = [
    ("jump", lambda _: (0, b"\x00"), "E-FAT-01"),
    ("signature", lambda _: (511, b"\x00"), "E-FAT-01"),
    ("bytes-per-sector", lambda _: (11, u16(1024)), "E-FAT-02"),
    ("no-sectors-per-cluster", lambda _: (13, b"\x00"), "E-FAT-03"),
    ("three-sectors-per-cluster", lambda _: (13, b"\x03"), "E-FAT-03"),
    ("no-reserved-sector", lambda _: (14, u16(0)), "E-FAT-04"),
    ("no-fat", lambda _: (16, b"\x00"), "E-FAT-05"),
    ("three-fats", lambda _: (16, b"\x03"), "E-FAT-05"),
    ("no-root-entries", lambda _: (17, u16(0)), "E-FAT-06"),
    ("odd-root-entries", lambda _: (17, u16(500)), "E-FAT-06"),
    ("media", lambda _: (21, b"\xf1"), "E-FAT-07"),
    ("no-total", lambda bpb: bpb.total(0), "E-FAT-08"),
    ("total-beyond-partition", lambda bpb: bpb.total(bpb.partition + 1), "E-FAT-08"),
    (
        "two-totals",
        lambda bpb: (32, u32(bpb.partition)) if bpb.total16 else (19, u16(bpb.partition)),
        "E-FAT-08",
    ),
    ("reserved-beyond-partition", lambda bpb: (14, u16(bpb.partition)), "E-FAT-09"),
    ("fats-beyond-partition", lambda _: (22, u16(0xFFFF)), "E-FAT-09"),
    ("large-clusters", lambda bpb: (13, bytes([2 * bpb.cluster])), "E-FAT-10"),
    ("short-fat", lambda bpb: (22, u16(bpb.fat_sectors // 2)), "E-FAT-11"),
    ("other-media", lambda _: (21, b"\xf0"), "E-FAT-12"),
]
