"""What if the processor lacks what the kernel was compiled for? The machine stops with the names of
all that is missing, on screen, serial line and as an event, before any such instruction."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from fluid.cpufeatures import LEVELS, ordered
from fluid.emulator import EMULATED, Ending
from fluid.event_types import Boot, Error, Warn
from fluid.fat import build_fat_partition
from fluid.image import build_image
from fluid.machine import Machine
from graph_tree import copy_sources
from guests import Machines, TinyModel, codes
from kernel_wants import wants
from qemu_images import image_of
from test_errors import ready_of, still_works, warnings
from vga_text import read_screen

SECONDS = 60.0
V1, V2, V3 = (LEVELS[tag].features for tag in ("x86-64", "x86-64-v2", "x86-64-v3"))
QEMU64 = {*V1, "sse3", "cx16", "sahf"}  # what TCG's model has of ours


@dataclass(frozen=True)
class Pair:
    """An image and a processor that it cannot run on."""

    tag: str
    cpu: str
    has: set[str]
    long_mode: bool = True

    @property
    def missing(self) -> list[str]:
        wanted = ordered(set(LEVELS[self.tag].features) - self.has)
        return ["lm"] * (not self.long_mode) + list(wanted)


PAIRS = [
    Pair("i686", "pentium3", {"sse"}),
    Pair("i686", "qemu32,-sse2", {"sse", "sse3"}),
    Pair("x86-64-v2", "qemu64", QEMU64),
    Pair("x86-64-v2", "qemu32", {*V1, "sse3"}, long_mode=False),
    Pair("x86-64-v2", "Nehalem,-sse4.2,-popcnt", set(V2) - {"sse4.2", "popcnt"}),
    Pair("x86-64-v3", "qemu64", QEMU64),
    Pair("x86-64-v3", "Nehalem", set(V2)),
    # The bits of AVX, and no way to switch it on.
    Pair("x86-64-v3", "Haswell-noTSX,-xsave", set(V3) - {"avx", "avx2", "f16c", "fma"}),
    Pair("x86-64-v3", "Haswell-noTSX,-movbe", set(V3) - {"movbe"}),
    Pair("x86-64-v4", "Haswell-noTSX", set(V3)),
    Pair("x86-64-v4", "max", set(V3)),
]


def told(pair: Pair) -> str:
    return (
        f"processor: {' '.join(pair.missing)} expected by a kernel for {pair.tag}, not found; "
        "use the image of a lower target, or a newer processor or -cpu model"
    )


@pytest.mark.parametrize("pair", PAIRS, ids=lambda p: f"{p.tag} on {p.cpu}")
def test_all_that_is_missing_is_named(machines: Machines, tiny: TinyModel, pair: Pair) -> None:
    guest = machines.start(pair.tag, image_of(pair.tag, tiny()), mem=256, cpu=pair.cpu)
    assert guest.wait_end(SECONDS) is Ending.FAIL, guest.text.decode()
    [error] = guest.events
    assert isinstance(error, Error)
    assert (error.code, error.text) == ("E-CPU-05", told(pair))
    assert f"\r\nerror E-CPU-05: {error.text}\r\n" in guest.text.decode()


# Stands between the runner and QEMU: no port to end through, so the screen stays, as on a real
# machine.
WITHOUT_EXIT = """#!{python}
import os, sys
argv = sys.argv[1:]
[at] = [n for n, word in enumerate(argv) if word.startswith("isa-debug-exit,")]
del argv[at - 1 : at + 1]
os.execvp({program!r}, [{program!r}, *argv])
"""


@pytest.mark.parametrize("pair", [PAIRS[0], PAIRS[5]], ids=lambda p: f"{p.tag} on {p.cpu}")
def test_the_screen_names_it_too(
    machines: Machines, tiny: TinyModel, tmp_path: Path, pair: Pair
) -> None:
    """In whole lines, and the machine stands still."""
    program = EMULATED[pair.tag].program
    emulator = tmp_path / "qemu"
    emulator.write_text(WITHOUT_EXIT.format(python=sys.executable, program=program))
    emulator.chmod(0o755)
    image = image_of(pair.tag, tiny())
    guest = machines.start(pair.tag, image, mem=256, cpu=pair.cpu, emulator=str(emulator))
    guest.wait_for(Error, SECONDS)
    guest.wait_text(b"error E-CPU-05", SECONDS)
    guest.wait_text(b"\n", SECONDS, start=guest.text.index(b"error E-CPU-05"))
    assert guest.quiet(0.3) and guest.running
    rows = read_screen(guest.qmp).rows
    start = next(n for n, row in enumerate(rows) if row.startswith("error E-CPU-05"))
    shown = "".join(row.ljust(80) for row in rows[start:])
    assert shown.rstrip() == f"error E-CPU-05: {told(pair)}"
    assert rows[start - 1].startswith("Fluid OS boot: loading")
    assert not any("ev" in row for row in rows)  # the event is for programs


def test_a_feature_without_a_name(
    machines: Machines, target: str, tiny: TinyModel, tmp_path: Path
) -> None:
    """What if the kernel wants what stage2 has never heard of? That is missing, too."""
    image = wants(image_of(target, tiny()), 1 << 63 | 1, tmp_path / "wants.img")
    guest = machines.start(target, image, mem=256)
    assert guest.wait_end(SECONDS) is Ending.FAIL
    assert codes(guest.events) == ["E-CPU-05"]
    assert "processor: bit63 expected" in guest.text.decode()


@pytest.mark.of_target("x86-64-v2")
def test_a_kernel_that_says_less_than_it_uses(
    machines: Machines, tiny: TinyModel, tmp_path: Path
) -> None:
    """stage2 lets it pass; the kernel looks again, and modules without their features stay out."""
    image = wants(image_of("x86-64-v2", tiny()), 0, tmp_path / "wants.img")
    guest = machines.boot("x86-64-v2", image, mem=256, cpu="Nehalem,-ssse3")
    [warning] = [event for event in guest.events if isinstance(event, Warn)]
    assert warning.code == "E-CPU-04"
    assert "ssse3 expected by target x86-64-v2" in warning.text
    assert "E-MOD-11" in codes(guest.events)
    assert codes(guest.command("/help")) == []


@pytest.mark.of_target("i686")
def test_a_control_bit_that_does_not_take(
    machines: Machines, tiny: TinyModel, tmp_path: Path
) -> None:
    """CPUID promises FXSR; without SSE the emulator refuses CR4.OSFXSR. (stage2 would not have
    started this kernel, had it said that it wants SSE.)"""
    image = wants(image_of("i686", tiny()), 0, tmp_path / "wants.img")
    guest = machines.start("i686", image, mem=256, cpu="qemu32,-sse,-sse2,-sse3")
    assert guest.wait_end(SECONDS) is Ending.FAIL
    assert codes(guest.events) == ["E-CPU-03"]


# ---- an image for one machine

CUSTOM = """{"schema": 1, "tag": "custom", "march": "x86-64", "features":
["sse", "sse2", "sse3", "ssse3", "sse4.1", "sse4.2", "popcnt", "cx16", "avx", "avx2"]}"""


@pytest.fixture(scope="module")
def custom(tiny: TinyModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Beyond x86-64, without being x86-64-v2 (no SAHF)."""
    folder = tmp_path_factory.mktemp("custom")
    tree = copy_sources(folder / "tree")
    (tree.top / "custom.json").write_text(CUSTOM)
    tree.scons("target=custom.json", "build/custom/boot.bin", ok=True)
    build_fat_partition([(tiny(), "MODEL.GGUF")], folder / "fat")
    build_image(tree.top / "build/custom/boot.bin", folder / "fat", folder / "custom.img")
    shutil.rmtree(tree.top)
    return folder / "custom.img"


def boot_of(guest: Machine) -> Boot:
    [boot] = [event for event in guest.events if isinstance(event, Boot)]
    return boot


@pytest.mark.of_target("x86-64")
def test_the_machine_that_an_image_was_made_for(machines: Machines, custom: Path) -> None:
    guest = machines.boot("x86-64", custom, mem=256, cpu="Haswell-noTSX")
    assert codes(guest.events) == [] and warnings(guest) == []
    tag = boot_of(guest).target
    assert tag.startswith("x86-64-") and ready_of(guest).variant == tag
    still_works(guest)


@pytest.mark.of_target("x86-64")
def test_another_machine_of_its_level(machines: Machines, custom: Path) -> None:
    """One warning that names what is missing; the level's code computes."""
    guest = machines.boot("x86-64", custom, mem=256, cpu="Nehalem")
    [warning] = [event for event in guest.events if isinstance(event, Warn)]
    assert warning.code == "E-CPU-04"
    assert f"avx avx2 expected by target {boot_of(guest).target}" in warning.text
    assert codes(guest.events) == [] and ready_of(guest).variant == "x86-64"
    still_works(guest)
