"""How charts of the report look, and how they get into the page.

plotly takes some HTML in texts: names, which come from files, go through `plain`. Charts have no
background and take the colours of their texts from the page (report_page.html.j2), which follows
the reader's choice of light or dark; what lies on a coloured tile has the tile's contrast.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from typing import Any

# Told apart by those who see few colours, too: Okabe and Ito, "Color Universal Design" (2008).
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#B8A800", "#882255")
GREY = "#8C8C8C"  # what is none of them
CRITICAL = "#D55E00"
ROW = 24  # pixels of a bar with its gap
_CONFIG = {"displayModeBar": False, "responsive": True, "plotlyServerURL": ""}


def plain(name: object) -> str:
    """A name as plotly shows it to the letter."""
    return html.escape(str(name), quote=False)


def colours(names: list[str]) -> dict[str, str]:
    """One for each, again from the first one on when there are more."""
    return {name: COLOURS[n % len(COLOURS)] for n, name in enumerate(names)}


def figure(height: int, **layout: Any) -> Any:
    """An empty chart."""
    import plotly.graph_objects as go

    chart = go.Figure()
    chart.update_layout(
        template="none",
        height=height,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": "system-ui, sans-serif", "size": 13},
        margin={"l": 10, "r": 10, "t": 30, "b": 40},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        colorway=list(COLOURS),
        **layout,
    )
    chart.update_xaxes(automargin=True, gridcolor="rgba(128,128,128,0.3)", zeroline=False)
    chart.update_yaxes(automargin=True, gridcolor="rgba(128,128,128,0.3)", zeroline=False)
    return chart


def spread(middle: Sequence[float], measured: Iterable[Sequence[float]]) -> dict[str, Any]:
    """error_x or error_y of bars: from the least to the most of what each is the middle of."""
    pairs = list(zip(middle, measured, strict=True))
    return {
        "type": "data",
        "array": [max(values) - y for y, values in pairs],
        "arrayminus": [y - min(values) for y, values in pairs],
        "thickness": 1,
    }


def as_html(chart: Any, name: str) -> str:
    """The chart without the library; `name` becomes the id of its element."""
    return str(chart.to_html(full_html=False, include_plotlyjs=False, div_id=name, config=_CONFIG))


def library() -> str:
    """plotly.js, as it is in the Python package."""
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs())
