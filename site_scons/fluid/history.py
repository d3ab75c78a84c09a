"""History: what benchmarks took on this machine, one record for each image and runner measured.

build/history.jsonl is a log (jsonl.py): no product, so that -c leaves it alone, and the one place
beside timing.jsonl that a clock goes to. Recorders write it: `bench`, `levels` and `pgo=1`.
"""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from fluid import jsonl
from fluid.catalogue import Result, counted_by
from fluid.errors import FluidError
from fluid.event_types import Bench, Boot
from fluid.hotness_types import DIGEST
from fluid.machine import Machine
from fluid.records import EventError
from fluid.samples import sum_counters

HISTORY_SCHEMA: Literal[1] = 1
FILE = "history.jsonl"  # below build/
IMAGE = "image"  # the form of the image itself, where no other is compared with it

Measure = Literal["cycles", "instructions", "microseconds"]


@dataclass(frozen=True, kw_only=True)
class Record:
    """One line."""

    schema: Literal[1]
    time: str = field(metadata={"pattern": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "strict": True})
    commit: str | None  # null: no git
    build: str = field(metadata=DIGEST)  # build id of the image
    target: str
    runner: str
    what: str  # levels, compare, bench
    form: str  # O0 .. O3, PGO; or IMAGE
    measure: Measure
    results: list[Result]  # in `measure`, whatever catalogue.py says of cycles

    def of_a_unit(self, one: Result) -> float:
        """What a unit of work takes: by a clock the median; of instructions the least, which are
        the same each time: other calls were interrupted."""
        return (one.min if self.measure == "instructions" else one.median) / one.units


@dataclass(frozen=True)
class Taken:
    """What one machine measured."""

    build: str
    benches: Mapping[str, Bench]


def taken(machine: Machine, benches: Mapping[str, Bench]) -> Taken:
    """With the build id that the machine told."""
    boot = next(event for event in machine.events if isinstance(event, Boot))
    return Taken(boot.build, benches)


def commit(top: Path) -> str | None:
    """Of the tree, and whether it is changed; None where there is no git or no repository."""
    command = ["git", "-C", str(top), "describe", "--always", "--abbrev=12", "--dirty"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None


def result(rounds: Sequence[Bench], ticks: int = 1) -> Result:
    """Of one benchmark, which ran in these rounds: what a call took; over several rounds the least,
    median and greatest of their shortest calls. ticks: of its numbers for one of the measure."""
    first = min(rounds, key=lambda bench: bench.min)
    if len(rounds) == 1:
        least, middle, most = first.min, first.median, first.max
    else:
        shortest = [bench.min for bench in rounds]
        least, middle, most = min(shortest), int(statistics.median(shortest)), max(shortest)
    return Result(
        name=first.name,
        tag=first.tag,
        size=first.size,
        units=max(1, first.units),
        unit=first.unit,
        calls=sum(bench.calls for bench in rounds),
        min=least // ticks,
        median=middle // ticks,
        max=most // ticks,
        counters=sum_counters([bench.counters for bench in rounds]),
        counted_by=counted_by(first),
    )


class Recorder:
    """Collects what the machines of one measurement took; write() makes a record of each form and
    runner."""

    def __init__(self, path: Path, target: str, what: str) -> None:
        self.path = path
        self.target = target
        self.what = what
        self.commit = commit(path.parent.parent)
        self.rounds: dict[tuple[str, str, Measure, int], list[Taken]] = {}

    def add(
        self, form: str, runner: str, found: Taken, measure: Measure = "cycles", ticks: int = 1
    ) -> None:
        """One machine."""
        self.rounds.setdefault((form, runner, measure, ticks), []).append(found)

    def write(self) -> None:
        """Appends the records. E-RPT-02."""
        for (form, runner, measure, ticks), rounds in self.rounds.items():
            results = [
                result([one.benches[name] for one in rounds], ticks)
                for name in sorted(rounds[0].benches)
            ]
            self.append(form, runner, rounds[-1].build, measure, results)

    def append(
        self, form: str, runner: str, build: str, measure: Measure, results: list[Result]
    ) -> None:
        """One record, unless there is nothing in it. E-RPT-02."""
        if not results:
            return
        made = Record(
            schema=HISTORY_SCHEMA,
            time=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            commit=self.commit,
            build=build,
            target=self.target,
            runner=runner,
            what=self.what,
            form=form,
            measure=measure,
            results=results,
        )
        jsonl.append(self.path, [made])


def _check(record: Record) -> None:
    if not record.results:
        raise EventError("record.results: at least one expected, none found")
    for number, one in enumerate(record.results):
        where = f"record.results[{number}]"
        for name in ("size", "units", "calls", "max"):
            jsonl.small(getattr(one, name), f"{where}.{name}")
        for name, count in one.counters:
            if count is not None:
                jsonl.small(count, f"{where}.counters.{name}")
        if not 0 <= one.min <= one.median <= one.max:
            raise EventError(
                f"{where}.median: 0 <= min <= median <= max expected, {one.min}, {one.median} and "
                f"{one.max} found"
            )


def read_history(path: Path) -> tuple[list[Record], list[FluidError]]:
    """In the order of the file, and an E-RPT-01 for each line that is no record."""
    return jsonl.read(path, Record, _check)
