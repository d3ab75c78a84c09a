"""The table of images and processors (matrix.py) at the end of a run in which their tests ran."""

import pytest


def write(terminalreporter: pytest.TerminalReporter) -> None:
    """Nothing, when no test recorded a row as its property "matrix"."""
    tests: dict[str, tuple[tuple[str, ...], bool, float]] = {}  # row, passed, seconds; by name
    for outcome in ("passed", "failed", "error", "skipped"):
        for report in terminalreporter.getreports(outcome):
            key = dict(getattr(report, "user_properties", [])).get("matrix")
            if key is None or (report.when != "call" and outcome == "passed"):
                continue
            # A test may pass and its end fail: one test, which has not passed.
            _, _, before = tests.get(report.nodeid, ((), False, 0.0))
            seconds = before + report.duration
            tests[report.nodeid] = (tuple(key), outcome == "passed", seconds)
    if not tests:
        return
    counts: dict[tuple[str, ...], list[float]] = {}  # passed, all, seconds
    for key, passed, seconds in tests.values():
        count = counts.setdefault(key, [0, 0, 0.0])
        for place, more in enumerate((passed, 1, seconds)):
            count[place] += more
    terminalreporter.write_line("")
    heads = ("image", "runner", "CPU model", "variant", "passed", "seconds")
    total = [sum(column) for column in zip(*counts.values(), strict=True)]
    lines = [*sorted(counts.items()), (("all", "", "", ""), total)]
    rows = [(*key, f"{p:.0f}/{n:.0f}", f"{s:.1f}") for key, (p, n, s) in lines]
    widths = [max(len(row[i]) for row in (heads, *rows)) for i in range(len(heads))]
    for row in (heads, *rows):
        cells = zip(row, widths, strict=True)
        terminalreporter.write_line("  ".join(cell.ljust(w) for cell, w in cells).rstrip())
