"""A section of the report: charts, tables, and a sentence about what one sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from fluid import report_style


@dataclass(frozen=True)
class Table:
    """Cells as texts."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[object]]


@dataclass(frozen=True)
class Chart:
    """id of its element, what it shows, and plotly's chart."""

    id: str
    title: str
    figure: Any

    @property
    def html(self) -> str:
        """Script included."""
        return report_style.as_html(self.figure, self.id)


@dataclass
class Section:
    """One part of the page."""

    id: str
    title: str
    about: str
    charts: list[Chart] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)  # why something is not there

    def show(self, name: str, title: str, figure: Any, otherwise: str = "") -> None:
        """A chart, or why there is none."""
        if figure is None:
            self.missing.append(otherwise)
        else:
            self.charts.append(Chart(f"{self.id}-{name}", title, figure))
