"""Processors that the firmware lists and that do not start: each is a warning, not an end."""

import platform
import struct
import subprocess

import pytest

from acpi_image import LOCAL_APIC, local_apic, local_x2apic, table
from hostcc import FAIL, ROOT, build

INIT, STARTUP = 0x4500, 0x4610  # commands of the local APIC; the trampoline is at 0x10000
SOURCES = [ROOT / "tests/host/cores_host.c", FAIL]


def started(*entries: bytes, blocks: int | None = None) -> list[str]:
    if platform.machine() != "x86_64":
        pytest.skip("the code is for x86-64")
    madt = table(b"APIC", struct.pack("<II", LOCAL_APIC, 1) + b"".join(entries))
    program = build("cores_host", SOURCES, flags=["-D_GNU_SOURCE", "-Wno-unused-parameter"])
    command = [str(program), madt.hex(), *([str(blocks)] if blocks is not None else [])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_processor_that_does_not_start() -> None:
    """INIT, two SIPIs as the manual says, a second of patience, and INIT again."""
    said = started(local_apic(0), local_apic(1), local_apic(2, enabled=False), local_apic(7))
    commands = [line for line in said if " after " in line]
    assert commands[:4] == [
        f"1 {INIT:x} after 0 us",
        f"1 {STARTUP:x} after 10000 us",
        f"1 {STARTUP:x} after 200 us",
        f"1 {INIT:x} after 1000000 us",
    ]
    assert [int(line.split()[0]) for line in commands] == [1] * 4 + [7] * 4
    warnings = [line for line in said if line.startswith("E-CORE-01 ")]
    assert len(warnings) == 2 and "APIC id 7: expected to start" in warnings[1]
    assert said[-1] == "1"


def test_processors_that_are_not_tried() -> None:
    """One alone, one whose number needs x2APIC, and more than the table of cores has places for."""
    assert started(local_apic(0)) == ["1"]
    assert started(local_apic(0), local_x2apic(256)) == ["1"]


def test_no_memory_for_a_processor() -> None:
    for blocks in range(6):
        said = started(local_apic(0), local_apic(1), blocks=blocks)
        assert said[0].startswith("E-CORE-01 ") and said[1:] == ["1"]
