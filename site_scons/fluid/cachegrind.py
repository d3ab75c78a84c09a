"""Counts of a simulated processor: fluid-host in valgrind's cachegrind, which plays caches and
branch prediction (Valgrind's manual, chapter 5).

It counts whole processes; a process with FEW calls of a benchmark and one with MANY differ by the
calls. Simulated counts are of no real processor, so results name them as such. Valgrind plays one
without AVX-512; where the image needs that it does not start.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from fluid.catalogue import Progress
from fluid.emulator import HOST
from fluid.errors import FluidError
from fluid.event_types import Counters, Prompt, Ready
from fluid.machine import Machine
from fluid.training import BOOT_SECONDS, DEFAULT_SIZE, OWN_CODE_OFF, run_benchmark

VALGRIND = "valgrind"
SIMULATED = "cachegrind, simulated"
FEW, MANY = 2, 12  # calls
MEM = 256  # MiB: benchmarks need no model
STRIP = "llvm-objcopy-19"

# Our counts as sums of cachegrind's events. It has no TLB.
EVENTS: dict[str, tuple[str, ...] | None] = {
    "instructions": ("Ir",),
    "branch_misses": ("Bcm", "Bim"),
    "cache_misses": ("ILmr", "DLmr", "DLmw"),
    "branches": ("Bc", "Bi"),
    "cache_references": ("I1mr", "D1mr", "D1mw"),
    "tlb_misses": None,
}


def available() -> bool:
    """Whether valgrind is installed."""
    return shutil.which(VALGRIND) is not None


def simulate(
    image: Path, program: Path, names: Sequence[str], progress: Progress, *, target: str
) -> dict[str, Counters]:
    """Counts of one call at the default size by tag. E-BENCH-56 when valgrind counted nothing."""
    found: dict[str, Counters] = {}
    with tempfile.TemporaryDirectory() as folder:
        stripped = Path(folder) / program.name
        # Older valgrinds end when they see DWARF 5.
        _strip(program, stripped)
        for name in names:
            progress(f"cachegrind: {name}")
            run = (image, stripped, Path(folder) / "counts", target, name)
            (tag, few), (_, many) = _counted(*run, FEW), _counted(*run, MANY)
            found[tag] = per_call(few, many, MANY - FEW)
    return found


def _strip(program: Path, stripped: Path) -> None:
    command = [STRIP, "--strip-debug", str(program), str(stripped)]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise FluidError(
            "E-BENCH-56", f"{STRIP} was expected to copy {program.name}, found: {error}"
        ) from error


def _counted(
    image: Path, program: Path, result: Path, target: str, name: str, calls: int
) -> tuple[str, dict[str, int]]:
    """The benchmark's tag, and cachegrind's events of a process with so many calls."""
    result.unlink(missing_ok=True)
    words = ("--tool=cachegrind", "--cache-sim=yes", "--branch-sim=yes", "--quiet")
    with Machine(
        image,
        target=target,
        runner=HOST,
        mem=MEM,
        emulator=str(program),
        within=(VALGRIND, *words, f"--cachegrind-out-file={result}"),
        extra=("--simulated",),
    ) as machine:
        machine.wait_for(Ready, BOOT_SECONDS)
        machine.wait_for(Prompt, BOOT_SECONDS)
        machine.command(OWN_CODE_OFF)
        tag = run_benchmark(machine, name, DEFAULT_SIZE, calls).tag
        machine.send_line("/off")
        machine.wait_end(BOOT_SECONDS)
    return tag, read_counts(result)


def read_counts(path: Path) -> dict[str, int]:
    """The summary of cachegrind's file, whose lines "events:" and "summary:" have as many words."""
    try:
        lines = path.read_text(encoding="ascii", errors="replace").splitlines()
        rows = dict(line.split(": ", 1) for line in lines if line.startswith(("events", "summary")))
        values = [int(word) for word in rows["summary"].split()]
        return dict(zip(rows["events"].split(), values, strict=True))
    except (OSError, KeyError, ValueError) as error:
        raise FluidError(
            "E-BENCH-56",
            f"{path.name}: the events and the summary of cachegrind expected, found none "
            f"({error}); does valgrind --tool=cachegrind run?",
        ) from error


def per_call(few: dict[str, int], many: dict[str, int], calls: int) -> Counters:
    """Means of what the additional calls took; a few events of the console's vary."""
    counts: Counters = []
    for name, parts in EVENTS.items():
        if parts is None or not all(part in few and part in many for part in parts):
            counts.append((name, None))
        else:
            more = sum(many[part] - few[part] for part in parts)
            counts.append((name, max(0, round(more / calls))))
    return counts
