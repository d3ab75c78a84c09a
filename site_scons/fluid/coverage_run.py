"""From the profiles of `scons coverage` to its report: build/<target>-coverage/coverage.json, pages
in html/, the table and the gate."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from fluid.coverage import measured_targets
from fluid.coverage_export import (
    driver_parts,
    guest_parts,
    host_parts,
    lines_of,
    python_lines,
    unrun_parts,
)
from fluid.coverage_html import write_pages
from fluid.coverage_report import Measured, check, measured, table, write_json
from fluid.hosted import output_folder
from fluid.progress import show_progress


@dataclass(frozen=True)
class Places:
    """The tree and the target whose folder takes the results."""

    top: Path
    target: str

    @property
    def builds(self) -> Path:
        return self.top / "build"

    @property
    def instrumented(self) -> list[Path]:
        """The builds that were measured."""
        targets = measured_targets(self.target)
        return [self.builds / output_folder(target, "coverage") for target in targets]

    @property
    def out(self) -> Path:
        return self.builds / output_folder(self.target, "coverage")

    @property
    def profiles(self) -> Path:
        return self.out / "profiles"


def collect(places: Places) -> Measured:
    """Merges what the tests left."""
    folder, top, work = places.profiles, places.top, places.out / "profdata"
    guest = guest_parts(folder, places.builds)
    host = host_parts(folder, places.out) + driver_parts(folder, top)
    found = measured(
        lines_of(guest, work, top, show_progress),
        lines_of(host, work, top, show_progress),
        lines_of(unrun_parts(places.instrumented, top), work, top, show_progress),
        python_lines(folder, top),
    )
    print(file=sys.stderr)
    return found


def report(places: Places) -> None:
    """Writes and prints all; E-COV-03 comes last."""
    found = collect(places)
    write_json(found, places.top, places.out / "coverage.json")
    write_pages(found.c | found.python, places.top, places.out / "html")
    print(table(found))
    print(f"  {places.out / 'html/index.html'} shows the lines")
    check(found)
