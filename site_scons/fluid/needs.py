"""What the goals of a call need: which builds, and of each which parts. What nobody asks for is not
in the graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from fluid import quality_formats
from fluid.emulator import HOST
from fluid.hosted import CHECKS, HOST_TESTED, PROGRAM, output_folder
from fluid.suites import BY_TARGET
from fluid.targets import DEFAULT_TARGET, TARGETS

BOOTED = {"run", "bench", "profile", "warmup"}  # with runner=
TESTS_OF_ALL = {"test", "test-host"}  # of all targets, and of instrumented code
TESTS_OF_JIT = {*TESTS_OF_ALL, "test-qemu"}  # with jit.elf
TESTS_OF_HOST = {*TESTS_OF_ALL, "test-qemu"}  # with fluid-host
# Without AVX-512 on this machine tests compare with the results of another target's code
# (tests/qemu/test_libc_machine.py).
COMPARED = {"x86-64-v4": "x86-64-v3"}
FOR_ALL_TARGETS = TESTS_OF_ALL | {"libc-report"}


def tested_targets(given: Mapping[str, str]) -> list[str]:
    """The targets of tests that go by target: the one of the command line, which is `given`, or
    all. The default of target= says what an image is for, and nothing about tests."""
    return [given["target"]] if "target" in given else list(TARGETS)


def wanted_builds(
    target: str,
    check: str,
    goals: list[str],
    folders: Sequence[str] = tuple(TARGETS),
    tested: Sequence[str] = tuple(TARGETS),
) -> list[tuple[str, str]]:
    """(target, check) of each graph that is needed: what was chosen, what is named by path, for
    tests that go by target those that are `tested`, for the others all levels and the instrumented
    build of the default one. Targets go by their folders, which `folders` lists."""
    every = [(t, c) for t in folders for c in CHECKS]
    wanted = {(target, check)}
    for goal in goals:
        wanted |= {pair for pair in every if goal.startswith(f"build/{output_folder(*pair)}/")}
    if "coverage" in goals:
        wanted |= {(t, "coverage") for t in (target, *HOST_TESTED)}
    if BY_TARGET & set(goals):
        wanted |= {(t, "none") for t in tested}
    if "test-qemu" in goals:
        wanted |= {(COMPARED[t], "none") for t in tested if t in COMPARED}
    if "test" in goals or ("test-qemu" in goals and DEFAULT_TARGET in tested):
        wanted.add((DEFAULT_TARGET, "undefined"))
    if FOR_ALL_TARGETS & set(goals):
        wanted |= {(t, check) for t in TARGETS}
    if TESTS_OF_ALL & set(goals):
        wanted.add((DEFAULT_TARGET, "address"))
    return [pair for pair in every if pair in wanted]


def wants_host(target: str, runner: str, goals: list[str], pgo: bool = False) -> bool:
    """Whether fluid-host belongs to what is asked for; a plain build leaves it out."""
    named = any(g.rpartition("/")[2].startswith(PROGRAM) for g in goals)
    tested = bool(TESTS_OF_HOST & set(goals)) and target in HOST_TESTED
    return (
        pgo
        or named
        or tested
        or "coverage" in goals
        or quality_formats.wanted(goals)
        or (bool(BOOTED & set(goals)) and runner == HOST)
    )


def implies_jit(tiers: str, goals: list[str]) -> bool:
    """Whether what is asked for is about jit=1."""
    return tiers == "1" or "warmup" in goals


def asks_for_jit(jit: str, goals: list[str], served: str = "0") -> bool:
    """Whether the compiler of the machine is asked for by name, or by compile=1 (`served`)."""
    named = {"jit", "jit-times"} & set(goals)
    return "1" in (jit, served) or bool(named) or any(g.startswith("build/jit/") for g in goals)


def wants_jit(jit: str, goals: list[str], served: str = "0") -> bool:
    """Whether it belongs to what is asked for: tests run it, too."""
    return asks_for_jit(jit, goals, served) or bool(TESTS_OF_JIT & set(goals))


def carries_bitcode(jit: str, goals: list[str], served: str = "0") -> bool:
    """Whether modules in images have what it compiles."""
    return jit == "1" or (served == "1" and "run" in goals)


def wants_bitcode(jit: str, goals: list[str], served: str = "0") -> bool:
    """Whether that belongs to what is asked for."""
    used = bool({*TESTS_OF_JIT, "jit-times"} & set(goals))
    return (
        carries_bitcode(jit, goals, served) or used or any(goal.endswith(".bc") for goal in goals)
    )


def wants_report(goals: list[str]) -> bool:
    """Whether the report, or a part of it by its path, is asked for."""
    return any(
        goal == "report" or (goal.startswith("build/") and Path(goal).parent.name == "report")
        for goal in goals
    )


def wants_levels(goals: list[str]) -> bool:
    """Whether the table of levels is; with it pgo=1. The report shows it."""
    return "levels" in goals or wants_report(goals)


def wants_libc(goals: list[str]) -> bool:
    """Whether the library of the modules belongs to what is asked for; no image needs it."""
    wanted = (FOR_ALL_TARGETS | TESTS_OF_HOST) & set(goals)
    return bool(wanted) or any(goal.endswith("/libc.o") for goal in goals)
