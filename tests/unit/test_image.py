"""FAT16 partition and disk image: content, reproducibility, limits, partition table."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

import test_bootarea
from fluid import bootarea, fat, image
from fluid.errors import FluidError
from fluid.manifest import SECTOR

MIB = 1 << 20


def make_files(folder: Path) -> list[tuple[Path, str]]:
    folder.mkdir(exist_ok=True)
    (folder / "model").write_bytes(bytes(range(256)) * 8192)
    (folder / "mod").write_bytes(b"module")
    (folder / "empty").write_bytes(b"")
    return [
        (folder / "model", "MODEL.GGUF"),
        (folder / "mod", "MODULES/tensor_q4_1.x86-64-v2.mod"),
        (folder / "empty", "MODULES/DEEP/EMPTY"),
    ]


def read_back(partition: Path, name: str) -> bytes:
    command = ["mtype", "-i", str(partition), f"::{name}"]
    return subprocess.run(command, check=True, capture_output=True, timeout=60).stdout


def test_files_are_there_and_the_file_system_is_sound(tmp_path: Path) -> None:
    files = make_files(tmp_path)
    out = tmp_path / "fat.img"
    fat.build_fat_partition(files, out)
    for path, name in files:
        assert read_back(out, name) == path.read_bytes()
    env = {**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"}
    subprocess.run(["fsck.vfat", "-n", out], check=True, env=env, timeout=60, capture_output=True)
    geometry = fat.read_geometry(out)
    assert 4085 <= geometry.clusters <= 65524
    assert out.stat().st_size == geometry.total_sectors() * SECTOR
    assert not out.with_name("fat.img.new").exists()


def test_same_content_same_bytes(tmp_path: Path) -> None:
    images = []
    for n, folder in enumerate((tmp_path / "one", tmp_path / "two")):
        files = make_files(folder)
        for path, _ in files:
            os.utime(path, (10**9 + n * 12345, 10**9 + n * 54321))
        fat.build_fat_partition(files if n else files[::-1], folder / "fat.img")
        images.append((folder / "fat.img").read_bytes())
    assert images[0] == images[1]


def test_geometry_grows_with_the_content() -> None:
    cluster_sizes = []
    for mib in (0, 1, 98, 120, 250, 600, 1100, 2030):
        g = fat.plan_geometry([mib * MIB], ["MODEL.GGUF"])
        assert 4085 <= g.clusters <= 65524
        assert g.clusters * g.cluster_size >= mib * MIB
        assert (g.fat_sectors * SECTOR) // 2 >= g.clusters + 2
        assert g.total_sectors() * SECTOR <= fat.PARTITION_MAX
        cluster_sizes.append(g.cluster_size)
    assert cluster_sizes == sorted(cluster_sizes) and cluster_sizes[-1] == 32768
    with pytest.raises(FluidError, match=r"E-FAT-50 .*2048 MiB.*choose a smaller model"):
        fat.plan_geometry([2 << 30], ["MODEL.GGUF"])


def test_many_small_files_fit(tmp_path: Path) -> None:
    (tmp_path / "small").write_bytes(b"x")
    names = [f"MODULES/a_module_with_a_rather_long_name_{n}.mod" for n in range(700)]
    assert fat.plan_geometry([1] * 700, names).clusters >= 700 + 700 * 5 * 32 // 2048


@pytest.mark.parametrize(
    "name", ["", "/MODEL", "../MODEL", "a:b", "A\\B", "MODEL?", "MODÈLE", "x" * 256]
)
def test_impossible_names(tmp_path: Path, name: str) -> None:
    (tmp_path / "f").write_bytes(b"x")
    with pytest.raises(FluidError, match="E-FAT-52"):
        fat.build_fat_partition([(tmp_path / "f", name)], tmp_path / "fat.img")
    assert list(tmp_path.iterdir()) == [tmp_path / "f"]


def test_same_name_in_other_case(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x")
    with pytest.raises(FluidError, match="E-FAT-52"):
        fat.build_fat_partition([(tmp_path / "f", "a"), (tmp_path / "f", "A")], tmp_path / "i")


def test_too_many_root_entries(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x")
    files = [(tmp_path / "f", f"F{n}") for n in range(300)]
    with pytest.raises(FluidError, match="E-FAT-52 at most 512 root entries"):
        fat.build_fat_partition(files, tmp_path / "fat.img")


def make_image(folder: Path, registry: bytes = b"registry") -> Path:
    test_bootarea.build(folder, test_bootarea.make_kernel(folder), registry)
    fat.build_fat_partition(make_files(folder), folder / "fat.img")
    image.build_image(folder / "boot.bin", folder / "fat.img", folder / "fluid.img")
    return folder / "fluid.img"


def test_image_holds_boot_area_and_partition(tmp_path: Path) -> None:
    out = make_image(tmp_path)
    layout = image.read_layout(out)
    partition = layout.fat16()
    data = out.read_bytes()
    boot, disk = (tmp_path / "boot.bin").read_bytes(), (tmp_path / "fat.img").read_bytes()
    assert layout.partitions == [image.Partition(True, 0x0E, 2048, len(disk) // SECTOR)]
    assert data[2048 * SECTOR : 2048 * SECTOR + len(disk)] == disk
    assert data[SECTOR : len(boot)] == boot[SECTOR:] and data[:446] == boot[:446]
    assert data[510:512] == b"\x55\xaa" and len(data) % MIB == 0
    assert layout.manifest == bootarea.read_area(out).manifest
    assert partition.lba * SECTOR >= len(boot)


def test_partition_follows_a_large_boot_area(tmp_path: Path) -> None:
    out = make_image(tmp_path, bytes(3 * MIB))
    assert image.read_layout(out).fat16().lba == 4 * 2048


def test_image_is_sparse_and_reproducible(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    one, two = make_image(tmp_path), make_image(tmp_path / "other")
    assert one.read_bytes() == two.read_bytes()
    assert one.stat().st_blocks * 512 < one.stat().st_size


def test_replacing_the_registry(tmp_path: Path) -> None:
    out = make_image(tmp_path)
    before = image.read_layout(out)
    image.replace_registry(out, b"another" * 1000)
    area = bootarea.read_area(out)
    assert area.registry == b"another" * 1000
    assert area.manifest.build_id == before.manifest.build_id
    assert image.read_layout(out).partitions == before.partitions
    for wrong in (b"", bytes(MIB)):
        with pytest.raises(FluidError, match="E-IMG-02"):
            image.replace_registry(out, wrong)


def test_wrong_partition_tables(tmp_path: Path) -> None:
    good = image.Partition(True, 0x0E, 2048, 1000)
    wrong = [
        [image.Partition(True, 0x0E, 0, 10)],
        [image.Partition(True, 0x0E, 2048, 0)],
        [image.Partition(True, 0x0E, 2048, 8000)],
        [image.Partition(True, 0x0E, 0xFFFFFFFF, 2)],
        [good, image.Partition(False, 0x83, 3047, 10)],
    ]

    def mbr(partitions: list[image.Partition]) -> bytes:
        return bytes(446) + image.pack_table(partitions) + b"\x55\xaa"

    assert image.unpack_table(mbr([good]), 10000) == [good]
    for partitions in wrong:
        with pytest.raises(FluidError, match="E-IMG-01"):
            image.unpack_table(mbr(partitions), 10000)
    with pytest.raises(FluidError, match="E-IMG-01"):
        image.unpack_table(bytes(512), 10000)


def test_parts_that_are_not_what_they_should_be(tmp_path: Path) -> None:
    make_image(tmp_path)
    boot, disk, out = (tmp_path / n for n in ("boot.bin", "fat.img", "x.img"))
    for first, second, code in ((disk, disk, "E-BOOT-04"), (boot, boot, "E-FAT-53")):
        with pytest.raises(FluidError, match=code):
            image.build_image(first, second, out)
    assert not out.exists() and not out.with_name("x.img.new").exists()
