"""Line coverage of our C as the tests of fluid-host ran it (`scons coverage`).

Every process with check=coverage leaves a raw profile of the program and one of its modules; LLVM's
tools merge them and count lines. A run that left none is an error, not a table of zeros.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from fluid.errors import FluidError

PATTERN = "%p-%m.profraw"  # process, program
VARIABLE = "LLVM_PROFILE_FILE"
TESTED_BUILD = "FLUID_HOST_BUILD"  # "target check": what the tests run instead of all builds
TESTS = "tests/host/test_host_runner.py"


def run_tests(folder: Path, top: Path, build_root: Path, target: str) -> int:
    """Runs the tests with the instrumented fluid-host; profiles land in folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    variables = {
        "PYTHONPATH": str(top / "site_scons"),
        "FLUID_BUILD": str(build_root),
        TESTED_BUILD: f"{target} coverage",
        VARIABLE: str(folder.resolve() / PATTERN),
    }
    command = [sys.executable, "-m", "pytest", "-q", TESTS]
    return subprocess.call(command, cwd=top, env={**os.environ, **variables})


def _tool(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise FluidError(
            "E-COV-02",
            f"{command[0]} {command[1]} was expected to succeed, found: {done.stderr.strip()}; "
            "are program and profiles of one build?",
        )
    return done.stdout


def report(folder: Path, program: Path, modules: Sequence[Path]) -> str:
    """The table of lines per file. E-COV-01: there is no profile, E-COV-02: LLVM's tools failed."""
    raw = sorted(str(path) for path in folder.glob("*.profraw*"))
    if not any(path.endswith(".modules") for path in raw):
        raise FluidError(
            "E-COV-01",
            f"profiles of fluid-host and its modules expected in {folder}, found "
            f"{len(raw)} files of others; did any test end by itself?",
        )
    merged = folder / "merged.profdata"
    _tool("llvm-profdata-19", "merge", "-o", str(merged), *raw)
    objects = [part for module in modules for part in ("-object", str(module))]
    hidden = ["-show-region-summary=false", "-show-branch-summary=false"]
    where = [f"-instr-profile={merged}", "-ignore-filename-regex=/selftest/|/coverage/"]
    table = _tool("llvm-cov-19", "report", str(program), *objects, *where, *hidden)
    return table.partition("\nFiles which contain no functions:")[0].rstrip() + "\n" + _total(table)


def _total(table: str) -> str:
    """The last line, where the files without code stand in front of it."""
    return next(line for line in table.splitlines() if line.startswith("TOTAL"))
