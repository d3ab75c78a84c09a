"""How long each step of a build took, and which steps the others waited for.

build/timing.jsonl is a log (jsonl.py) with a record for each step that made something; a null build
adds none. site_tools/fluid_timing.py writes it. The steps of one SCons process are a run. Times are
microseconds by this machine's clock; it is a log and no product, so that no product has a clock in
it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from fluid import jsonl
from fluid.errors import FluidError
from fluid.hotness_types import COUNT
from fluid.records import EventError

FILE = "timing.jsonl"  # below build/
SIZE_MAX = 8 << 20  # bytes of the log; then the older half is cut off
SECOND = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Step:
    """One action. needs: those of its sources that the build makes, too."""

    run: str
    verb: str  # first word of its line, as in "CC"
    targets: list[str]
    needs: list[str]
    start: int = field(metadata=COUNT)  # since 1970
    took: int = field(metadata=COUNT)

    @property
    def name(self) -> str:
        """Its first product."""
        return self.targets[0]

    @property
    def end(self) -> int:
        """Since 1970."""
        return self.start + self.took


@dataclass(frozen=True, kw_only=True)
class Whole:
    """Every product that the log knows, by the last time it was made."""

    steps: int
    work: int  # of all steps
    critical: int  # of the longest chain of steps that need each other


def _check(step: Step) -> None:
    if not step.targets:
        raise EventError("record.targets: at least one expected, none found")
    jsonl.small(step.end, "record.start + took")


def read_timing(path: Path) -> tuple[list[Step], list[FluidError]]:
    """In the order of the file, and an E-RPT-01 for each line that is no record."""
    return jsonl.read(path, Step, _check)


def trim(path: Path) -> None:
    """Keeps a log that has grown too long from growing on: the older half goes, by whole lines."""
    if path.is_file() and path.stat().st_size > SIZE_MAX:
        jsonl.keep_end(path, SIZE_MAX // 2)


def last_run(steps: Sequence[Step]) -> list[Step]:
    """The steps of the run that ended last, by start."""
    if not steps:
        return []
    run = max(steps, key=lambda step: step.end).run
    return sorted((step for step in steps if step.run == run), key=lambda step: step.start)


def _makers(steps: Iterable[Step]) -> dict[str, Step]:
    """Which step made a product last."""
    found: dict[str, Step] = {}
    for step in sorted(steps, key=lambda step: step.end):
        found |= dict.fromkeys(step.targets, step)
    return found


def _order(graph: dict[str, set[str]]) -> list[str]:
    """Needs first. A log whose products have changed places may hold a circle: it is cut open."""
    while True:
        try:
            return list(TopologicalSorter(graph).static_order())
        except CycleError as error:
            needed, step, *_ = error.args[1]
            graph[step].discard(needed)


def critical_path(steps: Iterable[Step]) -> list[Step]:
    """The chain that takes longest of steps of which each needs the one before: with more
    processors a build takes no less. What no step here made was there already."""
    makers = _makers(steps)
    latest = {step.name: step for step in makers.values()}
    graph = {
        name: {makers[n].name for n in step.needs if n in makers} - {name}
        for name, step in latest.items()
    }
    until: dict[str, int] = {}  # that step has ended, from the first one of its longest chain on
    before: dict[str, str | None] = {}
    for name in _order(graph):
        before[name] = max(graph[name], key=lambda n: (until[n], n), default=None)
        previous = before[name]
        until[name] = latest[name].took + (until[previous] if previous else 0)
    path: list[Step] = []
    last = max(until, key=lambda n: (until[n], n), default=None)
    while last is not None:
        path.append(latest[last])
        last = before[last]
    return path[::-1]


def whole(steps: Iterable[Step]) -> Whole:
    """What a build from nothing would take, as far as the log knows."""
    latest = {id(step): step for step in _makers(steps).values()}.values()
    return Whole(
        steps=len(latest),
        work=sum(step.took for step in latest),
        critical=sum(step.took for step in critical_path(latest)),
    )


def lanes(steps: Iterable[Step]) -> list[tuple[int, Step]]:
    """Each step with a row in which it overlaps no other; as few rows as ran at once."""
    free: list[int] = []  # when the last step of each row ended
    placed = []
    for step in sorted(steps, key=lambda step: step.start):
        row = next((n for n, end in enumerate(free) if end <= step.start), len(free))
        free[row:] = [step.end, *free[row + 1 :]]
        placed.append((row, step))
    return placed
