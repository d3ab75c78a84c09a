"""The hotness file: what training runs measured, per module, function and shape.

profiles/hotness/<target>.json is an input of the build (docs/tuning.md). It is read strictly, since
people edit it: E-HOT-01 damaged, of another schema or target. Medians of several runs are merged
with their calls as weights; all other numbers exactly.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from fluid.canonical import canonical_json
from fluid.errors import FluidError
from fluid.event_types import Hotness
from fluid.files import write_atomic
from fluid.hotness_types import COUNT, DIGEST, HotFunction
from fluid.records import EventError, from_object

HOTNESS_SCHEMA = 1
COUNT_MAX = 1 << 63  # what no machine counts to


@dataclass(frozen=True, kw_only=True)
class Run:
    """Where numbers come from."""

    build: str = field(metadata=DIGEST)
    cpu: str
    runner: str
    hz: int = field(metadata=COUNT)


@dataclass(frozen=True, kw_only=True)
class Calls:
    """Of one function with one shape, in all runs; cycles include those of functions called."""

    module: str
    source: str = field(metadata=DIGEST)
    caller: str
    name: str
    rows: int = field(metadata=COUNT)
    cols: int = field(metadata=COUNT)
    calls: int = field(metadata=COUNT)
    cycles: int = field(metadata=COUNT)
    min: int = field(metadata=COUNT)
    median: int = field(metadata=COUNT)
    max: int = field(metadata=COUNT)


@dataclass(frozen=True, kw_only=True)
class HotnessFile:
    """The whole file."""

    schema: int
    target: str
    runs: list[Run]
    functions: list[Calls]  # sorted


@dataclass(frozen=True)
class ModuleHotness:
    """What the plan looks at. Means of one run; cycles in the module itself."""

    source: str
    calls: int
    cycles: int


def _bad(where: object, what: str) -> FluidError:
    return FluidError(
        "E-HOT-01", f"{where}: {what}; restore the file, or remove it and run ./sconsw profile"
    )


def check_export(export: Hotness, build: str, target: str) -> None:
    """E-HOT-02 when the export says nothing, E-HOT-03 when it is of another build or target."""
    if not export.functions:
        raise FluidError(
            "E-HOT-02",
            "an export with at least one function that was called expected, found none; did the "
            "workload run?",
        )
    if (export.build, export.target) != (build, target):
        raise FluidError(
            "E-HOT-03",
            f"an export of build {build} for {target} expected, found {export.build} for "
            f"{export.target}; measure the image that was built",
        )
    if export.schema != HOTNESS_SCHEMA:
        raise _bad("export", f"schema {HOTNESS_SCHEMA} expected, {export.schema} found")


KEY = ("module", "source", "caller", "name", "rows", "cols")


def _key(f: HotFunction) -> tuple[str, str, str, str, int, int]:
    return f.module, f.source, f.caller, f.name, f.rows, f.cols


def _median(parts: Sequence[HotFunction]) -> int:
    """The median of the runs' medians, each as often as it has calls."""
    half = sum(p.calls for p in parts) / 2
    for part in sorted(parts, key=lambda p: p.median):
        half -= part.calls
        if half <= 0:
            return part.median
    raise AssertionError("no part has calls")


def merge(exports: Sequence[tuple[Hotness, str]], target: str) -> HotnessFile:
    """One file of several (export, runner), which check_export has passed."""
    parts: dict[tuple[str, str, str, str, int, int], list[HotFunction]] = {}
    for export, _ in exports:
        for function in export.functions:
            parts.setdefault(_key(function), []).append(function)
    functions = [
        Calls(
            **dict(zip(KEY, key, strict=True)),  # type: ignore[arg-type]
            calls=sum(p.calls for p in same),
            cycles=sum(p.cycles for p in same),
            min=min(p.min for p in same),
            median=_median(same),
            max=max(p.max for p in same),
        )
        for key, same in sorted(parts.items())
    ]
    runs = [Run(build=e.build, cpu=e.cpu, runner=runner, hz=e.hz) for e, runner in exports]
    return HotnessFile(schema=HOTNESS_SCHEMA, target=target, runs=runs, functions=functions)


def write_hotness(content: HotnessFile, path: Path | str) -> None:
    """Replaces the file as a whole; what has no calls or runs is never written: E-HOT-02."""
    if not content.functions or not content.runs:
        raise FluidError("E-HOT-02", f"{path}: a measurement expected, found an empty one")
    write_atomic(path, canonical_json(asdict(content)))


def _no_constant(name: str) -> float:
    raise ValueError(f"a number expected, {name} found")


def read_hotness(path: Path | str, target: str) -> HotnessFile:
    """Reads and checks; raises E-HOT-01 for anything that is not as it should be, E-HOT-02 for a
    file without measurements."""
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"), parse_constant=_no_constant)
        found = from_object(data, HotnessFile, "hotness")
    except OSError as error:
        raise _bad(path, f"a readable file expected, found {error.strerror}") from error
    except (EventError, ValueError, RecursionError) as error:
        raise _bad(path, str(error)) from error
    if (found.schema, found.target) != (HOTNESS_SCHEMA, target):
        raise _bad(
            path,
            f"schema {HOTNESS_SCHEMA} and target {target} expected, schema {found.schema} and "
            f"target {found.target} found",
        )
    _check_numbers(found, path)
    return found


def _check_numbers(content: HotnessFile, path: Path | str) -> None:
    if not content.runs or not content.functions:
        raise FluidError(
            "E-HOT-02",
            f"{path}: at least one run and one function expected, found {len(content.runs)} and "
            f"{len(content.functions)}; run ./sconsw profile",
        )
    for f in content.functions:
        if f.calls == 0 or max(f.calls, f.cycles, f.max) >= COUNT_MAX:
            raise _bad(
                path, f"{f.name}: 1 .. 2^63 calls and cycles expected, {f.calls} and {f.cycles}"
            )
        if not f.min <= f.median <= f.max:
            raise _bad(
                path, f"{f.name}: min <= median <= max expected, {f.min}, {f.median}, {f.max} found"
            )


def modules(content: HotnessFile) -> dict[str, ModuleHotness]:
    """By name. Of a module with several sources the one with the most calls counts. Cycles of
    functions that a module's functions call are taken from its own."""
    found: dict[str, ModuleHotness] = {}
    for name in sorted({f.module for f in content.functions}):
        own = [f for f in content.functions if f.module == name]
        source = max({f.source for f in own}, key=lambda s: (_calls(own, s), s))
        own = [f for f in own if f.source == source]
        called = sum(f.cycles for f in content.functions if f.caller == name and f.module != name)
        cycles = max(0, sum(f.cycles for f in own) - called)
        runs = len(content.runs)
        found[name] = ModuleHotness(source, _calls(own, source) // runs, cycles // runs)
    return found


def _calls(functions: Iterable[Calls], source: str) -> int:
    return sum(f.calls for f in functions if f.source == source)
