"""FAT16 images for the tests of the reader, made with mkfs.vfat and mtools, and a handle on the
reader's driver (fat16_host.c)."""

from __future__ import annotations

import os
import random
import shutil
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from error_codes import note
from hostcc import ROOT, build

KERNEL = ROOT / "src/kernel"
SOURCES = [
    ROOT / "tests/host/fat16_host.c",
    *sorted((KERNEL / "fs").glob("fat16*.c")),
    KERNEL / "dev/block.c",
    KERNEL / "dev/mbr.c",
]

SECTOR = 512
PARTITION_LBA = 64
FAT16_TYPE = 0x0E
STANDARD_SECTORS = 16384  # of the partition that most tests share
LONG = "A long name, with spaces & dots... and 64+ more characters in its tail.txt"
UNICODE = "größe-漢字-Ωя.bin"
SIZES = [0, 1, 511, 512, 513, 4096, 40000]

Contents = dict[str, bytes]  # by path


def content(size: int, seed: int) -> bytes:
    return random.Random(seed).randbytes(size)


# Files of every awkward size and kind of name, in directories and fragmented.
GAPS = {f"GAP{i}.BIN": content(5000, i) for i in range(12)}
DELETED = list(GAPS)[::2]
DIRECTORIES = ["MODULES", "MODULES/Deeper directory"]
WHOLE = {
    **{f"SIZE{size}.BIN": content(size, size) for size in SIZES},
    LONG: content(3000, 1),
    UNICODE: content(700, 2),
    "lower.txt": content(99, 3),
    # 40 long names: more than one cluster of entries
    **{f"MODULES/tensor_{i}.mod": content(600 + i, i) for i in range(40)},
    "MODULES/Deeper directory/x": content(5, 4),
}
FRAGMENTED = {name: content(28000, len(name)) for name in ("FRAGMENT.BIN", "fragmented too.bin")}
FILES = {**WHOLE, **FRAGMENTED, **{name: GAPS[name] for name in GAPS if name not in DELETED}}

ENVIRONMENT = {**os.environ, "LC_ALL": "C.UTF-8", "MTOOLS_SKIP_CHECK": "1"}


class Volume:
    """A FAT16 file system in a file of its own."""

    def __init__(
        self, path: Path, *, sectors: int, cluster: int, fats: int = 2, root: int = 512
    ) -> None:
        self.path = path
        self.sectors = sectors
        with open(path, "wb") as file:
            file.truncate(sectors * SECTOR)
        mkfs = shutil.which("mkfs.vfat", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
        assert mkfs, "mkfs.vfat expected (Debian package dosfstools)"
        options = [
            "-F",
            "16",
            "-S",
            str(SECTOR),
            "-s",
            str(cluster),
            "-f",
            str(fats),
            "-r",
            str(root),
        ]
        self._run([mkfs, *options, "-n", "LABEL", "-i", "12345678", str(path)])

    @staticmethod
    def _run(command: list[str]) -> None:
        subprocess.run(command, check=True, capture_output=True, env=ENVIRONMENT, timeout=120)

    def put(self, content: bytes, name: str) -> None:
        source = self.path.with_suffix(".tmp")
        source.write_bytes(content)
        self._run(["mcopy", "-i", str(self.path), str(source), f"::/{name}"])

    def mkdir(self, name: str) -> None:
        self._run(["mmd", "-i", str(self.path), f"::/{name}"])

    def delete(self, name: str) -> None:
        self._run(["mdel", "-i", str(self.path), f"::/{name}"])

    def to_disk(self, path: Path) -> Path:
        """Puts the volume behind a partition table, as partition 1 at PARTITION_LBA."""
        end = PARTITION_LBA + self.sectors
        with open(path, "wb") as disk:
            disk.truncate((end + 1) * SECTOR)
            disk.seek(446)
            disk.write(struct.pack("<4xB3xII", FAT16_TYPE, PARTITION_LBA, self.sectors))
            disk.seek(510)
            disk.write(b"\x55\xaa")
        # conv=sparse: images with 64 KiB clusters are long and almost empty.
        options = [f"if={self.path}", f"of={path}", "bs=32768", f"seek={PARTITION_LBA // 64}"]
        self._run(["dd", *options, "conv=sparse,notrunc"])
        return path


def fill(volume: Volume) -> None:
    """Puts FILES into an empty volume."""
    for name in DIRECTORIES:
        volume.mkdir(name)
    for name, data in {**GAPS, **WHOLE}.items():
        volume.put(data, name)
    for name in DELETED:
        volume.delete(name)
    for name, data in FRAGMENTED.items():
        volume.put(data, name)


def standard_disk(folders: pytest.TempPathFactory) -> Path:
    """A disk with FILES that tests share: 8143 clusters of 1 KiB, two FATs."""
    folder = folders.getbasetemp() / "fat16-standard"
    disk = folder / "disk.img"
    if disk.exists():
        return disk
    folder.mkdir()
    volume = Volume(folder / "fat.img", sectors=STANDARD_SECTORS, cluster=2)
    fill(volume)
    return volume.to_disk(disk)


@dataclass(frozen=True)
class Layout:
    """Where the areas lie, in bytes from the start of the disk."""

    disk: Path
    fat: int
    fat_bytes: int
    fats: int
    root: int
    root_entries: int
    data: int
    cluster_bytes: int
    clusters: int

    @staticmethod
    def of(disk: Path, lba: int = PARTITION_LBA) -> Layout:
        with open(disk, "rb") as file:
            file.seek(lba * SECTOR)
            boot = file.read(SECTOR)
        size, cluster, reserved, fats, root_entries, total16, _, fat_sectors = struct.unpack_from(
            "<HBHBHHBH", boot, 11
        )
        total = total16 or struct.unpack_from("<I", boot, 32)[0]
        start = lba * SECTOR
        fat = start + reserved * size
        root = fat + fats * fat_sectors * size
        data = root + root_entries * 32
        clusters = (total * size - (data - start)) // (cluster * size)
        return Layout(
            disk, fat, fat_sectors * size, fats, root, root_entries, data, cluster * size, clusters
        )

    def entry(self, short: bytes) -> int:
        """Offset of the root directory's entry with this 11-byte short name."""
        with open(self.disk, "rb") as file:
            file.seek(self.root)
            root = file.read(self.root_entries * 32)
        for at in range(0, len(root), 32):
            if root[at : at + 11] == short:
                return self.root + at
        raise AssertionError(f"no entry {short!r}")

    def link(self, cluster: int, copy: int = 0) -> int:
        """Offset of a cluster's entry in a FAT."""
        return self.fat + copy * self.fat_bytes + 2 * cluster


class ReaderError(Exception):
    def __init__(self, answer: str) -> None:
        super().__init__(answer)
        self.code = answer.split()[0]


class Reader:
    """The driver (fat16_host.c) on one disk image."""

    def __init__(self, disk: Path) -> None:
        self.disk = disk
        self.layout = Layout.of(disk)
        driver = build("fat16_host", SOURCES)
        self.process = subprocess.Popen(
            [driver, disk], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def close(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        assert self.process.wait(timeout=60) == 0, "the sanitizers found something"

    def ask(self, *words: str | int) -> list[str]:
        """The answer's lines, the last without its "ok". Raises ReaderError on an error answer."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write("\t".join(map(str, words)).encode() + b"\n")
        self.process.stdin.flush()
        lines: list[str] = []
        for raw in self.process.stdout:
            line = raw.decode().rstrip("\n")
            note(line)
            status, _, rest = line.partition(" ")
            if status == "ok" and "\t" not in line:
                return [*lines, rest]
            if status == "error":
                raise ReaderError(rest)
            lines.append(line)
        raise AssertionError(f"the reader died (status {self.process.wait()}) at {words}")

    def outcome(self, *words: str | int) -> str:
        """The last line of the answer, or the error's code."""
        try:
            return self.ask(*words)[-1]
        except ReaderError as error:
            return error.code

    def mount(self) -> None:
        _, lba, sectors = self.ask("mbr")[0].split()
        self.ask("mount", lba, sectors)

    def poke(self, offset: int, content: bytes) -> None:
        self.ask("poke", offset, content.hex())

    def names(self, path: str = "-") -> dict[str, tuple[str, str, int]]:
        """name -> (short name, "d" or "f", size)"""
        rows = [line.split("\t") for line in self.ask("list", path)[:-1]]
        return {row[0]: (row[1], row[2], int(row[3])) for row in rows}
