"""samples.json: what a training found beside calls: where the timer interrupted, and memory.

The plan does not look at it, and so it is no part of the hotness file: samples of two trainings
never decide how anything is compiled. Of several exports equal stacks are counted together, and
of memory the most counts. E-RPT-03 for a file that is damaged or of another schema or target.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from fluid.canonical import canonical_json
from fluid.errors import FluidError
from fluid.event_types import Counters, Hotness
from fluid.files import write_atomic
from fluid.hotness import Run
from fluid.hotness_types import HotModule, Samples, Stack
from fluid.records import EventError, from_object

SAMPLES_SCHEMA = 1
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class SamplesFile:
    """The whole file."""

    schema: int
    target: str
    runs: list[Run]
    counters: Counters  # of the processor, all runs together
    modules: list[HotModule]  # sorted
    samples: Samples  # stacks sorted, each there once


def damaged(path: Path | str, error: object) -> FluidError:
    """What the report is made from must be as the build wrote it."""
    return FluidError(
        "E-RPT-03",
        f"{path}: a measurement as this build writes it expected ({error!s:.200}); remove it and "
        "run ./sconsw report again",
    )


def sum_counters(parts: Sequence[Counters]) -> Counters:
    """By name; null where any part has not counted it."""
    found = dict(parts[0])
    for part in parts[1:]:
        more = dict(part)
        for name, count in found.items():
            other = more.get(name)
            found[name] = None if count is None or other is None else count + other
    return list(found.items())


def _modules(exports: Sequence[Hotness]) -> list[HotModule]:
    """Each with the most bytes that any run has seen."""
    found: dict[tuple[str, str, str], HotModule] = {}
    for export in exports:
        for module in export.modules:
            key = (module.name, module.target, module.source)
            before = found.get(key, module)
            found[key] = HotModule(
                name=module.name,
                target=module.target,
                source=module.source,
                code_bytes=max(before.code_bytes, module.code_bytes),
                live_bytes=max(before.live_bytes, module.live_bytes),
                peak_bytes=max(before.peak_bytes, module.peak_bytes),
            )
    return [module for _, module in sorted(found.items())]


def merge_samples(exports: Sequence[tuple[Hotness, str]], target: str) -> SamplesFile:
    """One file of several (export, runner)."""
    events = [event for event, _ in exports]
    stacks: Counter[tuple[str, ...]] = Counter()
    for event in events:
        for stack in event.samples.stacks:
            stacks[tuple(stack.functions)] += stack.count
    return SamplesFile(
        schema=SAMPLES_SCHEMA,
        target=target,
        runs=[Run(build=e.build, cpu=e.cpu, runner=runner, hz=e.hz) for e, runner in exports],
        counters=sum_counters([event.counters for event in events]),
        modules=_modules(events),
        samples=Samples(
            hz=max(event.samples.hz for event in events),
            taken=sum(event.samples.taken for event in events),
            idle=sum(event.samples.idle for event in events),
            lost=sum(event.samples.lost for event in events),
            stacks=[Stack(count=n, functions=list(names)) for names, n in sorted(stacks.items())],
        ),
    )


def write_samples(content: SamplesFile, path: Path | str) -> None:
    """Replaces the file."""
    write_atomic(path, canonical_json(asdict(content)))


def read_checked(path: Path | str, schema: int, target: str) -> Any:
    """The JSON object of a measurement, of this schema and target. E-RPT-03."""
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
        found = (data["schema"], data["target"])
        if found != (schema, target):
            raise ValueError(f"schema {schema} of {target} expected, {found[0]} of {found[1]}")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise damaged(path, error) from error
    return data


def read_as(
    path: Path | str,
    cls: type[T],
    schema: int,
    target: str,
    check: Callable[[T], None] = lambda found: None,
) -> T:
    """The same as a dataclass, of which `check` raises EventError if its fields do not go together.
    E-RPT-03."""
    try:
        found = from_object(read_checked(path, schema, target), cls, Path(path).stem)
        check(found)
    except EventError as error:
        raise damaged(path, error) from error
    return found


def read_samples(path: Path | str, target: str) -> SamplesFile:
    """E-RPT-03."""
    return read_as(path, SamplesFile, SAMPLES_SCHEMA, target)
