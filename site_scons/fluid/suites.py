"""The test aliases: which tests each runs, for which targets, and where its JUnit XML goes.

The tests themselves are pytest's business; FLUID_TARGETS tells those in tests/qemu which targets
are wanted (tests/qemu/matrix.py), so that no image of another one is needed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fluid.errors import FluidError
from fluid.targets import TARGETS

TARGETS_VARIABLE = "FLUID_TARGETS"  # tags, separated by blanks; not set: all
NO_TESTS = 5  # pytest.ExitCode.NO_TESTS_COLLECTED


@dataclass(frozen=True)
class Suite:
    """What one alias runs."""

    folder: str  # or file
    junit: str  # JUnit XML, below the tree
    marks: str | None = None  # for pytest -m; None: all but `full`, with full=1 all
    by_target: bool = False  # target= on the command line leaves out the other targets' tests

    def arguments(self, full: bool, jobs: int = 1) -> list[str]:
        """For pytest, in so many processes: a file's tests stay together and in order, since they
        share machines and trees."""
        several = ["-n", str(jobs), "--dist=loadfile", "--no-loadscope-reorder"]
        marks = "" if full and self.marks is None else self.marks
        chosen = [] if marks is None else ["-m", marks]  # pyproject.toml leaves `full` out
        parallel = several if jobs > 1 else []
        return [*chosen, *parallel, f"--junitxml={self.junit}", self.folder]


SUITES = {
    "test": Suite("tests", "build/junit/test.xml"),
    "test-unit": Suite("tests/unit", "build/junit/test-unit.xml"),
    "test-graph": Suite("tests/graph", "build/junit/test-graph.xml"),
    "test-host": Suite("tests/host", "build/junit/test-host.xml"),
    "test-qemu": Suite("tests/qemu", "build/junit/test-qemu.xml", by_target=True),
    "test-matrix": Suite("tests/qemu", "build/matrix/junit.xml", "matrix", by_target=True),
}
BY_TARGET = {alias for alias, suite in SUITES.items() if suite.by_target}


def wanted_targets(environment: Mapping[str, str]) -> list[str]:
    """The targets whose tests are to run, in the order of the table. E-SUITE-01: no such target."""
    wanted = environment.get(TARGETS_VARIABLE, " ".join(TARGETS)).split()
    if not wanted or not TARGETS.keys() >= set(wanted):
        raise FluidError(
            "E-SUITE-01",
            f"{TARGETS_VARIABLE} of {' '.join(TARGETS)} expected, found {' '.join(wanted)!r}",
        )
    return [tag for tag in TARGETS if tag in wanted]


def run(
    suite: Suite, top: Path, tested: Sequence[str], full: bool, path: str, jobs: int = 1
) -> int:
    """Runs the suite's tests of the targets `tested` with the programs of `path`, in `jobs`
    processes; pytest's status.

    E-SUITE-02: there is none. That is no success, whatever the reason.
    """
    variables = {k: v for k, v in os.environ.items() if k != TARGETS_VARIABLE}  # a caller's own
    variables |= {"PYTHONPATH": str(top / "site_scons"), "FLUID_BUILD": str(top / "build")}
    if suite.by_target and list(tested) != list(TARGETS):
        variables[TARGETS_VARIABLE] = " ".join(tested)
    command = [sys.executable, "-m", "pytest", *suite.arguments(full, jobs)]
    status = subprocess.call(command, cwd=top, env={**variables, "PATH": path})
    if status == NO_TESTS:
        raise FluidError(
            "E-SUITE-02",
            f"tests of {' '.join(tested)} expected in {suite.folder}, found none; "
            "what leaves them all out?",
        )
    return status
