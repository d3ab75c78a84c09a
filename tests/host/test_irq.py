"""Interrupts that are shared, spurious or endless, and I/O APICs that are none."""

import subprocess

import pytest

from hostcc import FAIL, ROOT, build

SOURCES = [ROOT / "tests/host/irq_host.c", FAIL]


def said(*arguments: str) -> list[str]:
    program = build("irq_host", SOURCES, flags=["-Wno-unused-parameter"])
    command = [str(program), *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    return done.stdout.splitlines()


def test_dispatch() -> None:
    """Every device on an IRQ is asked; what nobody asked for is counted, and masked when it comes
    10,000 times in a row; a spurious one is not ended again; a fifth device is a mistake."""
    assert said("dispatch") == [
        "counting",
        "registered 1 1 0",
        "nobody: taken 0 unclaimed 1 spurious 0 stuck 0 called 1 1 ended 1,0",
        "second: taken 1 unclaimed 1 spurious 0 stuck 0 called 2 2 ended 2,0",
        "both: taken 2 unclaimed 1 spurious 0 stuck 0 called 3 3 ended 3,0",
        "spurious: taken 0 unclaimed 0 spurious 1 stuck 0 called 3 3 ended 3,0",
        "real: taken 0 unclaimed 1 spurious 1 stuck 0 called 3 3 ended 4,0",
        "almost: taken 2 unclaimed 10000 spurious 0 stuck 0 called 10002 10002 ended 10003,0",
        "storm: taken 2 unclaimed 10001 spurious 0 stuck 1 called 10003 10003 ended 10004,1",
        "registered 0",
        "panic %s: assertion failed: %s",
    ]


def test_redirection() -> None:
    """24 pins: IRQ 0 at pin 2, IRQ 9 level-triggered and active low; vectors from 32 on."""
    assert said("ioapic", "00170020") == [
        "masked up to 3e: 10000",
        "IRQ 0: 1 14 20",
        "IRQ 1: 1 12 21",
        "IRQ 9: 1 22 a029",
        "IRQ 2: 0 0 0",
        "IRQ 12: 0 0 0",
        "masked 12 10000",
        "spurious 0",
        "end",
    ]


@pytest.mark.parametrize("version", ["ffffffff", "-", "00ff0011"])
def test_what_is_no_io_apic(version: str) -> None:
    [line] = said("ioapic", version)
    assert line.startswith("E-ACPI-04 an I/O APIC expected at 0xfec00000")
