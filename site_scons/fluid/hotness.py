"""The hotness file: what training runs measured, per module, function and shape.

profiles/hotness/<target>.json is an input of the build (docs/tuning.md). It is read strictly, since
people edit it: E-HOT-01 damaged, of another schema or target. Medians of several runs are merged
with their calls as weights; all other numbers exactly.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from fluid.canonical import canonical_json
from fluid.errors import FluidError
from fluid.event_types import Hotness
from fluid.files import write_atomic
from fluid.hotness_types import COUNT, DIGEST, Calls, HotFunction
from fluid.records import COUNT_MAX, EventError, from_object, no_constant

HOTNESS_SCHEMA = 1


@dataclass(frozen=True, kw_only=True)
class Run:
    """Where numbers come from."""

    build: str = field(metadata=DIGEST)
    cpu: str
    runner: str
    hz: int = field(metadata=COUNT)


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
        raise FluidError(
            "E-HOT-01",
            f"an export of schema {HOTNESS_SCHEMA} expected, {export.schema} found; build the "
            "image and the measurement from one tree",
        )


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
    """Replaces the file as a whole, by nothing that read_hotness would refuse: E-HOT-01, 02."""
    _check_numbers(content, path)
    write_atomic(path, canonical_json(asdict(content)))


def read_hotness(path: Path | str, target: str) -> HotnessFile:
    """Reads and checks; raises E-HOT-01 for anything that is not as it should be, E-HOT-02 for a
    file without measurements."""
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"), parse_constant=no_constant)
        _check_kind(data, target)
        found = from_object(data, HotnessFile, "hotness")
    except OSError as error:
        raise _bad(path, f"a readable file expected, found {error.strerror}") from error
    except (EventError, ValueError, RecursionError) as error:
        raise _bad(path, str(error)) from error
    _check_numbers(found, path)
    return found


def _check_kind(data: object, target: str) -> None:
    """Before anything else, since another schema has other fields. EventError."""
    if not isinstance(data, dict):
        return
    for name, expected in (("schema", HOTNESS_SCHEMA), ("target", target)):
        found = data.get(name, expected)  # one that is missing is told of later
        if type(found) is type(expected) and found != expected:
            raise EventError(f"hotness.{name}: {expected} expected, {found!r:.80} found")


def _check_numbers(content: HotnessFile, path: Path | str) -> None:
    if not content.runs or not content.functions:
        raise FluidError(
            "E-HOT-02",
            f"{path}: at least one run and one function expected, found {len(content.runs)} and "
            f"{len(content.functions)}; run ./sconsw profile",
        )
    for place, part in _parts(content):
        for name, value in vars(part).items():
            if isinstance(value, int) and value >= COUNT_MAX:
                raise _bad(
                    path, f"hotness.{place}.{name}: less than 2^63 expected, {value!r:.80} found"
                )
    for number, f in enumerate(content.functions):
        where = f"hotness.functions[{number}]"
        if f.calls == 0:
            raise _bad(path, f"{where}.calls: at least 1 expected, 0 found")
        if not f.min <= f.median <= f.max:
            raise _bad(
                path,
                f"{where}.median: min <= median <= max expected, {f.min}, {f.median} and {f.max} "
                "found",
            )


def _parts(content: HotnessFile) -> Iterator[tuple[str, Run | Calls]]:
    """What has numbers, and where it is."""
    yield from ((f"runs[{number}]", run) for number, run in enumerate(content.runs))
    yield from ((f"functions[{number}]", calls) for number, calls in enumerate(content.functions))


def modules(content: HotnessFile) -> dict[str, ModuleHotness]:
    """By name. Of a module with several sources the one with the most calls counts."""
    found: dict[str, ModuleHotness] = {}
    runs = len(content.runs)
    for name in sorted({f.module for f in content.functions}):
        entered = [f for f in content.functions if f.module == name]
        source = max({f.source for f in entered}, key=lambda s: (_calls(entered, s), s))
        cycles = _own_cycles(content.functions, name, source)
        found[name] = ModuleHotness(source, _calls(entered, source) // runs, cycles // runs)
    return found


def _own_cycles(functions: Sequence[Calls], name: str, source: str) -> int:
    """Of a module, without those of functions of others that it called. Those do not say which of
    its sources called them: each has its share."""
    entered = [f for f in functions if f.module == name and f.caller != name]
    whole = sum(f.cycles for f in entered)
    part = sum(f.cycles for f in entered if f.source == source)
    called = sum(f.cycles for f in functions if f.caller == name and f.module != name)
    return max(0, whole - called) * part // max(1, whole)


def _calls(functions: Iterable[Calls], source: str) -> int:
    return sum(f.calls for f in functions if f.source == source)
