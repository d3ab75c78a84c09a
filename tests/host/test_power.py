"""How the firmware's tables say that a machine is switched off and reset, sound and damaged, and
the battery-backed clock in all its formats."""

import struct
import subprocess

import pytest

from acpi_image import table
from hostcc import FAIL, ROOT, build

DEV = ROOT / "src/kernel/dev"
SOURCES = [ROOT / "tests/host/power_host.c", FAIL, DEV / "fadt.c", DEV / "dsdt.c"]
DSDT_AT = 0x7FE0000
RESET_SUPPORTED = 1 << 10
MEMORY, PORTS, PCI = 0, 1, 2


def said(*arguments: str) -> str:
    command = [str(build("power_host", SOURCES)), *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
    return done.stdout.strip()


def address(space: int, at: int, bits: int = 8) -> bytes:
    return struct.pack("<BBBBQ", space, bits, 0, 1, at)


def fadt(
    *,
    pm1a: int = 0x604,
    pm1b: int = 0,
    control_bytes: int = 2,
    smi: int = 0,
    flags: int = RESET_SUPPORTED,
    reset: bytes = address(PORTS, 0xCF9),
    x_dsdt: int = 0,
    dsdt: int = DSDT_AT,
    x_pm1a: bytes = bytes(12),
    size: int = 244,
) -> str:
    """A fixed ACPI description table (ACPI 6.5, table 5.9) in hexadecimal."""
    body = bytearray(208)
    struct.pack_into("<I", body, 40 - 36, dsdt)
    struct.pack_into("<IB", body, 48 - 36, smi, 0xA0)
    struct.pack_into("<II", body, 64 - 36, pm1a, pm1b)
    body[89 - 36] = control_bytes
    struct.pack_into("<I12sB", body, 112 - 36, flags, reset, 0xF)
    struct.pack_into("<Q", body, 140 - 36, x_dsdt)
    struct.pack_into("<12s", body, 172 - 36, x_pm1a)
    return table(b"FACP", bytes(body[: size - 36])).hex()


def package(*elements: bytes, name: bytes = b"_S5_", count: int | None = None) -> bytes:
    """Name (_S5_, Package () {...}) in AML."""
    content = bytes([len(elements) if count is None else count]) + b"".join(elements)
    return b"\x08" + name + b"\x12" + bytes([1 + len(content)]) + content


def dsdt(code: bytes, before: bytes = bytes(5), behind: bytes = bytes(5)) -> str:
    return table(b"DSDT", before + code + behind).hex()


USUAL = dsdt(package(b"\x0a\x05", b"\x0a\x05", b"\x00", b"\x00"))


@pytest.mark.parametrize(
    ("code", "types"),
    [
        (package(b"\x00", b"\x00", b"\x00", b"\x00"), (0, 0)),
        (package(b"\x01", b"\x0a\x07"), (1, 7)),
        (package(b"\x0b\x05\x00", b"\x0c\x06\x00\x00\x00"), (5, 6)),
        (package(b"\x0a\x05"), (5, 5)),
        (package(b"\x0a\x05", b"\x0a\x02", name=b"\\_S5_"), (5, 2)),
        (b"\x08_S5_\x12\x47\x00\x02\x0a\x03\x0a\x04", (3, 4)),  # a length of two bytes
        (b"\x08_S5_\x08" + package(b"\x0a\x03", b"\x0a\x03"), (3, 3)),  # behind what is none
    ],
    ids=lambda value: value.hex() if isinstance(value, bytes) else None,
)
def test_the_package_of_s5(code: bytes, types: tuple[int, int]) -> None:
    """The other bits of the registers are kept, and one that is not there is not written."""
    wanted = [0x2000 | kind << 10 for kind in types]
    assert said("off", fadt(pm1b=0x608), dsdt(code)) == f"604={wanted[0]:x} 608={wanted[1]:x} 0"
    assert said("off", fadt(), dsdt(code)) == f"604={wanted[0]:x} 0"


@pytest.mark.parametrize(
    "code",
    [
        b"",
        b"_S5_" + package(b"\x00", b"\x00")[5:],
        package(b"\x00", b"\x00", name=b"_S4_"),
        package(),
        package(b"\x00", count=2),
        package(b"\x0a\x08", b"\x00"),  # three bits
        package(b"\x0b\x05\x01", b"\x00"),
        package(b"\x0c\x05\x00\x00\x01", b"\x00"),
        package(b"\xff", b"\x00"),
        package(b"\x0e" + bytes(8), b"\x00"),
        b"\x08_S5_\x12\x00",  # a length that does not count itself
        b"\x08_S5_\x12\x3f\x02\x00\x00",  # reaches over the end
        b"\x08_S5_\x12\xcf\xff\xff\xff\x02\x00\x00",
    ],
    ids=lambda code: code.hex(),
)
def test_a_dsdt_without_s5(code: bytes) -> None:
    first, last = said("off", fadt(), dsdt(code)).splitlines()
    assert first.startswith("E-ACPI-07 ") and last == "0"


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_dsdt_that_ends_in_the_package(cut: int) -> None:
    code = package(b"\x0a\x05", b"\x0a\x05", b"\x00", b"\x00")[:-cut]
    assert said("off", fadt(), dsdt(code, behind=b"")).startswith("E-ACPI-07 ")


def test_a_damaged_dsdt() -> None:
    """No byte outside of the table is read, whatever it says."""
    refused = int(said("s5", "1", "20000", USUAL).removesuffix(" refused"))
    assert 1000 < refused < 19000


def test_acpi_is_switched_on_first() -> None:
    assert said("off", fadt(smi=0xB2), USUAL) == "b2=a0 604=3401 0"


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({}, "604=3400 0"),
        ({"size": 116}, "604=3400 0"),  # ACPI 1.0
        ({"dsdt": 1, "x_dsdt": DSDT_AT}, "604=3400 0"),
        ({"pm1a": 0, "x_pm1a": address(PORTS, 0x404, 16)}, "404=3400 0"),
        ({"pm1a": 0, "x_pm1a": address(MEMORY, 0x404, 16)}, "0"),
        ({"pm1a": 0x10604}, "0"),
        ({"control_bytes": 1}, "0"),
        ({"dsdt": 0}, "0"),
    ],
    ids=str,
)
def test_where_the_registers_are(settings: dict[str, int], found: str) -> None:
    assert said("off", fadt(**settings), USUAL) == found  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({}, "cf9=f 0"),
        ({"reset": address(MEMORY, 0xFED00000)}, "memory=f"),
        ({"reset": address(MEMORY, 1 << 50)}, "0"),
        ({"reset": address(MEMORY, 0)}, "0"),
        ({"reset": address(PORTS, 0x10CF9)}, "0"),
        ({"reset": address(PCI, 0x44)}, "0"),
        ({"reset": address(PORTS, 0xCF9, 16)}, "0"),
        ({"flags": 0}, "0"),
        ({"size": 116}, "0"),
    ],
    ids=str,
)
def test_the_reset_register(settings: dict[str, int], found: str) -> None:
    assert said("reset", fadt(**settings), USUAL) == found  # type: ignore[arg-type]


def test_no_tables_and_a_short_one() -> None:
    assert said("off", "-", "-") == "0"
    assert said("off", fadt(), "-") == "0"
    assert said("off", fadt(size=115), USUAL).startswith("E-ACPI-06 ")


def cmos(second: int, minute: int, hour: int, day: int, month: int, year: int, b: int = 2) -> bytes:
    memory = bytearray(128)
    memory[0], memory[2], memory[4] = second, minute, hour
    memory[7], memory[8], memory[9], memory[11] = day, month, year, b
    memory[0x32] = 0x21
    return bytes(memory)


@pytest.mark.parametrize(
    ("memory", "century", "date"),
    [
        (cmos(0x59, 0x58, 0x23, 0x31, 0x12, 0x99), 0, "1999-12-31 23:58:59"),
        (cmos(0x00, 0x00, 0x00, 0x01, 0x01, 0x26), 0, "2026-01-01 00:00:00"),
        (cmos(0x00, 0x00, 0x00, 0x01, 0x01, 0x26), 0x32, "2126-01-01 00:00:00"),
        (cmos(0x00, 0x00, 0x00, 0x01, 0x01, 0x26), 0xFF, "2026-01-01 00:00:00"),
        (cmos(59, 58, 23, 31, 12, 26, 6), 0, "2026-12-31 23:58:59"),  # binary
        (cmos(0, 0, 0x12, 1, 1, 0x26, 0), 0, "2026-01-01 00:00:00"),  # 12 a.m.
        (cmos(0, 0, 0x92, 1, 1, 0x26, 0), 0, "2026-01-01 12:00:00"),
        (cmos(0, 0, 0x91, 1, 1, 0x26, 0), 0, "2026-01-01 23:00:00"),
        (cmos(0, 0, 0x8B, 1, 1, 26, 4), 0, "2026-01-01 23:00:00"),
        (cmos(0, 0, 0, 0x29, 2, 0x24), 0, "2024-02-29 00:00:00"),
        (cmos(0, 0, 0, 0x29, 2, 0x26), 0, "no date"),
        (cmos(0, 0, 0, 0x31, 4, 0x26), 0, "no date"),
        (cmos(0, 0, 0, 0, 1, 0x26), 0, "no date"),
        (cmos(0, 0, 0, 1, 0, 0x26), 0, "no date"),
        (cmos(0, 0, 0, 1, 0x13, 0x26), 0, "no date"),
        (cmos(0, 0, 0x24, 1, 1, 0x26), 0, "no date"),
        (cmos(0, 0, 0x13, 1, 1, 0x26, 0), 0, "no date"),
        (cmos(0x60, 0, 0, 1, 1, 0x26), 0, "no date"),
        (cmos(0x1A, 0, 0, 1, 1, 0x26), 0, "no date"),  # no BCD
        (bytes([0xFF] * 128), 0, "no date"),  # no battery, no clock
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_date(memory: bytes, century: int, date: str) -> None:
    assert said("rtc", memory.hex(), str(century), "0") == date


@pytest.mark.parametrize(("busy", "found"), [("50", True), ("1000", False)])
def test_an_update_in_progress(busy: str, found: bool) -> None:
    """It is waited for, though not for ever."""
    said_date = said("rtc", cmos(0, 0, 0, 1, 1, 0x26).hex(), "0", busy)
    assert said_date.startswith("2026-01-01") == found
