"""The FAT16 partition: sized from its content, filled by mtools, the same bytes for the same input.

E-FAT-50 content larger than FAT16 holds, 51 mkfs.vfat or mtools failed, 52 a name that is not
possible, 53 not a FAT16 file system. (Codes below 50 belong to the kernel's driver.)
"""

import os
import struct
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from fluid.errors import FluidError
from fluid.files import StrPath, align_up, replacing

SECTOR = 512
VOLUME_ID = "464c5549"
LABEL = "FLUID"
RESERVED_SECTORS = 1
FAT_COUNT = 2
ROOT_ENTRIES = 512
DIRECTORY_ENTRY = 32
LONG_NAME_CHARS = 13  # per directory entry

# Microsoft FAT specification 1.03: FAT16 has 4085 .. 65524 clusters; larger than 32 KiB they are
# not portable. mkfs.vfat and some drivers want a margin at both ends.
CLUSTERS_MIN = 4085 + 16
CLUSTERS_MAX = 65524 - 16
CLUSTER_SIZES = tuple(SECTOR << n for n in range(2, 7))  # 2 KiB .. 32 KiB
PARTITION_MAX = 2 << 30
SLACK = 4 << 20  # room for a few small files of the user

# mtools takes the time of new entries from SOURCE_DATE_EPOCH and shows it in TZ.
EPOCH_1980 = "315532800"


@dataclass(frozen=True)
class Geometry:
    cluster_size: int
    clusters: int
    fat_sectors: int

    def total_sectors(self) -> int:
        root = ROOT_ENTRIES * DIRECTORY_ENTRY // SECTOR
        data = self.clusters * (self.cluster_size // SECTOR)
        return RESERVED_SECTORS + FAT_COUNT * self.fat_sectors + root + data


def _entries(name: str) -> int:
    """Directory entries that a name takes, long-name entries included."""
    return 1 + align_up(len(name), LONG_NAME_CHARS) // LONG_NAME_CHARS


def _check_names(files: Sequence[tuple[StrPath, str]]) -> None:
    seen: set[str] = set()
    for _, name in files:
        parts = PurePosixPath(name).parts
        bad = any(set(p) & set('\\:*?"<>|') or p in (".", "..") or len(p) > 255 for p in parts)
        if bad or not parts or name.startswith("/") or not name.isascii() or name.upper() in seen:
            raise FluidError(
                "E-FAT-52",
                f"file name '{name}': a unique relative ASCII path without \\ : * ? \" < > | "
                "expected; rename it",
            )
        seen.add(name.upper())


def directories(names: Sequence[str]) -> list[str]:
    """Every directory that the files need, parents first."""
    found = {str(p) for name in names for p in PurePosixPath(name).parents}
    return sorted(found - {"."}, key=lambda d: (d.count("/"), d))


def _clusters_for(sizes: Sequence[int], names: Sequence[str], cluster_size: int) -> int:
    clusters = sum(align_up(size, cluster_size) // cluster_size for size in sizes)
    for directory in directories(names):
        inside = {PurePosixPath(n).relative_to(directory).parts[0] for n in names
                  if PurePosixPath(n).is_relative_to(directory)}  # fmt: skip
        bytes_needed = DIRECTORY_ENTRY * (2 + sum(_entries(n) for n in inside))
        clusters += align_up(bytes_needed, cluster_size) // cluster_size
    return clusters + SLACK // cluster_size


def plan_geometry(sizes: Sequence[int], names: Sequence[str]) -> Geometry:
    """The smallest clusters that hold files of these sizes; E-FAT-50 when none do."""
    for cluster_size in CLUSTER_SIZES:
        clusters = max(_clusters_for(sizes, names, cluster_size), CLUSTERS_MIN)
        fat_sectors = align_up((clusters + 2) * 2, SECTOR) // SECTOR
        geometry = Geometry(cluster_size, clusters, fat_sectors)
        if clusters <= CLUSTERS_MAX and geometry.total_sectors() * SECTOR <= PARTITION_MAX:
            return geometry
    raise FluidError(
        "E-FAT-50",
        f"a FAT16 partition holds less than {PARTITION_MAX >> 20} MiB, the files have "
        f"{sum(sizes) >> 20} MiB; choose a smaller model",
    )


def run_tool(program: str, *arguments: str) -> str:
    """What mkfs.vfat or one of mtools says, with no clock but 1980's. E-FAT-51: it is absent, or
    fails."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    env = {
        "PATH": path,
        "LC_ALL": "C",
        "TZ": "UTC0",
        "SOURCE_DATE_EPOCH": EPOCH_1980,
        "MTOOLSRC": "/dev/null",
        "MTOOLS_NO_VFAT": "0",
    }
    try:
        done = subprocess.run([program, *arguments], env=env, capture_output=True, text=True)
    except FileNotFoundError:
        raise FluidError(
            "E-FAT-51", f"{program} expected, not installed; install dosfstools and mtools"
        ) from None
    if done.returncode:
        message = " ".join((done.stderr or done.stdout).split())
        raise FluidError(
            "E-FAT-51",
            f"{program} was expected to succeed, it failed: {message} (disk full? newer program?)",
        )
    return done.stdout


def copy_into(image: StrPath, lba: int, file: StrPath, folder: str, name: str) -> None:
    """Copies a file into a folder of the root, in an older one's place, of the FAT16 partition that
    begins at a sector of the image. E-FAT-51, disk full among others."""
    partition = f"{image}@@{lba * SECTOR}"
    if f"::/{folder}/" not in run_tool("mdir", "-b", "-i", partition, "::").splitlines():
        run_tool("mmd", "-i", partition, f"::{folder}")
    run_tool("mcopy", "-o", "-i", partition, str(file), f"::{folder}/{name}")


def read_geometry(partition: StrPath) -> Geometry:
    """From the boot sector; E-FAT-53 unless it is a FAT16 file system that fits its file."""
    with Path(partition).open("rb") as file:
        sector = file.read(SECTOR)
        size = file.seek(0, os.SEEK_END)
    if len(sector) < SECTOR or sector[510:] != b"\x55\xaa":
        raise FluidError(
            "E-FAT-53", "a FAT16 boot sector expected, found other data; build it again"
        )
    sector_size, per_cluster, reserved, fats, root, small, _, fat_sectors = struct.unpack_from(
        "<HBHBHHBH", sector, 11
    )
    total = small or struct.unpack_from("<I", sector, 32)[0]
    if sector_size != SECTOR or not per_cluster or not fat_sectors or total * SECTOR > size:
        raise FluidError(
            "E-FAT-53", f"FAT16 of {size} bytes expected, {total} sectors found; build it again"
        )
    data = total - reserved - fats * fat_sectors - root * DIRECTORY_ENTRY // SECTOR
    clusters = data // per_cluster
    if not 4085 <= clusters <= 65524:
        raise FluidError(
            "E-FAT-53", f"4085..65524 clusters expected, {clusters} found; build it again"
        )
    return Geometry(per_cluster * SECTOR, clusters, fat_sectors)


def build_fat_partition(files: Sequence[tuple[StrPath, str]], out_path: StrPath) -> None:
    """A file system of (path, name in the image) pairs; directories come by themselves."""
    _check_names(files)
    files = sorted(files, key=lambda pair: pair[1])
    names = [name for _, name in files]
    root_entries = 1 + sum(_entries(n) for n in {PurePosixPath(n).parts[0] for n in names})
    if root_entries > ROOT_ENTRIES:
        raise FluidError(
            "E-FAT-52",
            f"at most {ROOT_ENTRIES} root entries expected, {root_entries} found; use folders",
        )
    geometry = plan_geometry([Path(path).stat().st_size for path, _ in files], names)
    with replacing(out_path) as new:
        new.unlink(missing_ok=True)
        with new.open("wb") as file:
            file.truncate(geometry.total_sectors() * SECTOR)
        image = str(new)
        options = ["--invariant", "-F", "16", "-i", VOLUME_ID, "-n", LABEL, "-S", str(SECTOR)]
        options += ["-s", str(geometry.cluster_size // SECTOR), "-R", str(RESERVED_SECTORS)]
        options += ["-f", str(FAT_COUNT), "-r", str(ROOT_ENTRIES), "-a"]
        run_tool("mkfs.vfat", *options, image)
        for directory in directories(names):
            run_tool("mmd", "-i", image, f"::{directory}")
        for path, name in files:
            run_tool("mcopy", "-i", image, str(path), f"::{name}")
        made = read_geometry(new)
        if made.cluster_size != geometry.cluster_size or made.clusters < geometry.clusters - 16:
            raise FluidError(
                "E-FAT-51",
                f"mkfs.vfat: {geometry} expected, {made} found; install another dosfstools",
            )
