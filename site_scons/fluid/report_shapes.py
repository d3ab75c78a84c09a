"""Charts of the report that show where things went: hotness treemap, flame graph, and the timeline
of a build."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fluid.hotness import HotnessFile
from fluid.hotness_types import Calls, Samples
from fluid.report_style import COLOURS, CRITICAL, GREY, ROW, colours, figure, plain
from fluid.stacks import tree
from fluid.timing import SECOND, Step, critical_path, lanes

BARS_MAX = 3000  # of the timeline, the longest; more are slow to draw and too thin to see
THINNEST = 2000  # part of all samples that a frame needs to be drawn


@dataclass(frozen=True)
class Tile:
    """A function with one shape, or a module (function None)."""

    module: str
    function: str | None
    cycles: int  # its own
    calls: int


def shape(calls: Calls) -> str:
    """name(rows x cols) as far as there are any."""
    sizes = [str(n) for n in (calls.rows, calls.cols) if n]
    return f"{calls.name}({'×'.join(sizes)})" if sizes else calls.name


def tiles(content: HotnessFile) -> list[Tile]:
    """Modules with own cycles, each followed by its functions. Cycles that a module spent in others
    are known for the module as a whole: each of its functions is taken off its share."""
    found: list[Tile] = []
    for module in sorted({f.module for f in content.functions}):
        entered = [f for f in content.functions if f.module == module and f.caller != module]
        whole = sum(f.cycles for f in entered)
        called = sum(
            f.cycles for f in content.functions if f.caller == module and f.module != module
        )
        own = max(0, whole - called)
        if own == 0:
            continue
        inside: dict[str, list[Calls]] = {}
        for function in entered:
            inside.setdefault(shape(function), []).append(function)
        parts = [
            Tile(
                module, name, sum(f.cycles for f in same) * own // whole, sum(f.calls for f in same)
            )
            for name, same in sorted(inside.items())
        ]
        # Their sum, so that rounding leaves no gap.
        total, calls = sum(part.cycles for part in parts), sum(part.calls for part in parts)
        found += [Tile(module, None, total, calls), *parts]
    return found


def treemap(content: HotnessFile) -> Any:
    """Module, function and shape, by own cycles; None when no module has any."""
    import plotly.graph_objects as go

    found = tiles(content)
    if not found:
        return None
    whole = sum(tile.cycles for tile in found if tile.function is None)
    chosen = colours([tile.module for tile in found if tile.function is None])
    chart = figure(560)
    chart.update_layout(margin={"l": 0, "r": 0, "t": 0, "b": 0})
    chart.add_trace(
        go.Treemap(
            ids=["all", *(_tile_id(t.module, t.function) for t in found)],
            labels=["all modules", *(plain(t.function or t.module) for t in found)],
            parents=["", *("all" if not t.function else _tile_id(t.module, None) for t in found)],
            values=[whole, *(t.cycles for t in found)],
            text=["", *(f"{t.cycles / whole:.1%}, {t.calls:,} calls" for t in found)],
            hovertext=[
                "",
                *(
                    f"{plain(t.function or t.module)}: {t.cycles:,} cycles of its own"
                    for t in found
                ),
            ],
            branchvalues="total",
            textinfo="label+text",
            hoverinfo="text",
            marker={
                "colors": [GREY, *(chosen[t.module] for t in found)],
                "line": {"width": 1, "color": "#F7F7F7"},
            },
        )
    )
    return chart


def _tile_id(module: str, function: str | None) -> str:
    return plain(f"m:{module}" if function is None else f"f:{module}:{function}")


def flame(samples: Samples) -> Any:
    """Icicle, outermost functions on top; None without samples."""
    import plotly.graph_objects as go

    frames = tree(samples.stacks)
    whole = sum(stack.count for stack in samples.stacks if stack.functions)
    if not frames:
        return None
    drawn = [frame for frame in frames if frame.count * THINNEST >= whole]
    chosen = colours(sorted({frame.name for frame in drawn}))
    chart = figure(620)
    chart.update_layout(margin={"l": 0, "r": 0, "t": 24, "b": 0})
    chart.add_trace(
        go.Icicle(
            ids=["all", *(frame.id for frame in drawn)],
            labels=["all samples", *(plain(frame.name) for frame in drawn)],
            parents=["", *(frame.parent or "all" for frame in drawn)],
            values=[whole, *(frame.count for frame in drawn)],
            text=[f"{whole:,}", *(f"{f.count / whole:.1%}" for f in drawn)],
            hovertext=[
                f"{whole:,} samples",
                *(f"{plain(f.name)}: {f.count:,} samples, {f.own:,} in itself" for f in drawn),
            ],
            branchvalues="total",
            tiling={"orientation": "v"},
            leaf={"opacity": 1},
            textinfo="label+text",
            hoverinfo="text",
            marker={"colors": [GREY, *(chosen[frame.name] for frame in drawn)]},
        )
    )
    return chart


def kinds(steps: Sequence[Step]) -> dict[str, str]:
    """Colours of the verbs that took longest, as many as can be told apart, and of the others."""
    took: dict[str, int] = {}
    for step in steps:
        took[step.verb] = took.get(step.verb, 0) + step.took
    most = sorted(took, key=lambda verb: (-took[verb], verb))
    chosen = colours(most[: len(COLOURS)])
    return chosen | ({"others": GREY} if len(most) > len(COLOURS) else {})


def timeline(steps: Sequence[Step]) -> Any:
    """Steps of one build over time, a colour for each kind; the critical path has a rim."""
    import plotly.graph_objects as go

    if not steps:
        return None
    start = min(step.start for step in steps)
    critical = {id(step) for step in critical_path(steps)}
    longest = sorted(steps, key=lambda step: (id(step) not in critical, -step.took))[:BARS_MAX]
    drawn = {id(step) for step in longest}
    placed = [(row, step) for row, step in lanes(steps) if id(step) in drawn]
    chosen = kinds(steps)
    rows = max(row for row, _ in placed) + 1
    chart = figure(150 + 2 * ROW * rows, barmode="overlay", bargap=0.15)
    for verb, colour in chosen.items():
        bars = [(row, step) for row, step in placed if chosen.get(step.verb, GREY) == colour]
        if not bars:
            continue
        rims = [2 if id(step) in critical else 0 for _, step in bars]
        chart.add_trace(
            go.Bar(
                name=plain(verb),
                orientation="h",
                y=[str(row + 1) for row, _ in bars],
                base=[(step.start - start) / SECOND for _, step in bars],
                x=[step.took / SECOND for _, step in bars],
                marker={"color": colour, "line": {"color": CRITICAL, "width": rims}},
                hovertext=[plain(f"{s.name}: {s.took / SECOND:.3f} s") for _, s in bars],
                hoverinfo="text",
            )
        )
    chart.update_xaxes(title="seconds since the first step")
    order = [str(row + 1) for row in range(rows)]
    chart.update_yaxes(type="category", categoryarray=order, autorange="reversed", title="at once")
    return chart
