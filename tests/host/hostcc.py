"""Compiles C sources for this machine, for tests that run modules and kernel code as a process.

    from hostcc import ROOT, build
    driver = build("tensor_host", [HERE / "tensor_host.c", ...], flags=["-mssse3"])

Programs (or, with "-shared" among the flags, libraries) land in build/host/<name>. They are rebuilt
when the command, the compiler, a source or any header under src/ and tests/ has changed, and are
replaced atomically, so that tests may run side by side and build the same name.

Under `scons coverage` they land in build/host-coverage/, count which lines run, and leave that in
the folder drivers/<name> of the profiles when they end by themselves.
"""

import fcntl
import functools
import hashlib
import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from fluid.coverage import COVERAGE_FLAGS, DRIVERS, DRIVERS_BUILD, FOLDER

ROOT = Path(__file__).resolve().parents[2]
PROFILES = os.environ.get(FOLDER)  # None: nothing is measured
OUTPUT = ROOT / DRIVERS_BUILD if PROFILES else ROOT / "build" / "host"
FAIL = ROOT / "tests/host/fail_host.c"  # fluid_fail, for programs without the kernel's
PRINT = ROOT / "tests/host/print_host.c"  # kprintf and others, for the console's files
CC = "clang-19"

WARNINGS = ["-Wall", "-Wextra", "-Werror"]
INCLUDES = ["-Isrc/include", "-Isrc/kernel"]
CONSOLE = ROOT / "src/kernel/console"
LINE_INPUT = [  # with console_host.c: what turns bytes into lines
    CONSOLE / f"{name}.c"
    for name in ("editor", "editor_view", "escape", "history", "line", "utf8", "width")
]
# -fno-sanitize-recover: undefined behaviour ends the process, as ASan's findings do.
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]

INCLUDED = re.compile(r'^#include "([^"]+\.c)"', re.MULTILINE)


class CompileError(Exception):
    """The compiler refused; the text is its own output."""


@functools.cache
def compiler_version() -> str:
    return subprocess.run([CC, "--version"], check=True, capture_output=True, text=True).stdout


def _command(sources: Sequence[Path], flags: Sequence[str], sanitize: bool) -> list[str]:
    level = ["-O1", *SANITIZERS] if sanitize else ["-O2"]
    names = [os.path.relpath(source, ROOT) for source in sources]
    # The caller's flags come last: they may override, and -l must follow the objects that need it.
    return [CC, "-std=c17", "-g", *level, *WARNINGS, *INCLUDES, *names, *flags]


def _with_included(sources: Sequence[Path]) -> list[Path]:
    """The sources and those .c files that they include."""
    found = [source.resolve() for source in sources]
    for path in found:  # grows
        for name in INCLUDED.findall(path.read_text(encoding="utf-8")):
            beside = (path.parent / name).resolve()
            included = beside if beside.exists() else ROOT / "src/kernel" / name
            if included not in found:
                found.append(included)
    return found


def _digest(command: Sequence[str], sources: Sequence[Path]) -> str:
    """Identifies everything that the output depends on."""
    folders = [ROOT / "src", ROOT / "tests" / "host", ROOT / "tests" / "fuzz"]
    headers = sorted(path for folder in folders for path in folder.rglob("*.h"))
    state = hashlib.sha256(repr([compiler_version(), *command]).encode())
    for path in [*_with_included(sources), *headers]:
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        state.update(f"{os.path.relpath(path, ROOT)} {content}\n".encode())
    return state.hexdigest()


def _counting(name: str) -> list[str]:
    """Flags that make a program count its lines; one file for all its processes (%m merges)."""
    if PROFILES is None:
        return []
    return [f"-fprofile-instr-generate={PROFILES}/{DRIVERS}/{name}/%m.profraw", *COVERAGE_FLAGS]


def build(
    name: str, sources: Sequence[Path], *, flags: Sequence[str] = (), sanitize: bool = True
) -> Path:
    """Builds build/host/<name> from sources unless it is up to date; returns its path.

    sanitize: with AddressSanitizer and UndefinedBehaviorSanitizer at -O1, else plain at -O2.
    Different flags need different names. Raises CompileError with the compiler's messages.
    """
    output = OUTPUT / name
    output.parent.mkdir(parents=True, exist_ok=True)
    stamp = output.with_name(output.name + ".sha256")
    given = [*_counting(name), *flags]
    command = _command([Path(source).resolve() for source in sources], given, sanitize)
    with open(output.with_name(output.name + ".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        digest = _digest(command, [Path(source) for source in sources])
        if output.exists() and stamp.exists() and stamp.read_text() == digest:
            return output
        fresh = output.with_name(f"{output.name}.{os.getpid()}.new")
        result = subprocess.run(
            [*command, "-o", str(fresh)], cwd=ROOT, check=False, capture_output=True, text=True
        )
        if result.returncode != 0:
            fresh.unlink(missing_ok=True)
            raise CompileError(f"{' '.join(command)}\n{result.stdout}{result.stderr}")
        stamp.unlink(missing_ok=True)
        fresh.replace(output)
        stamp.write_text(digest)
    return output
