"""Raw profiles to covered lines: LLVM's tools for C, coverage.py for Python.

E-COV-01: a run left no profile. E-COV-02: a tool refused, or a program has other code than the
profile was made with.
"""

from __future__ import annotations

import os
import subprocess
import warnings
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import coverage as coverage_py

from fluid.coverage import DRIVERS, DRIVERS_BUILD, GUEST, KERNEL, PYTHON, PYTHON_FOLDERS
from fluid.coverage_lines import Lines, merge, parse
from fluid.errors import FluidError
from fluid.hosted import PROGRAM
from fluid.targets import TARGETS, module_variants

PROFDATA, COV = "llvm-profdata-19", "llvm-cov-19"
TOOL_SECONDS = 300
EMPTY_FILE = "empty.proftext"
EMPTY = "no function\n0\n1\n0\n"  # one that nothing has: name, hash, counters, the counter
MISMATCH = "mismatched data"  # llvm-cov's warning; it would leave these functions out


@dataclass(frozen=True)
class Part:
    """Profiles of one program or module; without any, it is known not to have run."""

    name: str
    profiles: Sequence[Path]
    program: Path


def _tool(*command: str) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=TOOL_SECONDS
    )
    if done.returncode != 0 or MISMATCH in done.stderr:
        raise FluidError(
            "E-COV-02",
            f"{command[0]} {command[1]} was expected to succeed, found: {done.stderr.strip()}; "
            "are program and profiles of one build?",
        )
    return done.stdout


def _module(build: Path, name: str) -> Path:
    """The linked object of <module>@<variant>, which is a level."""
    module, _, variant = name.partition("@")
    return build / "obj" / variant / f"{module}.o"


def _built(parts: Iterable[Part]) -> list[Part]:
    """Without the modules that tests have made, of variants that there are not."""
    return [part for part in parts if part.program.exists()]


def guest_parts(folder: Path, build_root: Path) -> list[Part]:
    """Kernels and modules of machines. E-COV-01 when no kernel told its counters."""
    found = []
    for place in sorted((folder / GUEST).glob("*/*")):
        build = build_root / place.parent.name
        program = build / "kernel.elf"
        if not place.name.startswith(f"{KERNEL}@"):
            program = _module(build, place.name)
        found.append(Part(f"{place.parent.name}-{place.name}", sorted(place.iterdir()), program))
    _expect([part for part in found if f"-{KERNEL}@" in part.name], "kernels in QEMU", folder)
    return _built(found)


def host_parts(folder: Path, build: Path) -> list[Part]:
    """fluid-host and its modules. E-COV-01 when it or they left none."""
    program = sorted(folder.glob(f"{PROGRAM}.*.profraw"))
    modules: dict[str, list[Path]] = {}
    for path in sorted(folder.glob(f"{PROGRAM}.*.profraw.*@*")):
        modules.setdefault(path.name.partition(".profraw.")[2], []).append(path)
    _expect(program, PROGRAM, folder)
    _expect(modules, f"modules of {PROGRAM}", folder)
    named = (Part(f"host-{name}", found, _module(build, name)) for name, found in modules.items())
    return [Part(PROGRAM, program, build / PROGRAM), *_built(named)]


def unrun_parts(builds: Iterable[Path], top: Path) -> list[Part]:
    """All that the builds have, without any profile: what never ran counts with all its lines."""
    found = []
    for build in builds:
        target = build.name.rpartition("-")[0]
        objects = {KERNEL: build / "kernel.elf", PROGRAM: build / PROGRAM}
        for variant in module_variants(TARGETS[target], top):
            objects[variant.key] = build / "obj" / variant.place / f"{variant.name}.o"
        found += [
            Part(f"unrun-{build.name}-{name}", [], path)
            for name, path in objects.items()
            if path.exists()
        ]
    return found


def driver_parts(folder: Path, top: Path) -> list[Part]:
    """The C drivers of tests/host, each with its own functions in place of the kernel's."""
    profiles: dict[str, list[Path]] = {}
    for path in sorted((folder / DRIVERS).rglob("*.profraw")):
        name = path.parent.relative_to(folder / DRIVERS).as_posix()
        profiles.setdefault(name, []).append(path)
    _expect(profiles, "C drivers of tests/host", folder)
    return [
        Part(f"driver-{name.replace('/', '-')}", found, top / DRIVERS_BUILD / name)
        for name, found in profiles.items()
    ]


def _expect(found: Iterable[object], whose: str, folder: Path) -> None:
    if not found:
        raise FluidError(
            "E-COV-01",
            f"profiles of {whose} expected in {folder}, found none; did any test end by itself?",
        )


def part_lines(part: Part, work: Path, top: Path) -> Lines:
    """Lines of one part; `work` takes the merged profile."""
    listed, merged = work / f"{part.name}.txt", work / f"{part.name}.profdata"
    profiles = [*part.profiles, work / EMPTY_FILE]
    listed.write_text("".join(f"{path}\n" for path in profiles))
    _tool(PROFDATA, "merge", "--failure-mode=any", "-o", str(merged), "-f", str(listed))
    text = _tool(COV, "export", "-format=lcov", f"-instr-profile={merged}", str(part.program))
    return parse(text, top)


def lines_of(
    parts: Sequence[Part], work: Path, top: Path, progress: Callable[[str], None]
) -> Lines:
    """Lines of all parts, several at a time."""
    work.mkdir(parents=True, exist_ok=True)
    (work / EMPTY_FILE).write_text(EMPTY)

    def one(part: Part) -> Lines:
        progress(f"llvm-cov: {part.name}")
        return part_lines(part, work, top)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return merge(pool.map(one, parts))


def python_lines(folder: Path, top: Path) -> Lines:
    """Lines of our Python; files that no process has imported count with all of theirs. E-COV-01
    when no process left data."""
    left = sorted(folder.glob(f"{PYTHON}.*"))
    _expect(left, "Python", folder)
    measured = coverage_py.Coverage(
        data_file=folder / "merged.sqlite", config_file=str(top / "pyproject.toml")
    )
    # Copies of the tree, in which tests build, count as the tree.
    measured.set_option("paths", {"python": [str(top / "site_scons"), "*/site_scons"]})
    report = folder / "python.lcov"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a process that was killed while it wrote
            measured.combine(map(str, left), strict=True, keep=True)
        measured.get_data().touch_files(
            [str(path) for name in PYTHON_FOLDERS for path in (top / name).glob("*.py")]
        )
        measured.lcov_report(outfile=str(report))
    except coverage_py.CoverageException as error:
        raise FluidError(
            "E-COV-02", f"coverage was expected to merge {folder}, found: {error}; run it again"
        ) from error
    return parse(report.read_text(encoding="utf-8"), top)
