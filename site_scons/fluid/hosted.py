"""fluid-host as a runner: the kernel in a Linux process, its command line and where it is built.

It speaks the console contract on standard input and output and ends with the statuses that QEMU's
isa-debug-exit gives, so that a Machine works with it as with an emulator.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from fluid.errors import FluidError
from fluid.files import replacing

PROGRAM = "fluid-host"
CORES_MAX = 32  # of a kernel, src/kernel/arch/x86/core.h
CHECKS = ("none", "address", "coverage", "undefined")  # values of check=
IN_PROCESS = ("address",)  # of these the ones that only fluid-host can run
# What scons pgo=1 builds beside the image: with nothing known, to measure; with counters in some
# modules; and with what the plan says, to measure again.
PGO_BUILDS = ("base", "counters", "trial")
LEVEL_BUILDS = ("O0", "O1", "O3")  # `scons levels`: every module at this one; base is the fourth
HOST_TESTED = ("i686", "x86-64-v2")  # targets whose fluid-host the tests run: one of each width
MIB = 1 << 20
TOP = Path(__file__).resolve().parents[2]


def output_folder(target: str, check: str = "none") -> str:
    """Name of the folder below build/: instrumented code has one of its own."""
    return target if check == "none" else f"{target}-{check}"


def default_program(target: str) -> Path:
    """Where the build puts fluid-host for a target."""
    return Path(os.environ.get("FLUID_BUILD", TOP / "build")) / target / PROGRAM


def usable_cores() -> int:
    """How many processors a process may run on that this one starts."""
    return min(len(os.sched_getaffinity(0)), CORES_MAX)


def command(
    image: Path,
    target: str,
    mem: int,
    cores: int,
    reboot: bool,
    extra: tuple[str, ...],
    program: str | None,
) -> list[str]:
    """The argument list; E-RUN-03 when the program is not built."""
    path = Path(program) if program else default_program(target)
    if not path.is_file():
        raise FluidError(
            "E-RUN-03",
            f"{path} expected, not found; build it with: scons build/{target}/{PROGRAM}",
        )
    argv = [str(path), "--mem", str(mem), "--cores", str(cores), *extra]
    return [*argv, *([] if reboot else ["--no-reboot"]), str(image)]


def machine_memory(size: int) -> int:
    """MiB of a machine for a model file of so many bytes: the file, its weights once more as a
    kernel may want them, and the KV cache."""
    return 1024 + 3 * size // MIB


def place(made: Sequence[str], paths: Sequence[str]) -> None:
    """Copies the linked program and its symbols to where they are run from, each at once whole."""
    for source, path in zip(made, paths, strict=True):
        with replacing(path) as new:
            shutil.copy(source, new)


def can_link(compiler: str, triple: str) -> bool:
    """True when the start files of the C library for this machine are installed."""
    query = [compiler, f"--target={triple}", "-print-file-name=crt1.o"]
    found = subprocess.run(query, capture_output=True, text=True, check=False).stdout.strip()
    return Path(found).is_absolute()
