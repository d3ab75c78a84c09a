"""The report's section about peers: the same models here and in another program."""

from __future__ import annotations

import statistics
from typing import Any

from fluid.peer_results import Model, Peers, Work, quartiles
from fluid.report_style import COLOURS, figure, plain, spread

HEAD = (
    *("model", "work", "ours, tok/s", "spread", "peer, tok/s", "spread"),
    *("ours / peer", "quartiles", "of the roofline: ours", "peer"),
)


def _works(found: Peers) -> list[tuple[Model, Work]]:
    return [(model, work) for model in found.models for work in model.works]


def chart(found: Peers) -> Any:
    """Two bars for each model and kind of work, the line their spread; and the roofline of new
    tokens."""
    import plotly.graph_objects as go

    works = _works(found)
    names = [plain(f"{model.name}, {work.name}") for model, work in works]
    made = figure(480, barmode="group")
    for name, colour, of in (
        ("Fluid OS", COLOURS[0], [work.rates(work.ours) for _, work in works]),
        (found.peer, COLOURS[1], [work.rates(work.peer) for _, work in works]),
        ("roofline", COLOURS[2], [m.rooflines if w.counted == "new" else [] for m, w in works]),
    ):
        shown = [(x, rates) for x, rates in zip(names, of, strict=True) if rates]
        middle = [statistics.median(rates) for _, rates in shown]
        pairs = list(zip(shown, middle, strict=True))
        made.add_trace(
            go.Bar(
                name=plain(name),
                x=[x for x, _ in shown],
                y=middle,
                error_y=spread(middle, (rates for _, rates in shown)),
                marker_color=colour,
                hovertext=[f"{x}, {plain(name)}: {y:.4g} tok/s" for (x, _), y in pairs],
                hoverinfo="text",
            )
        )
    made.update_yaxes(title="tokens a second", type="log")
    return made


def rows(found: Peers) -> list[list[str]]:
    """The same as numbers, below HEAD."""
    return [_row(model, work) for model, work in _works(found)]


def _row(model: Model, work: Work) -> list[str]:
    ours, peer = work.rates(work.ours), work.rates(work.peer)
    low, middle, high = quartiles(work.ratios)
    parts = ["-", "-"]
    if work.counted == "new":
        parts = [f"{quartiles(model.fractions(rates))[1]:.0%}" for rates in (ours, peer)]
    row = [model.name, work.name]
    for rates in (ours, peer):
        row += [f"{statistics.median(rates):.1f}", f"{min(rates):.1f} to {max(rates):.1f}"]
    return [*row, f"{middle:.2f}", f"{low:.2f} to {high:.2f}", *parts]
