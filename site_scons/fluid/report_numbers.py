"""Charts of the report that show measured numbers: benchmarks by tag, before and after, levels,
history. Each function gives a chart, or None when there is nothing to show."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from typing import Any

from fluid.catalogue import Result
from fluid.history import IMAGE, Record
from fluid.levels import Levels
from fluid.pgo import OPTIMISED, Comparison
from fluid.plan import BASELINE
from fluid.report_style import COLOURS, GREY, ROW, figure, plain, spread

WIDEST = 3.0  # of the axis: a spread may reach far beyond what it is about
NARROWEST = 0.05  # of the axis around the first run: chance is not to look like change
SHOWN = (BASELINE, OPTIMISED, IMAGE)  # forms; the others are among the levels


def runners(records: Iterable[Record], measure: str) -> list[str]:
    """Those that measured it, by name."""
    return sorted({r.runner for r in records if r.measure == measure})


def latest(records: Iterable[Record], runner: str, measure: str) -> dict[tuple[str, str], Any]:
    """(form, tag) -> (record, result) of the last run."""
    found: dict[tuple[str, str], tuple[Record, Result]] = {}
    for record in records:
        if (record.runner, record.measure) == (runner, measure) and record.form in SHOWN:
            for result in record.results:
                found[record.form, result.tag] = (record, result)
    return found


def short(value: float) -> str:
    """Three digits."""
    for unit, factor in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= factor:
            return f"{value / factor:.3g}{unit}"
    return f"{value:.3g}"


def by_tag(records: Sequence[Record], runner: str, measure: str) -> Any:
    """One bar for each benchmark with its tag and each form: what a unit of work takes."""
    import plotly.graph_objects as go

    found = latest(records, runner, measure)
    if not found:
        return None
    tags = sorted({tag for _, tag in found})
    chart = figure(480, barmode="group")
    for form, colour in zip(SHOWN, COLOURS, strict=False):
        bars = [(tag, *found[form, tag]) for tag in tags if (form, tag) in found]
        if not bars:
            continue
        middle = [record.of_a_unit(result) for _, record, result in bars]
        timed = measure != "instructions"
        above = [r.max / r.units - y for (_, _, r), y in zip(bars, middle, strict=True)]
        below = [y - r.min / r.units for (_, _, r), y in zip(bars, middle, strict=True)]
        lines = {"type": "data", "array": above, "arrayminus": below} if timed else {}
        chart.add_trace(
            go.Bar(
                name="image, default sizes" if form == IMAGE else form,
                x=[plain(tag) for tag, _, _ in bars],
                y=middle,
                error_y={**lines, "visible": timed, "thickness": 1},
                marker_color=colour,
                text=[short(y) for y in middle],
                textposition="inside",
                insidetextanchor="start",
                constraintext="none",
                textangle=-90,
                hovertext=[
                    plain(f"{tag}, size {r.size}, {form}: {y:.4g} {measure} for one of {r.unit}")
                    for (tag, _, r), y in zip(bars, middle, strict=True)
                ],
                hoverinfo="text",
            )
        )
    chart.update_xaxes(type="category", categoryarray=[plain(t) for t in tags], tickangle=-45)
    chart.update_yaxes(type="log", title=f"{measure} for one unit of work")
    return chart


def before_after(found: Comparison) -> Any:
    """after / before of each module: instructions, and time with its spread."""
    import plotly.graph_objects as go

    if not found.modules:
        return None
    names = sorted(found.modules, reverse=True)
    changes = [found.modules[name] for name in names]
    chart = figure(90 + 2 * ROW * len(names), barmode="group")
    labels = [plain(name) for name in names]
    if any(change.host for change in changes):
        timed = [(n, c.host) for n, c in zip(labels, changes, strict=True) if c.host]
        middle = [statistics.median(ratios) for _, ratios in timed]
        chart.add_trace(
            go.Bar(
                name="time in fluid-host",
                orientation="h",
                y=[name for name, _ in timed],
                x=middle,
                error_x=spread(middle, (ratios for _, ratios in timed)),
                marker_color=COLOURS[1],
            )
        )
    counted = {n: c.instructions for n, c in zip(labels, changes, strict=True) if c.instructions}
    if counted:
        chart.add_trace(
            go.Bar(
                name="instructions",
                orientation="h",
                y=list(counted),
                x=list(counted.values()),
                marker_color=COLOURS[0],
            )
        )
    chart.add_vline(x=1, line={"dash": "dot", "color": GREY})
    middles = list(counted.values())
    middles += [statistics.median(c.host) for c in changes if c.host]
    right = min(WIDEST, 1.3 * max(middles))
    chart.update_xaxes(title="after / before, below 1 is faster", range=[0, right])
    chart.update_yaxes(type="category")
    return chart


def _mean(ratios: Iterable[float]) -> float:
    return statistics.geometric_mean(ratios)


def level_ratios(found: Levels, timed: bool) -> tuple[list[str], list[list[float]]]:
    """Rows (benchmarks, then their geometric mean) of ratios to BASELINE; a column is a form."""
    measured = found.host[0] if timed else found.instructions
    names = sorted(measured[BASELINE])

    def ratio(form: str, name: str) -> float:
        if not timed:
            return measured[form][name] / measured[BASELINE][name]
        return statistics.median(one[form][name] / one[BASELINE][name] for one in found.host)

    rows = [[ratio(form, name) for form in measured] for name in names]
    means = [_mean(row[column] for row in rows) for column in range(len(measured))]
    return [*names, "geometric mean"], [*rows, means]


def levels(found: Levels, timed: bool) -> Any:
    """Heat map; None when that was not measured."""
    import plotly.graph_objects as go

    measured = next(iter(found.host), {}) if timed else found.instructions
    if not measured:
        return None
    names, rows = level_ratios(found, timed)
    chart = figure(110 + ROW * len(names))
    chart.add_trace(
        go.Heatmap(
            x=list(measured),
            y=[plain(name) for name in names],
            z=[[math.log2(value) for value in row] for row in rows],
            text=[[f"{value:.2f}" for value in row] for row in rows],
            texttemplate="%{text}",
            zmin=-2,
            zmax=2,
            zmid=0,
            colorscale=[[0, "#009E73"], [0.5, "#F7F7F7"], [1, "#D55E00"]],
            hoverinfo="x+y+text",
            showscale=False,
            xgap=1,
            ygap=1,
        )
    )
    chart.update_xaxes(type="category", side="top")
    chart.update_yaxes(type="category", autorange="reversed")
    return chart


def _series(records: Iterable[Record], measure: str) -> dict[tuple[str, ...], list[Any]]:
    """(tag, size, form, runner) -> (record, result) in their order."""
    found: dict[tuple[str, ...], list[Any]] = {}
    for record in records:
        if record.measure == measure and record.form in SHOWN:
            for result in record.results:
                key = (result.tag, str(result.size), record.form, record.runner)
                found.setdefault(key, []).append((record, result))
    return dict(sorted(found.items()))


def over_time(records: Sequence[Record], measure: str, target: str) -> Any:
    """A line for each benchmark over the runs on this machine, as a part of its first run; times of
    boots in milliseconds. What is not of this target and built by the plan is switched on in the
    legend."""
    import plotly.graph_objects as go

    series = _series(records, measure)
    if not series:
        return None
    chart = figure(520)
    timed = measure == "microseconds"  # whose unit of work is always the same
    shown_first = OPTIMISED if any(form == OPTIMISED for _, _, form, _ in series) else IMAGE
    for (tag, size, form, runner), points in series.items():
        values = [record.of_a_unit(result) for record, result in points]
        first = 1000 if timed else next((value for value in values if value > 0), 1.0)
        own = points[-1][0].target == target and form == shown_first
        name = f"{tag}, {runner}" if timed else f"{tag} {size} {form}, {runner}"
        chart.add_trace(
            go.Scatter(
                name=plain(name),
                mode="lines+markers",
                x=[record.time for record, _ in points],
                y=[value / first for value in values],
                hovertext=[
                    plain(
                        f"{tag} {form}, {runner}, {record.time}, commit {record.commit}, build "
                        f"{record.build[:12]}: {value:.4g} {measure} for one of {result.unit}"
                    )
                    for (record, result), value in zip(points, values, strict=True)
                ],
                hoverinfo="text",
                visible=True if own else "legendonly",
            )
        )
    chart.update_layout(legend={"orientation": "v", "x": 1.02, "y": 1, "yanchor": "top"})
    chart.update_xaxes(type="date")
    if timed:
        chart.update_yaxes(title="milliseconds", rangemode="tozero")
        return chart
    seen = [value for trace in chart.data if trace.visible is True for value in trace.y]
    low, high = min([1 - NARROWEST, *seen]), max([1 + NARROWEST, *seen])
    chart.update_yaxes(title=f"{measure}, first run = 1", range=[low * 0.99, high * 1.01])
    return chart
