"""Lines of sources and whether they ran: read from lcov's format, which llvm-cov and coverage.py
both write, and merged by file and line.

The same source is compiled several times: for machines of 32 and 64 bits, for several levels of
CPU, for fluid-host and for drivers of tests. LLVM merges counters of functions that are alike; what
#if made different it drops. So each program is exported by itself and a line ran if it ran in any.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

Lines = dict[str, dict[int, bool]]  # file, relative to the tree -> line with code -> it ran


@dataclass(frozen=True)
class Count:
    """How many lines of code there are, and how many of them ran."""

    covered: int
    total: int

    @property
    def percent(self) -> float:
        """0 where there is no code."""
        return 100 * self.covered / self.total if self.total else 0.0


def parse(text: str, top: Path) -> Lines:
    """The records of one export; files outside of the tree are left out."""
    found: Lines = {}
    lines: dict[int, bool] = {}
    for record in text.splitlines():
        kind, _, rest = record.partition(":")
        if kind == "SF":
            path = os.path.relpath(os.path.join(top, rest), top)
            lines = {} if path.startswith("..") else found.setdefault(path, {})
        elif kind == "DA":
            number, count = rest.split(",")[:2]
            line = int(number)
            lines[line] = lines.get(line, False) or int(count) > 0
    return found


def merge(parts: Iterable[Lines]) -> Lines:
    """Every line that is code in any part; it ran if it did in one."""
    merged: Lines = {}
    for part in parts:
        for path, lines in part.items():
            into = merged.setdefault(path, {})
            for line, ran in lines.items():
                into[line] = into.get(line, False) or ran
    return merged


def chosen(lines: Lines, wanted: Callable[[str], bool]) -> Lines:
    """The files that are wanted and have code, sorted by name."""
    return {path: lines[path] for path in sorted(lines) if lines[path] and wanted(path)}


def count(lines: Lines) -> Count:
    """Of all files together."""
    flags = [ran for file in lines.values() for ran in file.values()]
    return Count(sum(flags), len(flags))
