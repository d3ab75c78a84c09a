"""Errors of the kernel's entry on the screen: a person without a serial cable reads the same."""

import struct
from pathlib import Path

import pytest

from boot_images import BootImages, Damage, replace_in_kernel, replace_in_stage2
from fluid.emulator import EMULATED
from fluid.event_types import Error
from guests import Machines
from vga_text import COLUMNS, shown

FIRST_ROW, ROWS = 22, 3  # where the sentence is shown, entry32.S
WHITE_ON_RED = 0x4F
SECONDS = 60.0

NOT_BY_STAGE2 = replace_in_stage2(b"FLDB", b"ELSE")  # BOOTINFO_MAGIC
NO_CPUID = replace_in_kernel(b"\x35" + struct.pack("<I", 1 << 21), b"\x35" + bytes(4))

CASES: list[tuple[str, str, str | None, Damage | None]] = [
    ("i686", "E-BOOT-50", None, NOT_BY_STAGE2),
    ("x86-64-v2", "E-BOOT-50", None, NOT_BY_STAGE2),
    ("i686", "E-CPU-01", None, NO_CPUID),
    ("x86-64-v2", "E-CPU-01", None, NO_CPUID),
    ("i686", "E-CPU-02", "486", None),  # no TSC
    ("i686", "E-CPU-02", "pentium", None),  # no PAE
    ("x86-64-v2", "E-CPU-02", "pentium", None),
    ("x86-64-v2", "E-CPU-02", "qemu32", None),  # no long mode: the longest sentence
]

# Stands between the runner and QEMU: the machine has no port to end through, so it halts and its
# screen stays, as on a real one.
WITHOUT_EXIT = """#!/usr/bin/env python3
import os, sys
argv = sys.argv[1:]
[at] = [n for n, word in enumerate(argv) if word.startswith("isa-debug-exit,")]
del argv[at - 1 : at + 1]
os.execvp({program!r}, [{program!r}, *argv])
"""


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> BootImages:
    return BootImages(tmp_path_factory.mktemp("boot"))


@pytest.mark.parametrize(("target", "code", "cpu", "damage"), CASES)
def test_the_screen_tells_why(
    machines: Machines,
    images: BootImages,
    tmp_path: Path,
    target: str,
    code: str,
    cpu: str | None,
    damage: Damage | None,
) -> None:
    """The sentence of the event, in rows of its own, and nothing else in them."""
    emulator = tmp_path / "qemu"
    emulator.write_text(WITHOUT_EXIT.format(program=EMULATED[target].program))
    emulator.chmod(0o755)
    image = images.image(target, damage=damage)
    guest = machines.start(target, image, mem=64, cpu=cpu, emulator=str(emulator))
    [error] = guest.wait_for(Error, SECONDS)
    assert isinstance(error, Error) and error.code == code
    sentence = f"error {code}: {error.text}"
    place = sentence.ljust(ROWS * COLUMNS)
    screen = shown(guest, lambda screen: screen.unwrapped.endswith(place), sentence)
    red = [row for row, colours in enumerate(screen.colours) if WHITE_ON_RED in colours]
    assert red == list(range(FIRST_ROW, FIRST_ROW + ROWS))
    assert all(set(screen.colours[row]) == {WHITE_ON_RED} for row in red)
    assert "Fluid OS boot: loading" in screen.text
