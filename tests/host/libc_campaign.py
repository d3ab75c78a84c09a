"""Measures every function of math.h on every target that runs here and writes docs/libc.md;
`scons libc-report` builds all targets first.

    PYTHONPATH=site_scons:tests:tests/host .venv/bin/python tests/host/libc_campaign.py
"""

import os
from collections.abc import Mapping

from tqdm import tqdm

from fluid.files import write_atomic
from fluid.libc_report import linked_sources, markdown
from fluid.targets import TARGETS
from hostcc import ROOT
from libc_accuracy import FUNCTIONS, Worst, measure
from libc_driver import MANIFEST, unfit
from libc_table import section
from qemu_images import BUILD

DOCUMENT = ROOT / "docs/libc.md"


def links(target: str) -> dict[str, set[str]]:
    """What is linked of the libraries, by unit."""
    base = TARGETS[target].base
    return {
        "kernel": linked_sources(BUILD / target / "kernel.map", "kernel"),
        "llama": linked_sources(BUILD / target / "obj" / base / "llama.map", "llama"),
    }


def _measure_all() -> Mapping[str, Mapping[str, Worst]]:
    fit = [target for target in TARGETS if not unfit(target)]
    for target in TARGETS:
        if target not in fit:
            print(f"{target} is not measured: {unfit(target)}")
    bar = tqdm(FUNCTIONS, unit="function", disable=None)
    measured = {}
    for function in bar:
        bar.set_postfix_str(function.name)
        measured[function.name] = measure(function, fit, "full")
    return measured


def main() -> None:
    """Prints the table, too."""
    found = {target: links(target) for target in TARGETS}
    one = next(iter(found.values()))
    different = [target for target, units in found.items() if units != one]
    if different:
        raise SystemExit(f"one list of linked objects for all targets expected, not {different}")
    accuracy = section(_measure_all(), list(TARGETS))
    print(accuracy)
    write_atomic(DOCUMENT, markdown(MANIFEST, one, accuracy).encode())
    print(f"written: {os.path.relpath(DOCUMENT)}")


if __name__ == "__main__":
    main()
