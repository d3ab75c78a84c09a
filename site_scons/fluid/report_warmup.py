"""The report's section about the warm-up: two starts, and what was compiled in the first."""

from __future__ import annotations

from typing import Any

from fluid.report_section import Section, Table
from fluid.report_style import COLOURS, figure, plain
from fluid.warmup_results import FIRST, LAST, SECOND, WINDOW, Decision, Start, Warmup, moving

NAMES = ("first start, empty cache", "second start")
HEAD = (
    *("start", "second", "operation", "shape", "from", "to", "cycles before", "after"),
    *("after / before", "compiled, ms", "result"),
)
SUMMARY = (
    *("start", "ready, s", f"first {FIRST}, tok/s", f"last {LAST}, tok/s", "published", "rejected"),
    *("knobs set", "compiled, ms", "used of the cache", "written to it"),
)


def _height(line: list[tuple[float, float]], seconds: float) -> float:
    """Of the line at that time: where it begins or ends, beyond it."""
    reached = [y for x, y in line if x <= seconds]
    return reached[-1] if reached else line[0][1]


def chart(found: Warmup) -> Any:
    """Tokens a second over time, a line for each start; marks where code was published."""
    import plotly.graph_objects as go

    made = figure(440)
    for name, colour, start in zip(NAMES, COLOURS, found.starts, strict=False):
        line = list(moving(start))
        if not line:
            continue
        made.add_trace(
            go.Scatter(
                name=name,
                x=[round(x, 3) for x, _ in line],
                y=[round(y, 2) for _, y in line],
                mode="lines",
                line={"color": colour, "width": 2},
                hovertemplate="%{y:.1f} tok/s after %{x:.1f} s",
            )
        )
        marks = [one for one in start.decisions if one.published]
        times = [one.time / SECOND for one in marks]
        made.add_trace(
            go.Scatter(
                name=f"published, {name}",
                x=times,
                y=[_height(line, at) for at in times],
                mode="markers",
                marker={"color": colour, "size": 9, "symbol": "diamond", "line": {"width": 1}},
                hovertext=[plain(_words(one)) for one in marks],
                hoverinfo="text",
            )
        )
    made.update_xaxes(title="seconds since the start of the machine", rangemode="tozero")
    made.update_yaxes(title="tokens a second", rangemode="tozero")
    return made


def _words(one: Decision) -> str:
    return f"{one.op} {one.shape}: {one.origin} to {one.to}, {one.before:,} to {one.after:,} cycles"


def rows(found: Warmup) -> list[list[str]]:
    """Each decision, below HEAD."""
    return [
        _row(number, one) for number, start in enumerate(found.starts, 1) for one in start.decisions
    ]


def _row(number: int, one: Decision) -> list[str]:
    cycles = ["-"] * 3
    if one.before > 0 and one.after > 0:
        cycles = [f"{one.before:,}", f"{one.after:,}", f"{one.after / one.before:.2f}"]
    return [
        *(str(number), f"{one.time / SECOND:.1f}", one.op, one.shape, one.origin, one.to),
        *cycles,
        str(one.compile_ms),
        "published" if one.published else f"rejected: {one.reason}",
    ]


def _summary(number: int, start: Start) -> list[str]:
    return [
        *(str(number), f"{start.ready / SECOND:.2f}", f"{start.first:.1f}", f"{start.last:.1f}"),
        *(str(start.published), str(start.rejected), str(start.tuned)),
        *(str(start.compile_ms), str(start.count("hit")), str(start.count("put"))),
    ]


def section(found: Warmup | None) -> Section:
    """With a sentence about how to measure it where nobody has."""
    made = Section(
        "warmup",
        "Warm-up",
        f"Tokens a second over time, the median of {WINDOW} steps: the same prompts in two starts "
        "of one image, in the first with an empty cache. It compiles what is hot while it answers, "
        "and uses it from the marks on, where it is faster and its results are the same; the "
        "second start begins with what the first one kept.",
    )
    if found is None:
        made.missing.append(
            "Nothing was measured yet; ./sconsw warmup variants=base runner=host does, and writes "
            "warmup.json of its target."
        )
        return made
    title = f"{found.model}, runner {found.runner}, {found.cpu}, {found.threads} thread(s)"
    made.show("chart", title, chart(found))
    same = "equal" if found.equal else "NOT equal"
    title = f"Both starts; the {len(found.starts[0].ids)} token ids are {same} in both"
    summary = [_summary(number, start) for number, start in enumerate(found.starts, 1)]
    made.tables.append(Table(title, SUMMARY, summary))
    made.tables.append(Table("Decisions; cycles are of a call", HEAD, rows(found)))
    return made
