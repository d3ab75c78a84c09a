"""`scons coverage`: which tests run, on what, and where their counters go.

    <folder>/guest/<build>/<part>@<variant>/*.profraw   kernel and modules of machines in QEMU
    <folder>/fluid-host.<process>.profraw               fluid-host
    <folder>/fluid-host.<process>.profraw.<module>@<variant>
    <folder>/drivers/<program>/*.profraw                the C drivers of tests/host
    <folder>/python.*                                   Python

A kernel that panics takes its counters along; so does a process that is killed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from fluid.errors import FluidError
from fluid.event_types import ProfRaw
from fluid.hosted import HOST_TESTED, output_folder
from fluid.profraw import pack
from fluid.suites import TARGETS_VARIABLE
from fluid.targets import TARGETS

FOLDER = "FLUID_COVERAGE"  # variable: where raw profiles go (arch/hosted/coverage/profile.c)
TESTED_BUILD = "FLUID_HOST_BUILD"  # "target check": what the tests run instead of all builds
GUEST, DRIVERS, PYTHON = "guest", "drivers", "python"
DRIVERS_BUILD = "build/host-coverage"  # tests/host/hostcc.py
COVERAGE_FLAGS = ("-fcoverage-mapping", "-ffile-compilation-dir=.")
KERNEL = "kernel"  # as a part of a machine, beside the names of modules
PYTHON_FOLDERS = ("site_scons/fluid", "site_scons/site_tools")
RUN_SECONDS = 2400

TESTS = (
    "tests/unit",
    "tests/graph",
    "tests/host",
    "tests/qemu/test_chat.py",
    "tests/qemu/test_console.py",
    "tests/qemu/test_disk.py",
    "tests/qemu/test_disk_writes.py",
    "tests/qemu/test_errors.py",
    "tests/qemu/test_keyboard.py",
    "tests/qemu/test_machine.py",
    "tests/qemu/test_memory.py",
    "tests/qemu/test_module_disk.py",
    "tests/qemu/test_pci.py",
    "tests/qemu/test_power_off.py",
    "tests/qemu/test_profile.py",
    "tests/qemu/test_settings.py",
    "tests/qemu/test_tasks.py",
)
LEFT_OUT = (  # of these; files and tests
    # They look at code, at numbers of calls or at time, which instrumentation changes.
    "tests/graph/test_rebuild.py::test_nothing_changed",
    "tests/host/test_host_profile.py",
    "tests/host/test_llama_code.py",
    "tests/host/test_tensor_code.py",
    # They need builds that are not made here, or modules without initialisers.
    "tests/host/test_alloc_failure.py",
    "tests/host/test_libc_accuracy.py",
    "tests/host/test_libc_functions.py",
    "tests/host/test_sanitizers.py",
    "tests/qemu/test_module_disk.py::test_what_does_not_work_changes_nothing",
    # They are long, and reach nothing that others do not.
    "tests/graph/test_cpu_targets.py::test_a_profile_that_is_a_level",
    "tests/graph/test_cpu_targets.py::test_equal_features_make_equal_images",
    "tests/graph/test_cpu_targets.py::test_native_is_the_same_as_its_profile",
    "tests/graph/test_cpu_targets.py::test_one_feature_rebuilds_the_variant_that_has_it",
    "tests/graph/test_cpu_targets.py::test_switching_targets_rebuilds_nothing",
    "tests/graph/test_host_program.py::test_built_only_when_asked_for",
    "tests/graph/test_host_program.py::test_program_and_symbols_fit",
    "tests/graph/test_host_program.py::test_sources",
    "tests/graph/test_products.py::test_two_folders",
    "tests/graph/test_sharing.py::test_a_launcher_runs_the_compiler_and_changes_nothing",
    "tests/graph/test_sharing.py::test_a_second_clone_takes_all_but_the_image",
    "tests/host/test_smollm2.py",
    "tests/unit/test_matrix.py",
    "tests/unit/test_sconsw.py",
    "tests/unit/test_style.py",
)


def measured_targets(target: str) -> list[str]:
    """Those whose images the tests boot: the chosen one, and one of each width."""
    return list(dict.fromkeys((target, *HOST_TESTED)))


def store_guest(exports: Iterable[ProfRaw], folder: Path, target: str, name: str) -> None:
    """Raw profiles of one machine, which tells them as events."""
    bits = 32 if TARGETS[target].arch == "i686" else 64
    for export in exports:
        place = folder / GUEST / output_folder(target, "coverage")
        place /= f"{export.module}@{export.target}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{name}.profraw").write_bytes(pack(export, bits, counted=False))


def clear(folder: Path) -> None:
    """Profiles of an earlier run would count as this one's."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)


def run_tests(folder: Path, top: Path, build_root: Path, target: str, jobs: int) -> int:
    """Runs the tests with instrumented programs and Python; profiles land in folder. Their status;
    E-COV-04 when they do not end."""
    clear(folder)
    variables = {
        "PYTHONPATH": str(top / "site_scons"),
        "FLUID_BUILD": str(build_root),
        FOLDER: str(folder.resolve()),
        TESTED_BUILD: f"{target} coverage",
        TARGETS_VARIABLE: " ".join(measured_targets(target)),
        "COVERAGE_FILE": str(folder.resolve() / PYTHON),
    }
    several = ["-n", str(jobs), "--dist=loadfile", "--no-loadscope-reorder"] if jobs > 1 else []
    left_out = [f"--deselect={n}" if "::" in n else f"--ignore={n}" for n in LEFT_OUT]
    command = [sys.executable, "-m", "coverage", "run", "-m", "pytest", "-q", *several, *left_out]
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE_")}
    try:
        return subprocess.run(
            [*command, *TESTS], cwd=top, env={**inherited, **variables}, timeout=RUN_SECONDS
        ).returncode
    except subprocess.TimeoutExpired:
        raise FluidError(
            "E-COV-04",
            f"tests that end within {RUN_SECONDS} s expected, they were stopped; which one hangs?",
        ) from None
