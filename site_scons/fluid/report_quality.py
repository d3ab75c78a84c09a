"""The report's section about quality: what each format costs, and our arithmetic on top of it."""

from __future__ import annotations

from typing import Any

from fluid.quality_results import Format, Quality
from fluid.report_style import COLOURS, GREY, figure, plain

HEAD = (
    *("format", "MB", "share", "error", "oracle", "above unchanged", "kept"),
    *("ours", "above oracle", "agreed", "rms", "margin"),
)


def chart(found: Quality) -> Any:
    """A bar for each format, our perplexity; a mark, the oracle's on the same weights, the line its
    standard error; a dashed line, that of unchanged weights."""
    import plotly.graph_objects as go

    kinds = [plain(one.kind) for one in found.formats]
    oracle = [one.oracle for one in found.formats]
    made = figure(420)
    made.add_trace(
        go.Bar(
            name="Fluid OS",
            x=kinds,
            y=[one.perplexity for one in found.formats],
            marker_color=COLOURS[0],
            hovertext=[f"{plain(one.kind)}, ours: {one.perplexity:.3f}" for one in found.formats],
            hoverinfo="text",
        )
    )
    made.add_trace(
        go.Scatter(
            name="float oracle, same weights",
            x=kinds,
            y=oracle,
            error_y={
                "type": "data",
                "array": [one.oracle * one.spread for one in found.formats],
                "thickness": 1,
            },
            mode="markers",
            marker={"color": COLOURS[1], "size": 11, "symbol": "diamond", "line": {"width": 1}},
            hovertext=[f"{plain(one.kind)}, oracle: {one.oracle:.3f}" for one in found.formats],
            hoverinfo="text",
        )
    )
    made.add_hline(y=oracle[0], line={"dash": "dash", "width": 1, "color": GREY})
    made.update_yaxes(title="perplexity", type="log")
    return made


def rows(found: Quality) -> list[list[str]]:
    """The same as numbers, below HEAD; docs/benchmarks.md says what they mean."""
    return [_row(one, found.positions) for one in found.formats]


def _row(one: Format, positions: int) -> list[str]:
    return [
        one.kind,
        f"{one.file_bytes / 1e6:.0f}",
        f"{one.share:.0%}",
        f"{one.error:.2%}",
        f"{one.oracle:.3f}",
        f"{one.above:+.2%} ± {one.above_error:.2%}",
        f"{one.kept / positions:.1%}",
        f"{one.perplexity:.3f}",
        f"{one.arithmetic:+.2%}",
        f"{one.agreed / positions:.1%}",
        f"{one.rms:.4f}",
        f"{one.margin:.3f}",
    ]
