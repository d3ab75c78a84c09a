"""Putting a module into an image: into a copy that takes the image's place, or not at all."""

from dataclasses import replace
from pathlib import Path

import pytest

import test_bootarea
from fluid import fat, image, modfile
from fluid.errors import FluidError
from fluid.manifest import SECTOR
from fluid.module_push import push
from test_image import read_back
from test_modfile import sample


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """An image with a model, and no folder MODULES."""
    test_bootarea.build(tmp_path, test_bootarea.make_kernel(tmp_path), b"registry")
    model, partition, disk = (tmp_path / name for name in ("model", "fat.img", "disk.img"))
    model.write_bytes(bytes(5000))
    fat.build_fat_partition([(model, "MODEL.GGUF")], partition)
    image.build_image(tmp_path / "boot.bin", partition, disk)
    return disk


def inside(disk: Path, name: str) -> bytes:
    lba = image.read_layout(disk).fat16().lba
    return read_back(Path(f"{disk}@@{lba * SECTOR}"), name)


def test_a_module_goes_in_and_a_newer_one_in_its_place(disk: Path, tmp_path: Path) -> None:
    mod = tmp_path / "any.mod"
    for rank in (1, 2):
        mod.write_bytes(modfile.pack(replace(sample(), rank=rank)))
        assert push(mod, disk) == f"MODULES/{sample().name}.mod"
        assert inside(disk, f"MODULES/{sample().name}.mod") == mod.read_bytes()
    assert inside(disk, "MODEL.GGUF") == bytes(5000)
    assert not disk.with_name("disk.img.new").exists()


def test_a_damaged_module_is_refused(disk: Path, tmp_path: Path) -> None:
    before, mod = disk.read_bytes(), tmp_path / "any.mod"
    mod.write_bytes(modfile.pack(sample())[:-1])
    with pytest.raises(FluidError, match="E-MOD-"):
        push(mod, disk)
    assert disk.read_bytes() == before


def test_a_full_partition_stays_as_it_is(disk: Path, tmp_path: Path) -> None:
    before, mod = disk.read_bytes(), tmp_path / "large.mod"
    mod.write_bytes(modfile.pack(replace(sample(), bitcode=bytes(64 << 20))))
    with pytest.raises(FluidError, match="E-FAT-51"):
        push(mod, disk)
    assert disk.read_bytes() == before
    assert not disk.with_name("disk.img.new").exists()


def test_something_else_than_an_image(tmp_path: Path) -> None:
    mod, other = tmp_path / "any.mod", tmp_path / "other"
    mod.write_bytes(modfile.pack(sample()))
    other.write_bytes(bytes(2048))
    with pytest.raises(FluidError, match="E-IMG-01"):
        push(mod, other)


def test_an_image_that_cannot_be_replaced(
    disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mod = tmp_path / "any.mod"
    mod.write_bytes(modfile.pack(sample()))

    def full(*paths: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("fluid.module_push.shutil.copyfile", full)
    with pytest.raises(FluidError, match=r"E-IMG-04.*No space left"):
        push(mod, disk)
