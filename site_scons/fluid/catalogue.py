"""`scons bench`: every benchmark at its default size on one machine, with the counts of its
processor.

A result is named by its tag, benchmark and variant: the same name on another machine is the same
code. Counts are None where the processor does not count that; on the runner `host`, which no
counters reach, cachegrind.py simulates some, and the result says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from fluid.canonical import canonical_json
from fluid.errors import FluidError
from fluid.event_types import Bench, Boot, Counters, Prompt, Ready
from fluid.files import write_atomic
from fluid.machine import Machine
from fluid.training import BOOT_SECONDS, DEFAULT_SIZE, OWN_CODE_OFF, run_benchmark

SCHEMA = 1
CALLS = 20
ABSENT = "absent"  # what was not counted is not zero
PROCESSOR = "processor"  # by whom counts are: read from its counters
SHOWN = ("instructions", "branch_misses", "cache_misses", "tlb_misses")  # columns of the table

Progress = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Result:
    """One benchmark: cycles of a call, units of work in it, and counts in all calls."""

    name: str
    tag: str
    size: int
    calls: int = field(metadata={"least": 1})
    min: int
    median: int
    max: int
    units: int = field(metadata={"least": 1})
    unit: str
    counters: Counters
    counted_by: str | None  # None: nothing was counted

    @property
    def cycles(self) -> float:
        """Of one unit, in the median."""
        return self.median / self.units

    def count(self, name: str) -> float | None:
        """Events of one unit."""
        value = dict(self.counters).get(name)
        return None if value is None else value / self.calls / self.units


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """bench-<runner>.json."""

    schema: int
    build: str
    target: str
    cpu: str
    runner: str
    results: list[Result]


def run(image: Path, names: Sequence[str], progress: Progress, **options: Any) -> Catalogue:
    """Boots the image once; options are Machine's."""
    results = []
    with Machine(image, **options) as machine:
        machine.wait_for(Ready, BOOT_SECONDS)
        machine.wait_for(Prompt, BOOT_SECONDS)
        machine.command(OWN_CODE_OFF)
        for name in names:
            progress(name)
            results.append(_result(run_benchmark(machine, name, DEFAULT_SIZE, CALLS)))
    boot = next(event for event in machine.events if isinstance(event, Boot))
    return Catalogue(
        schema=SCHEMA,
        build=boot.build,
        target=boot.target,
        cpu=boot.cpu,
        runner=options["runner"],
        results=results,
    )


def counted_by(event: Bench) -> str | None:
    """PROCESSOR, or None when it has no counters."""
    return PROCESSOR if any(count is not None for _, count in event.counters) else None


def _result(event: Bench) -> Result:
    if event.units < 1 or event.median < 1:
        raise FluidError(
            "E-BENCH-57",
            f"benchmark {event.name}: work and cycles of a call expected, found {event.units} "
            f"units in {event.median} cycles; rebuild the module",
        )
    shared = {f.name: getattr(event, f.name) for f in fields(Result) if hasattr(event, f.name)}
    return Result(**shared, counted_by=counted_by(event))


def with_counts(found: Catalogue, counts: dict[str, Counters], by: str) -> Catalogue:
    """Counts of one call from elsewhere, for results that have none."""
    results = [
        replace(
            result,
            counters=[(n, c if c is None else c * result.calls) for n, c in counts[result.tag]],
            counted_by=by,
        )
        if result.counted_by is None and result.tag in counts
        else result
        for result in found.results
    ]
    return replace(found, results=results)


def write_catalogue(found: Catalogue, path: Path) -> None:
    write_atomic(path, canonical_json(asdict(found)))


def table(found: Catalogue) -> str:
    """Per unit of work: cycles and counts; "absent" is not zero."""
    by = sorted({result.counted_by for result in found.results if result.counted_by})
    counted = ", ".join(by) or "nothing: this processor has no counters that can be read"
    lines = [
        f"benchmarks: {found.target}, {found.runner}, {found.cpu}",
        f"for one unit of work; counted by {counted}",
        f"  {'':<26}{'unit of work':<28}{'cycles':>14}{'spread':>10}"
        + "".join(f"{name.replace('_', ' '):>15}" for name in SHOWN),
    ]
    for r in found.results:
        spread = f"{(r.max - r.min) / r.median:.0%}"
        counts = "".join(f"{_shown(r.count(name)):>15}" for name in SHOWN)
        lines.append(f"  {r.tag:<26}{r.unit:<28}{_shown(r.cycles):>14}{spread:>10}{counts}")
    return "\n".join(lines)


def _shown(value: float | None) -> str:
    if value is None:
        return ABSENT
    return f"{value:,.0f}" if value >= 100 or value == 0 else f"{value:.3g}"
