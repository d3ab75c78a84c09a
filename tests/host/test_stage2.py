"""What if the BIOS tells no memory map, or address line 20 stays closed? No emulator does that."""

import subprocess

import pytest

from hostcc import ROOT, build


def said(*arguments: str) -> str:
    flags = ["-D_GNU_SOURCE", "-no-pie", "-fno-pie", "-Wno-pointer-to-int-cast"]
    program = build("stage2_host", [ROOT / "tests/host/stage2_host.c"], flags=flags, sanitize=False)
    command = [str(program), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


@pytest.mark.parametrize("way", ["bios", "keyboard", "port"])
def test_each_way_opens_line_20(way: str) -> None:
    assert said("a20", way) == "open\n"


def test_a_line_20_that_stays_closed() -> None:
    assert said("a20", "never").startswith("E-BOOT-40 address line A20 expected open")


def test_the_memory_map() -> None:
    assert said("memory", "1") == "1 ranges\n"
    assert said("memory", "128") == "128 ranges\n"
    assert said("memory", "0").startswith("E-BOOT-41 a memory map expected")
    assert said("memory", "129").startswith("E-BOOT-42 at most 128 memory ranges expected")
