"""The part of docs/libc.md about accuracy: written from measurements, and read again by tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from libc_accuracy import EXACT, FOCUS, FUNCTIONS, STRIDE, Function, Worst

HEAD = "## How exact it is"
TEXT = """

The largest error found, in units in the last place of the exact result: 0.500 is correctly rounded,
"exact" means that no result differed. Functions in float are measured at every {stride}th of all
floats and at {focus:,} more in the range named, those in double at {exact:,} arguments of any size
and as many in the range, functions of two arguments in the ranges of both. Exact results are those
of mpmath to 150 bits, for functions in float those of the C library of the measuring machine in
double. Tests compare results on the machine itself with those of this measurement for every target
(`tests/qemu/test_libc_machine.py`).
"""
EMULATED = """
The column of {target} is of Bochs, with every {thin}th of all floats, {few:,} more in the range,
and all arguments in double. {left_out} results are left out: there Bochs has given x86-64-v3's
code the same results, which are wrong (its fused multiply-add is, when huge arguments cancel out).
"""


IN_BOCHS = " (Bochs)"


def emulated_extent(function: Function) -> str:
    """The extent ("quick" or "full", see libc_accuracy) in Bochs: mpmath's cases are few anyway."""
    return "quick" if function.exact or function.dtype is np.float32 else "full"


def _shown(worst: Worst, function: Function) -> str:
    return "exact" if function.exact and worst.ulp == 0 else f"{worst.ulp:.3f}"


def _ranges(function: Function) -> str:
    both = (function.focus, *([function.second] if function.second else []))
    return ", ".join(f"{low:g} to {high:g}" for low, high in both)


def section(
    measured: Mapping[str, Mapping[str, Worst]], targets: Sequence[str], emulated: Mapping[str, int]
) -> str:
    """HEAD, text and table; `measured` by function and target, in Bochs those of `emulated`, which
    says how many results were left out."""
    counts = {"stride": STRIDE["full"], "focus": FOCUS["full"], "exact": EXACT["full"]}
    counts |= {"thin": STRIDE["quick"], "few": FOCUS["quick"]}
    heads = [target + IN_BOCHS * (target in emulated) for target in targets]
    lines = [HEAD, TEXT.format(**counts)]
    for target, left_out in emulated.items():
        lines.append(EMULATED.format(target=target, left_out=left_out, **counts))
    lines.append(f"\n| function | range | {' | '.join(heads)} |\n")
    lines.append(f"|---|---|{'---|' * len(targets)}\n")
    for function in FUNCTIONS:
        found = measured[function.name]
        errors = [_shown(found[t], function) for t in targets]
        lines.append(f"| `{function.name}` | {_ranges(function)} | {' | '.join(errors)} |\n")
    return "".join(lines)


def section_of(document: str) -> str:
    """The part as it stands in a document; "" if there is none."""
    _, head, rest = document.partition(HEAD)
    return head + rest


def read_table(document: str) -> dict[str, dict[str, float]]:
    """Documented errors by function and target."""
    rows = [
        [cell.strip(" `") for cell in line.split("|")[1:-1]]
        for line in section_of(document).splitlines()
        if line.startswith("|") and "---" not in line
    ]
    targets = [head.removesuffix(IN_BOCHS) for head in rows[0][2:]]
    return {
        row[0]: {
            target: 0.0 if cell == "exact" else float(cell)
            for target, cell in zip(targets, row[2:], strict=True)
        }
        for row in rows[1:]
    }
