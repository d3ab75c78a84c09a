"""Which memory is near a processor, as the firmware's SRAT tells it, sound and damaged."""

import struct
import subprocess
from pathlib import Path

import pytest

from acpi_image import table
from hostcc import FAIL, ROOT, build

SOURCES = [ROOT / "tests/host/srat_host.c", FAIL, ROOT / "src/kernel/dev/srat.c"]
HEAD = struct.pack("<IQ", 1, 0)


def memory(base: int, size: int, node: int, flags: int = 1) -> bytes:
    return struct.pack("<BBIHQQIIQ", 1, 40, node, 0, base, size, 0, flags, 0)


def processor(apic_id: int, node: int, flags: int = 1) -> bytes:
    high = (node >> 8).to_bytes(3, "little")
    return struct.pack("<BBBBIB3sI", 0, 16, node & 0xFF, apic_id, flags, 0, high, 0)


def x2apic(apic_id: int, node: int, flags: int = 1) -> bytes:
    return struct.pack("<BBHIIIII", 2, 24, 0, node, apic_id, flags, 0, 0)


def run(folder: Path, body: bytes, apic_id: int = 0, *arguments: str) -> list[str]:
    """What srat_host prints, in lines."""
    file = folder / "srat"
    file.write_bytes(table(b"SRAT", body))
    command = [str(build("srat_host", SOURCES)), str(file), str(apic_id), *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
    return done.stdout.splitlines()


def test_every_kind_of_entry(tmp_path: Path) -> None:
    entries = [
        processor(3, 0x1234506),
        processor(7, 9, flags=0),  # not there
        x2apic(300, 2),
        memory(0, 0xA0000, 0),
        memory(0x100000, 0x7FF00000, 0),
        memory(1 << 40, 1 << 30, 1),
        memory(1 << 41, 1 << 30, 1, flags=0),
        memory(1 << 42, 0, 1),
        b"\x63\x05abc",
        b"\xff\x02",
    ]
    body = HEAD + b"".join(entries)
    facts = [
        "memory 0 +a0000 node 0",
        "memory 100000 +7ff00000 node 0",
        "memory 10000000000 +40000000 node 1",
    ]
    assert run(tmp_path, body, 3) == [*facts, "processor in node 19088646"]
    assert run(tmp_path, body, 300) == [*facts, "processor in node 2"]
    assert run(tmp_path, body, 7) == facts
    assert run(tmp_path, HEAD) == []


@pytest.mark.parametrize(
    "body",
    [
        HEAD[:-1],
        HEAD + b"\x01",
        HEAD + b"\x01\x00",
        HEAD + b"\x01\x01",
        HEAD + memory(0, 1, 0)[:-1],  # reaches over the end
        HEAD + b"\x01\x27" + memory(0, 1, 0)[2:-1],  # shorter than its type
        HEAD + b"\x00\x0f" + processor(0, 0)[2:-1],
        HEAD + b"\x02\x17" + x2apic(0, 0)[2:-1],
        HEAD + memory((1 << 64) - 4096, 8192, 0),
        HEAD + memory(0, 0x2000, 0) + memory(0x1000, 0x2000, 1),
        HEAD + b"".join(memory(n << 20, 1 << 20, n) for n in range(33)),
    ],
)
def test_what_cannot_be(body: bytes, tmp_path: Path) -> None:
    [line] = run(tmp_path, body)
    assert line.startswith("E-ACPI-08 ACPI: a SRAT with ")


def test_random_damage(tmp_path: Path) -> None:
    """No byte outside of the table is read; srat_host aborts otherwise."""
    entries = [processor(0, 1), x2apic(300, 2)]
    entries += [memory(n << 20, 1 << 20, n) for n in range(8)]
    [line] = run(tmp_path, HEAD + b"".join(entries), 0, "1", "20000")
    assert 500 < int(line.removesuffix(" refused")) < 19500
