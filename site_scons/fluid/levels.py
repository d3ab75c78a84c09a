"""The catalogue at every optimisation level and with counters: `scons levels`.

The same images but for level and counters, the same work: other sizes than the training's. Two
runners, as in pgo.py: instructions under TCG with -icount, and fluid-host by the clock, all images
in each round, of each benchmark the shortest call.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fluid.canonical import canonical_json
from fluid.emulator import HOST
from fluid.files import write_atomic
from fluid.history import Recorder, Taken, taken
from fluid.machine import Machine
from fluid.pgo import ROUNDS, check_runner, workload
from fluid.plan import BASELINE
from fluid.probe import tcg_can
from fluid.training import COUNTING, ICOUNT, TICKS, Workload, run_workload

LEVELS_SCHEMA = 1
Calls = dict[str, int]  # benchmark -> cycles of its shortest call


@dataclass(frozen=True)
class Levels:
    """Per form ("O0" .. "O3", "PGO") and benchmark: instructions of a call, none where TCG cannot
    run; and of each round the cycles in fluid-host, none where that cannot run."""

    target: str
    instructions: Mapping[str, Calls]
    host: Sequence[Mapping[str, Calls]]
    schema: int = LEVELS_SCHEMA


def _run(image: Path, names: Sequence[str], **options: Any) -> Taken:
    work = Workload(workload(list(names)).benchmarks, ())
    with Machine(image, **options) as machine:
        return taken(machine, run_workload(machine, work, lambda step: None))


def _shortest(found: Taken, ticks: int = 1) -> Calls:
    return {name: bench.min // ticks for name, bench in found.benches.items()}


def measure(
    images: Mapping[str, Path],
    names: Sequence[str],
    recorder: Recorder,
    *,
    target: str,
    emulated: str,
    mem: int,
    host: str | None,
    progress: Callable[[str], None],
) -> Levels:
    """All images by form. host: the program fluid-host; None: it cannot run here. E-PGO-08 when
    nothing can run them."""
    check_runner(target, emulated, host)
    counted = {}
    for form, image in images.items() if tcg_can(emulated) else ():
        progress(f"instructions of {form}")
        one = {"target": emulated, "mem": mem, "runner": "tcg", "icount": ICOUNT}
        found = _run(image, names, **one)
        recorder.add(form, COUNTING, found, "instructions", TICKS)
        counted[form] = _shortest(found, TICKS)
    rounds = []
    for number in range(ROUNDS if host else 0):
        progress(f"fluid-host, round {number + 1} of {ROUNDS}")
        timed = {"target": emulated, "mem": mem, "runner": HOST, "emulator": host}
        order = list(images.items())[:: 1 if number % 2 == 0 else -1]
        round_ = {form: _run(image, names, **timed) for form, image in order}
        for form, found in round_.items():
            recorder.add(form, HOST, found)
        rounds.append({form: _shortest(found) for form, found in round_.items()})
    return Levels(target, counted, rounds)


def write_levels(found: Levels, path: Path | str) -> None:
    """levels.json."""
    write_atomic(path, canonical_json(asdict(found)))


def _host_ratios(found: Levels, form: str, name: str) -> list[float]:
    return sorted(one[form][name] / one[BASELINE][name] for one in found.host)


def _row(title: str, cells: Sequence[str]) -> str:
    return f"  {title:<15}" + "".join(f"{cell:>23}" for cell in cells)


def table(found: Levels) -> str:
    """Ratios to the baseline level, below 1 is less; geometric means below."""
    measured = found.instructions or found.host[0]
    forms = [form for form in measured if form != BASELINE]
    names = sorted(measured[BASELINE])
    what = ["instructions"] * bool(found.instructions)
    what += ["time in fluid-host (spread of rounds)"] * bool(found.host)
    lines = [
        f"the catalogue on {found.target}, against {BASELINE}: {', '.join(what)}",
        _row("", [*forms, f"{BASELINE}, instructions"]),
    ]
    for name in names:
        base = f"{found.instructions[BASELINE][name]:,}" if found.instructions else "-"
        lines.append(_row(name, [*(_cell(found, form, name) for form in forms), base]))
    lines.append(_row("geometric mean", [_means(found, form, names) for form in forms]))
    return "\n".join(lines) + "\n"


def _counted_ratio(found: Levels, form: str, name: str) -> float:
    return found.instructions[form][name] / found.instructions[BASELINE][name]


def _cell(found: Levels, form: str, name: str) -> str:
    parts = [f"{_counted_ratio(found, form, name):.2f}"] if found.instructions else []
    if found.host:
        timed = _host_ratios(found, form, name)
        parts += [f"{statistics.median(timed):.2f}", f"({timed[0]:.2f}..{timed[-1]:.2f})"]
    return " ".join(parts)


def _means(found: Levels, form: str, names: Sequence[str]) -> str:
    means = []
    if found.instructions:
        means.append(statistics.geometric_mean(_counted_ratio(found, form, n) for n in names))
    if found.host:
        medians = [statistics.median(_host_ratios(found, form, name)) for name in names]
        means.append(statistics.geometric_mean(medians))
    return " ".join(f"{mean:.3f}" for mean in means)
