"""The part of docs/libc.md about accuracy: written from measurements, and read again by tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from libc_accuracy import EXACT, FOCUS, FUNCTIONS, STRIDE, Function, Worst

HEAD = "## How exact it is"
TEXT = """

The largest error found, in units in the last place of the exact result: 0.500 is correctly rounded,
"exact" means that no result differed. Functions in float are measured at every {stride}th of all
floats and at {focus:,} more in the range named, those in double at {exact:,} arguments of any size
and as many in the range, functions of two arguments in the ranges of both. Exact results are those
of mpmath to 150 bits, for functions in float those of the C library of the measuring machine in
double. "-": the measuring machine had no such CPU. On the machine itself results are compared bit
for bit with those of this measurement (`tests/qemu/test_libc_machine.py`), those of x86-64-v4, in
Bochs, with x86-64-v3's.

"""


def _shown(worst: Worst, function: Function) -> str:
    return "exact" if function.exact and worst.ulp == 0 else f"{worst.ulp:.3f}"


def _ranges(function: Function) -> str:
    both = (function.focus, *([function.second] if function.second else []))
    return ", ".join(f"{low:g} to {high:g}" for low, high in both)


def section(measured: Mapping[str, Mapping[str, Worst]], targets: Sequence[str]) -> str:
    """HEAD, text and table; `measured` by function and target."""
    counts = {"stride": STRIDE["full"], "focus": FOCUS["full"], "exact": EXACT["full"]}
    lines = [HEAD, TEXT.format(**counts), f"| function | range | {' | '.join(targets)} |\n"]
    lines.append(f"|---|---|{'---|' * len(targets)}\n")
    for function in FUNCTIONS:
        found = measured[function.name]
        errors = [_shown(found[t], function) if t in found else "-" for t in targets]
        lines.append(f"| `{function.name}` | {_ranges(function)} | {' | '.join(errors)} |\n")
    return "".join(lines)


def section_of(document: str) -> str:
    """The part as it stands in a document; "" if there is none."""
    _, head, rest = document.partition(HEAD)
    return head + rest


def read_table(document: str) -> dict[str, dict[str, float]]:
    """Documented errors by function and target; those that were not measured are left out."""
    rows = [
        [cell.strip(" `") for cell in line.split("|")[1:-1]]
        for line in section_of(document).splitlines()
        if line.startswith("|") and "---" not in line
    ]
    targets = rows[0][2:]
    return {
        row[0]: {
            target: 0.0 if cell == "exact" else float(cell)
            for target, cell in zip(targets, row[2:], strict=True)
            if cell != "-"
        }
        for row in rows[1:]
    }
