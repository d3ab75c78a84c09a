"""PCI configuration space that lies: loops of capabilities, regions outside of their BAR, and an
MCFG that cannot be."""

import struct
import subprocess

import pytest

from acpi_image import table
from hostcc import FAIL, ROOT, build

DEV = ROOT / "src/kernel/dev"
SOURCES = [ROOT / "tests/host/pci_host.c", FAIL]
SOURCES += [DEV / f"{name}.c" for name in ("mcfg", "pci_capability", "virtio_modern")]
COMMON, NOTIFY, ISR, DEVICE = 1, 2, 3, 4
VENDOR = 9
SOUND = "common 0x10000 notify 0x10400 64 * 4 config 0x10200 32"


def said(*arguments: str) -> str:
    command = [str(build("pci_host", SOURCES)), *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
    return done.stdout.strip()


def capability(
    kind: int, offset: int, length: int, *, bar: int = 0, size: int = 0, extra: int = 4
) -> bytes:
    """A virtio capability without its pointer (virtio 1.1, 4.1.4)."""
    body = struct.pack(
        "<BBB3xII", size or (20 if kind == NOTIFY else 16), kind, bar, offset, length
    )
    return body + struct.pack("<I", extra)


USUAL = {
    0x40: capability(COMMON, 0, 0x38),
    0x58: capability(DEVICE, 0x200, 32),
    0x70: capability(NOTIFY, 0x400, 64),
}


def space(
    capabilities: dict[int, bytes], last: int = 0, ids: int = VENDOR, listed: bool = True
) -> str:
    """256 bytes in hexadecimal: capabilities at their places, chained in order; last: what the
    pointer of the last one is."""
    memory = bytearray(256)
    places = list(capabilities)
    memory[0x06] = 0x10 if listed else 0
    memory[0x34] = places[0] if places else last
    for at, following in zip(places, [*places, last][1:], strict=True):
        whole = bytes([ids, following]) + capabilities[at]
        memory[at : at + len(whole)] = whole
    return bytes(memory[:256]).hex()


@pytest.mark.parametrize(
    "memory",
    [
        space(USUAL),
        space({0xA0: b"", **USUAL}),  # another one in front
        space(USUAL, last=0x40),  # a loop
        space(USUAL, last=0x70),  # of one
        space(USUAL, last=0x3C),  # into the header
        space({**USUAL, 0x90: capability(COMMON, 0x100, 0x38)}),  # the first one counts
        space({0x90: capability(COMMON, 0x1000, 0x38), **USUAL}),  # that fits
        space({**USUAL, 0x90: capability(7, 0, 4)}),
        space({**USUAL, 0x90: capability(255, 0, 4)}),
    ],
    ids=range(9),
)
def test_registers_are_found(memory: str) -> None:
    assert said("virtio", memory) == SOUND


@pytest.mark.parametrize(
    "memory",
    [
        space({}),
        space({}, last=0xFC),
        space(USUAL, listed=False),
        space(USUAL, ids=5),
        space({at: USUAL[at] for at in (0x58, 0x70)}),
        space({at: USUAL[at] for at in (0x40, 0x58)}),
        space({**USUAL, 0x40: capability(COMMON, 0, 0x37)}),
        space({**USUAL, 0x40: capability(COMMON, 0xFD0, 0x38)}),
        space({**USUAL, 0x40: capability(COMMON, 0xFFFFFFFC, 0x38)}),
        space({**USUAL, 0x40: capability(COMMON, 0, 0xFFFFFFFF)}),
        space({**USUAL, 0x40: capability(COMMON, 2, 0x38)}),
        space({**USUAL, 0x40: capability(COMMON, 0, 0x38, bar=1)}),  # ports
        space({**USUAL, 0x40: capability(COMMON, 0, 0x38, bar=2)}),  # not there
        space({**USUAL, 0x40: capability(COMMON, 0, 0x38, bar=6)}),
        space({**USUAL, 0x40: capability(COMMON, 0, 0x38, size=15)}),
        space({**USUAL, 0x70: capability(NOTIFY, 0x400, 64, size=16)}),
        space({**USUAL, 0x70: capability(NOTIFY, 0x400, 1)}),
        space({0x40: USUAL[0x40], 0xF0: capability(NOTIFY, 0x400, 64)[:14]}),  # over the end
    ],
    ids=range(18),
)
def test_registers_that_cannot_be(memory: str) -> None:
    assert said("virtio", memory) == "none"


def test_random_damage() -> None:
    """Nothing outside of the space is read, nothing outside of a BAR is mapped, walks end."""
    refused = int(said("storm", "1", "50000", space(USUAL)).removesuffix(" refused"))
    assert 5000 < refused < 49000


def mcfg(*ranges: tuple[int, int, int, int], cut: int = 0) -> str:
    body = bytes(8) + b"".join(struct.pack("<QHBB4x", *one) for one in ranges)
    return table(b"MCFG", body[: len(body) - cut]).hex()


@pytest.mark.parametrize(
    ("ranges", "found"),
    [
        ([(0xB0000000, 0, 0, 255)], "b0000000 0 255"),
        ([(0xC0000000, 1, 0, 255), (0xB0000000, 0, 64, 127)], "b0000000 64 127"),
        ([(0x4000000000, 0, 0, 0)], "4000000000 0 0"),
    ],
    ids=str,
)
def test_mcfg(ranges: list[tuple[int, int, int, int]], found: str) -> None:
    assert said("mcfg", mcfg(*ranges)) == found


@pytest.mark.parametrize(
    "memory",
    [
        mcfg(),
        mcfg((0xB0000000, 1, 0, 255)),
        mcfg((0xB0000000, 0, 0, 255), cut=1),
        mcfg((0, 0, 0, 255)),
        mcfg((0xB0001000, 0, 0, 255)),
        mcfg((0xB0000000, 0, 9, 8)),
        mcfg((0xFFFFFFFFF0000000, 0, 0, 255)),
        table(b"MCFG", b"").hex(),
        table(b"MCFG", bytes(7)).hex(),
    ],
    ids=range(9),
)
def test_an_mcfg_that_cannot_be(memory: str) -> None:
    assert said("mcfg", memory).startswith("E-ACPI-09 ")
