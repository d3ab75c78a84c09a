"""The merged report: a table by folder, coverage.json, and the gate.

E-COV-03: fewer lines of C or of Python ran than LIMIT asks for.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from fluid.coverage import PYTHON_FOLDERS
from fluid.coverage_lines import Count, Lines, chosen, count, merge
from fluid.errors import FluidError
from fluid.files import write_atomic

LIMIT = 80  # percent
WORST = 5  # files that the gate names
SUFFIXES = (".c", ".cpp", ".h")
WIDTH = 34

# What no number is given for, and why. Code that is hard to test is no reason.
STAGE2 = "runs before the kernel, below 64 KiB: neither room for counters nor a way to read them"
EXCLUDED = {
    "src/boot/stage2.c": STAGE2,
    "src/boot/stage2_console.c": STAGE2,
    "src/boot/stage2_cpu.c": STAGE2,
    "src/boot/stage2_disk.c": STAGE2,
    "src/boot/stage2_lib.c": STAGE2,
    "src/boot/stage2_load.c": STAGE2,
    "src/kernel/arch/hosted/coverage/": "writes the counters: most of it runs after they are read",
}


@dataclass(frozen=True)
class Measured:
    """Lines of our code."""

    guest: Lines  # as machines ran them
    host: Lines  # as processes did
    unrun: Lines  # every line of every build; what no run has seen is known from here alone
    python: Lines

    @property
    def c(self) -> Lines:
        """Lines of C that any build has, and whether any ran them."""
        return merge([self.guest, self.host, self.unrun])


def is_c(path: str) -> bool:
    """Code of ours that is on a machine or in its stand-in, not that of tests."""
    excluded = any(path.startswith(start) for start in EXCLUDED)
    return path.startswith("src/") and path.endswith(SUFFIXES) and not excluded


def is_python(path: str) -> bool:
    """The build's code."""
    return str(PurePosixPath(path).parent) in PYTHON_FOLDERS


def measured(guest: Lines, host: Lines, unrun: Lines, python: Lines) -> Measured:
    """Without the code of others and of tests."""
    of_machines, of_processes, rest = (chosen(part, is_c) for part in (guest, host, unrun))
    return Measured(of_machines, of_processes, rest, chosen(python, is_python))


def without_lines(found: Measured, top: Path) -> list[str]:
    """Sources of C of which no build has any code that counts."""
    sources = (path.relative_to(top).as_posix() for path in (top / "src").rglob("*.c*"))
    return sorted(s for s in sources if is_c(s) and s.endswith((".c", ".cpp")) and s not in found.c)


def _folder(path: str) -> str:
    return str(PurePosixPath(path).parent)


def _cell(value: Count) -> str:
    return f"{value.covered:>6}/{value.total:<6}{value.percent:5.1f} %" if value.total else "-"


def _row(title: str, cells: Iterable[Count]) -> str:
    return f"  {title:<{WIDTH}}" + "".join(f"{_cell(cell):>22}" for cell in cells) + "\n"


def _head(title: str, names: Iterable[str]) -> str:
    return f"  {title:<{WIDTH}}" + "".join(f"{name:>22}" for name in names) + "\n"


def table(found: Measured) -> str:
    """Lines that ran of lines with code, by folder. Guest and host have other lines: #if."""
    c = found.c
    text = _head("C", ("guest", "host", "both"))
    for folder in sorted({_folder(path) for path in c}):
        columns = [
            count(chosen(part, lambda path, folder=folder: _folder(path) == folder))  # type: ignore[misc]
            for part in (found.guest, found.host, c)
        ]
        text += _row(folder, columns)
    text += _row("all C", (count(found.guest), count(found.host), count(c)))
    text += "\n" + _head("Python", ("", "", "host"))
    for name in PYTHON_FOLDERS:
        own = count(chosen(found.python, lambda path, name=name: _folder(path) == name))  # type: ignore[misc]
        text += _row(name, (Count(0, 0), Count(0, 0), own))
    return text + _row("all Python", (Count(0, 0), Count(0, 0), count(found.python)))


def _numbers(lines: Lines) -> dict[str, int]:
    value = count(lines)
    return {"covered": value.covered, "lines": value.total}


def _missed(lines: dict[int, bool]) -> list[int]:
    return sorted(line for line, ran in lines.items() if not ran)


def write_json(found: Measured, top: Path, path: Path) -> None:
    """Canonical: sorted keys, one form. Lines that did not run are listed for each file."""
    c = found.c
    data: dict[str, Any] = {
        "schema": 1,
        "limit": LIMIT,
        "c": {"guest": _numbers(found.guest), "host": _numbers(found.host), "both": _numbers(c)},
        "python": _numbers(found.python),
        "excluded": EXCLUDED,
        "without_lines": without_lines(found, top),
        "files": {
            name: {**_numbers({name: lines}), "missed": _missed(lines)}
            for name, lines in (c | found.python).items()
        },
    }
    write_atomic(path, (json.dumps(data, indent=1, sort_keys=True) + "\n").encode())


def _worst(lines: Lines) -> str:
    """The files in which most lines did not run, which are what to write tests for."""
    by_missed = sorted(lines, key=lambda path: (-len(_missed(lines[path])), path))
    named = (f"{path} ({len(_missed(lines[path]))} lines)" for path in by_missed[:WORST])
    return ", ".join(named)


def check(found: Measured) -> None:
    """The gate."""
    for language, lines in (("C", found.c), ("Python", found.python)):
        value = count(lines)
        if value.percent < LIMIT:
            raise FluidError(
                "E-COV-03",
                f"at least {LIMIT} % of the lines of {language} expected to run, found "
                f"{value.percent:.1f} % ({value.covered} of {value.total}); most are missing in "
                f"{_worst(lines)}: write tests for them",
            )
