"""The firmware's tables, sound and damaged: what is told of interrupt controllers, or why not."""

import struct
import subprocess
from pathlib import Path

import pytest

from acpi_image import (
    EBDA,
    IO_APIC,
    LOCAL_APIC,
    MADT,
    OTHER,
    RSDP,
    RSDT,
    USUAL,
    XSDT,
    Firmware,
    address_override,
    io_apic,
    local_apic,
    local_x2apic,
    nmi,
    override,
    rsdp,
    table,
)
from hostcc import FAIL, ROOT, build

SOURCES = [
    ROOT / "tests/host/acpi_host.c",
    FAIL,
    *(ROOT / f"src/kernel/dev/{n}.c" for n in ("acpi", "madt")),
]
SOUND = [
    "local APIC fee00000",
    "processors 1",
    "I/O APIC fec00000 from 0",
    "IRQ 0: 2 high edge",
    "IRQ 9: 9 high level",
    "NMI 1 high edge",
]


def run(memory: bytes, folder: Path, *arguments: str) -> list[str]:
    """What acpi_host prints, in lines."""
    file = folder / "memory"
    file.write_bytes(memory)
    command = [str(build("acpi_host", SOURCES)), str(file), *arguments]
    return subprocess.run(
        command, check=True, capture_output=True, text=True, timeout=300
    ).stdout.splitlines()


def code(firmware: Firmware, folder: Path) -> str:
    """The code of the refusal; "" for a machine without ACPI or without the table."""
    [line] = run(firmware.memory(), folder)
    return line.split(" ")[0]


@pytest.mark.parametrize(
    "firmware",
    [
        Firmware(),
        Firmware(revision=0),
        Firmware(rsdp_at=EBDA),
        Firmware(pieces={XSDT: None}),  # out of reach of 32 bits: the RSDT does
        Firmware(pieces={XSDT: table(b"XSDT", b"", 1 << 30)}),
        Firmware(pieces={RSDP: rsdp(2, length=20)}),  # its second part does not count
        Firmware(pieces={RSDP - 16: b"RSD PTR " + bytes(12)}),  # another with a wrong checksum
    ],
    ids=["xsdt", "rsdt", "ebda", "far-xsdt", "damaged-xsdt", "short-rsdp", "two-rsdps"],
)
def test_the_tables_are_found(firmware: Firmware, tmp_path: Path) -> None:
    assert run(firmware.memory(), tmp_path) == SOUND


def test_every_kind_of_entry(tmp_path: Path) -> None:
    unknown = b"\x0a\x03\xff"
    entries = [unknown, local_apic(0), local_apic(1, enabled=False), local_x2apic(300)]
    entries += [io_apic(), io_apic(IO_APIC + 0x1000, 24), override(5, 30, 0xF), override(3, 20, 5)]
    entries += [nmi(0, 0xF, 7), nmi(1, 0, 3), address_override(0xFFFE0000), b"\xff\x02"]
    assert run(Firmware(entries).memory(), tmp_path) == [
        "local APIC fffe0000",
        "processors 2",
        "I/O APIC fec00000 from 0",
        "I/O APIC fec01000 from 24",
        "IRQ 3: 20 high edge",
        "IRQ 5: 30 low level",
        "NMI 0 low level",
    ]


@pytest.mark.parametrize(
    "pieces",
    [
        {RSDP: None},
        {RSDP: b"RSD PTR " + bytes(28)},
        {RSDP: None, RSDP + 8: rsdp(2)},  # not on 16 bytes
        {MADT: None},  # its address has no memory: nobody can tell which table it is
        {XSDT: table(b"XSDT", b"")},
        {XSDT: table(b"XSDT", bytes(7))},  # no whole address
    ],
)
def test_a_machine_that_tells_nothing(pieces: dict[int, bytes | None], tmp_path: Path) -> None:
    assert code(Firmware(pieces=pieces), tmp_path) == ""


@pytest.mark.parametrize("root", [None, table(b"XSDT", b"") + b"", table(b"RSDT", b"", 35)])
def test_no_sound_root(root: bytes | None, tmp_path: Path) -> None:
    firmware = Firmware(pieces={XSDT: None, RSDT: root})
    assert code(firmware, tmp_path) == "E-ACPI-01"


@pytest.mark.parametrize("length", [0, 35, 1 << 20, (1 << 20) + 1, 0xFFFFFFFF])
def test_a_table_with_a_wrong_length(length: int, tmp_path: Path) -> None:
    """Of itself; nothing behind its end is read."""
    madt = table(b"APIC", struct.pack("<II", LOCAL_APIC, 1), length)
    assert code(Firmware(madt=madt), tmp_path) == "E-ACPI-02"


def test_a_wrong_checksum(tmp_path: Path) -> None:
    madt = bytearray(table(b"APIC", struct.pack("<II", LOCAL_APIC, 1) + io_apic()))
    madt[40] ^= 1
    assert code(Firmware(madt=bytes(madt)), tmp_path) == "E-ACPI-02"


def test_a_sound_table_behind_a_damaged_one(tmp_path: Path) -> None:
    assert run(Firmware(pieces={OTHER: table(b"APIC", b"", 99)}).memory(), tmp_path) == SOUND


@pytest.mark.parametrize(
    "entry",
    [
        b"\x01",
        b"\x01\x00",
        b"\x01\x01",
        b"\x01\x0c",  # reaches over the end
        b"\x63\xff",
        io_apic()[:1] + b"\x0b" + io_apic()[2:-1],  # shorter than its type
        local_apic(0)[:1] + b"\x07" + local_apic(0)[2:-1],
        io_apic(0),
        io_apic(IO_APIC + 8),
        override(16, 1),
        override(1, 1, bus=1),
        override(1, 1, 2),  # reserved polarity
        override(1, 1, 8),  # reserved trigger mode
        nmi(2),
        nmi(1, 2),
        address_override(0),
        address_override(0xFEE00010),
        io_apic() * 8,  # nine in all
    ],
    ids=lambda entry: entry[:8].hex(),
)
def test_entries_that_cannot_be(entry: bytes, tmp_path: Path) -> None:
    assert code(Firmware([*USUAL, entry]), tmp_path) == "E-ACPI-03"


def test_a_head_that_cannot_be(tmp_path: Path) -> None:
    assert code(Firmware(madt=table(b"APIC", bytes(7))), tmp_path) == "E-ACPI-03"
    assert code(Firmware(local_apic=0), tmp_path) == "E-ACPI-03"


def test_random_damage(tmp_path: Path) -> None:
    """No byte outside of a table is read, whatever it says; acpi_host aborts otherwise."""
    entries = [*USUAL, io_apic(IO_APIC + 0x1000, 24), local_x2apic(1), address_override(LOCAL_APIC)]
    [line] = run(Firmware(entries).memory(), tmp_path, "1", "20000")
    refused = int(line.removesuffix(" refused"))
    assert 1000 < refused < 19000
