"""Disks that break the rules: the virtio driver against a device that is played, and the checks in
front of every driver."""

import subprocess

import pytest

from hostcc import FAIL, ROOT, build

DEV = ROOT / "src/kernel/dev"
SOURCES = [ROOT / "tests/host/disk_host.c", FAIL]
SOURCES += [DEV / f"{n}.c" for n in ("block", "block_split", "virtio", "virtio_blk", "virtqueue")]


def said(*arguments: str) -> list[str]:
    command = [str(build("disk_host", SOURCES)), *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def result(line: str) -> str:
    """The code in a line, or ok."""
    return next(word for word in line.split() if word == "ok" or word.startswith("E-"))


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ([], "virtio0 4096 sectors, flush"),
        (["capacity=1"], "virtio0 1 sectors, flush"),
        (["capacity=0xffffffffffffffff"], "virtio0 18446744073709551615 sectors, flush"),
        (["capacity=0"], "no disk"),
        (["features=0x100000020"], "virtio0 4096 sectors, read-only"),
        (["features=0x100000000", "size_max=0"], "virtio0 4096 sectors"),  # not offered
        (["features=0x202"], "no disk"),  # not virtio 1.0 where it was expected
        (["features=0x202", "modern=0"], "virtio0 4096 sectors, flush"),
        (["refuses=1"], "no disk"),
        (["size_max=512"], "virtio0 4096 sectors, flush"),
        (["size_max=511"], "no disk"),
        (["queue=0"], "no disk"),
        (["queue=2"], "no disk"),
        (["queue=4"], "virtio0 4096 sectors, flush"),
        (["queue=100"], "no disk"),
        (["queue=32768"], "virtio0 4096 sectors, flush"),
        (["queue=32768", "features=0x202", "modern=0"], "virtio0 4096 sectors, flush"),
        (["queue=65536"], "no disk"),
        (["dead="], "no disk"),
    ],
    ids=str,
)
def test_what_a_device_says_of_itself(settings: list[str], found: str) -> None:
    assert said("open", *settings) == [found]


@pytest.mark.parametrize("fault", ["silent", "jump", "back", "id", "length", "status", "no-status"])
def test_one_fault_is_survived(fault: str) -> None:
    """Reads and writes are tried again; a flush is not, it would tell nothing."""
    write, read, flush, last = said("fault", fault, "1")
    assert [result(line) for line in (write, read)] == ["ok", "ok"]
    assert result(flush) == ("E-DISK-03" if fault == "silent" else "E-DISK-07")
    assert last == "usable again"


@pytest.mark.parametrize(
    ("fault", "codes"),
    [
        ("silent", ["E-DISK-03"] * 3),
        ("dead", ["E-DISK-03"] * 3),
        ("jump", ["E-DISK-05", "E-DISK-01", "E-DISK-07"]),
        ("id", ["E-DISK-05", "E-DISK-01", "E-DISK-07"]),
        ("length", ["E-DISK-05", "E-DISK-01", "E-DISK-07"]),
        ("status", ["E-DISK-05", "E-DISK-01", "E-DISK-07"]),
    ],
)
def test_a_fault_that_stays_has_a_code(fault: str, codes: list[str]) -> None:
    """And when it goes away, the disk works again."""
    *kinds, last = said("fault", fault, "1000")
    assert [result(line) for line in kinds] == codes
    assert last == "usable again"


def test_ranges_that_are_not_on_the_disk() -> None:
    *refused, last = said("range")
    assert [result(line) for line in refused] == ["E-DISK-04"] * 9
    assert last == "ok"


def test_memory_that_a_controller_does_not_reach() -> None:
    assert said("bounce") == ["bounced"]


@pytest.mark.parametrize("seed", ["1", "2", "3"])
def test_a_device_that_writes_anything(seed: str) -> None:
    """Neither a wild access nor an endless wait; disk_host aborts otherwise."""
    [line] = said("storm", seed, "3000")
    assert 100 < int(line.split()[0]) < 3000
