"""Measures every function of math.h on every target and writes docs/libc.md; `scons libc-report`
builds all targets first.

What this machine's processor cannot run is measured in Bochs, with fewer arguments.

    PYTHONPATH=site_scons:tests:tests/host:tests/qemu .venv/bin/python tests/host/libc_campaign.py
"""

import os
import tempfile
from pathlib import Path

import numpy as np
from tqdm import tqdm

from fluid import bochs
from fluid.event_types import Prompt
from fluid.files import write_atomic
from fluid.libc_report import linked_sources, markdown
from fluid.machine import Machine
from fluid.targets import TARGETS
from hostcc import ROOT
from libc_accuracy import FUNCTIONS, Worst, arguments, exact, measure, worst_of
from libc_driver import MANIFEST, Array, evaluate, unfit
from libc_machine import agreement, answer, differing, job, math_image, stand_in
from libc_table import emulated_extent, section
from qemu_images import BUILD

DOCUMENT = ROOT / "docs/libc.md"
BOCHS_SECONDS = 1800.0


def links(target: str) -> dict[str, set[str]]:
    """What is linked of the libraries, by unit."""
    base = TARGETS[target].base
    return {
        "kernel": linked_sources(BUILD / target / "kernel.map", "kernel"),
        "llama": linked_sources(BUILD / target / "obj" / base / "llama.map", "llama"),
    }


Measured = dict[str, dict[str, Worst]]  # by function and target


def _measure_here(targets: list[str]) -> Measured:
    bar = tqdm(FUNCTIONS, unit="function", disable=None)
    measured: Measured = {}
    for function in bar:
        bar.set_postfix_str(function.name)
        measured[function.name] = dict(measure(function, targets, "full"))
    return measured


def _report_of_bochs(target: str, jobs: list[bytes]) -> str:
    with tempfile.TemporaryDirectory() as folder:
        image = math_image(target, jobs, Path(folder))
        cpu = bochs.CPUS[target]
        with Machine(image, target=target, runner="bochs", cpu=cpu, mem=256) as machine:
            machine.wait_for(Prompt, BOCHS_SECONDS)
            return answer(machine)


Results = dict[str, Array]  # by function


def _results_of_bochs(target: str, given: Results, expected: Results) -> Results:
    """Those that are expected, mended until the machine agrees."""
    results = {name: rows.copy() for name, rows in expected.items()}
    left = list(given)
    while left:
        jobs = [job(name, given[name], results[name]) for name in left]
        report = _report_of_bochs(target, jobs)
        print(f"{target}: {report.partition(' differ')[0]} differ")
        if report == agreement(len(left), sum(len(given[name]) for name in left)):
            break
        other = differing(report)
        if not other:
            raise SystemExit(f"{target}: results that differ expected, Bochs says: {report}")
        for name, row, value in other:
            results[name][row] = value
        left = left[left.index(other[0][0]) :]  # those before agree
    return results


def _measure_emulated(target: str, measured: Measured) -> int:
    """Adds the target's errors to those that were measured here. Returns how many results were left
    out: those in which Bochs, not the code, is wrong, since it makes the same of the code of a
    level that is right where it runs without an emulator."""
    here = stand_in(target)
    given = {
        function.name: np.concatenate(list(arguments(function, emulated_extent(function))))
        for function in FUNCTIONS
    }
    count = sum(len(rows) for rows in given.values())
    print(f"{target}: {unfit(target)}; Bochs compares {count:,} results with {here}'s")
    expected = {name: evaluate(here, name, rows) for name, rows in given.items()}
    results = _results_of_bochs(target, given, expected)
    again = _report_of_bochs(here, [job(name, given[name], results[name]) for name in given])
    if again != agreement(len(given), count):
        raise SystemExit(f"{target}: the same as of {here} expected in Bochs, found {again}")
    left_out = 0
    for function in tqdm(FUNCTIONS, desc=target, unit="function", disable=None):
        name = function.name
        same = (results[name] == expected[name]) | np.isnan(expected[name])
        left_out += int(np.count_nonzero(~same))
        rows, found = given[name][same], results[name][same]
        measured[name][target] = worst_of(function, rows, found, exact(function, rows))
    return left_out


def main() -> None:
    """Prints the table, too."""
    found = {target: links(target) for target in TARGETS}
    one = next(iter(found.values()))
    different = [target for target, units in found.items() if units != one]
    if different:
        raise SystemExit(f"one list of linked objects for all targets expected, not {different}")
    emulated = [target for target in TARGETS if unfit(target)]
    measured = _measure_here([target for target in TARGETS if target not in emulated])
    left_out = {target: _measure_emulated(target, measured) for target in emulated}
    accuracy = section(measured, list(TARGETS), left_out)
    print(accuracy)
    write_atomic(DOCUMENT, markdown(MANIFEST, one, accuracy).encode())
    print(f"written: {os.path.relpath(DOCUMENT)}")


if __name__ == "__main__":
    main()
