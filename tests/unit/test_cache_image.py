"""The cache partition of an image: made, shown, pulled and pushed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import test_bootarea
from cache_images import KEYS, cache_of, filled, with_cache
from fluid import fat, image
from fluid.cache_image import KINDS, MOST, check, clear, pull, push, read, show, table
from fluid.cachedisk import MemoryDisk
from fluid.cachefile import Cache
from fluid.cachelayout import SECTOR
from fluid.errors import FluidError
from fluid.options import problems, unknown_goals


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """An image without a cache."""
    test_bootarea.build(tmp_path, test_bootarea.make_kernel(tmp_path), b"registry")
    (tmp_path / "model").write_bytes(bytes(5000))
    fat.build_fat_partition([(tmp_path / "model", "MODEL.GGUF")], tmp_path / "fat.img")
    image.build_image(tmp_path / "boot.bin", tmp_path / "fat.img", tmp_path / "plain.img")
    return tmp_path / "plain.img"


@pytest.fixture
def disk(plain: Path, tmp_path: Path) -> Path:
    """One with four entries."""
    return with_cache(plain, tmp_path / "disk.img", filled())


def test_an_image_with_a_cache(plain: Path, tmp_path: Path) -> None:
    """It follows the model's partition, is blank, and takes no room before it is used."""
    out = tmp_path / "cached.img"
    image.build_image(tmp_path / "boot.bin", tmp_path / "fat.img", out, 16)
    files, cache = image.read_layout(out).partitions
    assert files == image.read_layout(plain).fat16()
    assert cache.type == 0x7F and cache.sectors == 16 << 11 and not cache.active
    assert cache.lba % 2048 == 0 and files.lba + files.sectors <= cache.lba
    assert cache.lba + cache.sectors == out.stat().st_size // SECTOR
    assert cache_of(out).why_empty == "blank"
    assert out.stat().st_blocks * SECTOR < out.stat().st_size - (15 << 20)


def test_an_image_that_is_warm_from_the_start(disk: Path, tmp_path: Path) -> None:
    """With what another image has pulled; nothing else is taken for it."""
    pull(disk, tmp_path / "cache.bin")
    out = tmp_path / "warm.img"
    image.build_image(
        tmp_path / "boot.bin", tmp_path / "fat.img", out, check(tmp_path / "cache.bin")
    )
    assert show(out) == show(disk)
    for wrong in (bytes(16 << 20), b"no cache", filled()[:-1]):
        (tmp_path / "wrong.bin").write_bytes(wrong)
        with pytest.raises(FluidError, match="E-CACHE-51"):
            check(tmp_path / "wrong.bin")
    with pytest.raises(FluidError, match="E-CACHE-52"):
        check(tmp_path / "none.bin")


def test_kinds_equal_the_header() -> None:
    header = Path(__file__).resolve().parents[2] / "src/kernel/jit/entry.h"
    kinds = re.findall(r"#define ENTRY_(\w+) (\d)u +/\*", header.read_text(encoding="utf-8"))
    assert {int(number): name.lower() for name, number in kinds} == KINDS


def test_shows_what_there_is(disk: Path) -> None:
    text = show(disk)
    for number, key in enumerate(KEYS[:3]):
        assert re.search(rf"code +{key[:8].hex()} +{1000 + number} +{100 * number} +1\n", text)
    assert re.search(rf"{KEYS[3][:8].hex()} +banned", text)
    assert "toolchain" not in text
    log = Cache(MemoryDisk(read(disk)), lambda: 1)
    log.put(3, KEYS[0], b"0" * 64, MOST)
    assert re.search(rf"toolchain +{KEYS[0][:8].hex()} +64 +most +", table(log))
    assert "4 entries, 4 records of which 0 are damaged, 0 of 2 superblocks" in text


def test_cleared_in_place(disk: Path, plain: Path) -> None:
    """All else stays."""
    before = disk.read_bytes()
    clear(disk)
    assert cache_of(disk).why_empty == "blank" and not any(read(disk))
    assert disk.read_bytes()[: plain.stat().st_size] == before[: plain.stat().st_size]
    with pytest.raises(FluidError, match="E-CACHE-50"):
        clear(plain)


def test_shows_damage(plain: Path, tmp_path: Path) -> None:
    damaged = bytearray(filled())
    damaged[SECTOR * 17] ^= 1
    text = show(with_cache(plain, tmp_path / "disk.img", bytes(damaged)))
    assert "4 entries, 4 records of which 1 are damaged" in text
    damaged[0] ^= 1
    damaged[8 * SECTOR] ^= 1
    text = show(with_cache(plain, tmp_path / "disk.img", bytes(damaged)))
    assert "0 entries (damaged)" in text and "2 of 2 superblocks damaged" in text


def test_what_is_pulled_can_be_pushed(disk: Path, plain: Path, tmp_path: Path) -> None:
    pull(disk, tmp_path / "cache.bin")
    assert (tmp_path / "cache.bin").read_bytes() == filled()
    other = with_cache(plain, tmp_path / "other.img", bytes(len(filled())))
    push(tmp_path / "cache.bin", other)
    assert other.read_bytes() == disk.read_bytes()
    assert cache_of(other).get(1, KEYS[1]) == b"\2" * 1001
    assert not other.with_name("other.img.new").exists()


@pytest.mark.parametrize("wrong", ["empty", "shorter", "longer", "damaged", "other"])
def test_what_is_no_cache_of_this_size_is_refused(disk: Path, tmp_path: Path, wrong: str) -> None:
    data = filled()
    content = {
        "empty": b"",
        "shorter": data[:-SECTOR],
        "longer": data + bytes(SECTOR),
        "damaged": b"\1" + data[1 : 8 * SECTOR] + b"\1" + data[8 * SECTOR + 1 :],
        "other": b"any" * (len(data) // 3) + b"x",
    }[wrong]
    before = disk.read_bytes()
    (tmp_path / "cache.bin").write_bytes(content)
    with pytest.raises(FluidError, match="E-CACHE-51"):
        push(tmp_path / "cache.bin", disk)
    assert disk.read_bytes() == before


def test_images_without_a_cache(plain: Path, tmp_path: Path) -> None:
    (tmp_path / "cache.bin").write_bytes(filled())
    for work in (lambda: show(plain), lambda: pull(plain, tmp_path / "x")):
        with pytest.raises(FluidError, match="E-CACHE-50"):
            work()
    with pytest.raises(FluidError, match="E-CACHE-50"):
        push(tmp_path / "cache.bin", plain)


def test_files_that_cannot_be_used(disk: Path, tmp_path: Path) -> None:
    with pytest.raises(FluidError, match="E-CACHE-52"):
        push(tmp_path / "absent", disk)
    with pytest.raises(FluidError, match="E-CACHE-52"):
        pull(disk, disk / "inside of a file")
    with pytest.raises(FluidError, match="E-CACHE-52"):
        show(tmp_path)


def test_the_command_line() -> None:
    assert problems({"cache": "0"}) == problems({"cache": "1024"}) == []
    assert problems({"cache": "1025"})[0].startswith("E-OPT-02")
    assert unknown_goals(["cache-show", "cache-pull", "cache-push"]) == []
