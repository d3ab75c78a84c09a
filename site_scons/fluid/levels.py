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
from fluid.instructions import TICKS
from fluid.machine import Machine
from fluid.pgo import MEASURED, ROUNDS
from fluid.plan import BASELINE
from fluid.training import ICOUNT, Workload, run_workload

LEVELS_SCHEMA = 1
Calls = dict[str, int]  # benchmark -> cycles of its shortest call


@dataclass(frozen=True)
class Levels:
    """Per form ("O0" .. "O3", "PGO") and benchmark: instructions of a call; and of each round the
    cycles in fluid-host, none where it cannot run."""

    target: str
    instructions: Mapping[str, Calls]
    host: Sequence[Mapping[str, Calls]]
    schema: int = LEVELS_SCHEMA


def _shortest(image: Path, names: Sequence[str], **options: Any) -> Calls:
    work = Workload([(name, *MEASURED[name]) for name in names], ())
    with Machine(image, **options) as machine:
        results = run_workload(machine, work, lambda step: None)
    return {name: bench.min for name, bench in results.items()}


def measure(
    images: Mapping[str, Path],
    names: Sequence[str],
    *,
    target: str,
    emulated: str,
    mem: int,
    host: str | None,
    progress: Callable[[str], None],
) -> Levels:
    """All images by form. host: the program fluid-host; None: it cannot run here."""
    counted = {}
    for form, image in images.items():
        progress(f"instructions of {form}")
        one = {"target": emulated, "mem": mem, "runner": "tcg", "icount": ICOUNT}
        cycles = _shortest(image, names, **one)
        counted[form] = {name: ticks // TICKS for name, ticks in cycles.items()}
    rounds = []
    for number in range(ROUNDS if host else 0):
        progress(f"fluid-host, round {number + 1} of {ROUNDS}")
        timed = {"target": emulated, "mem": mem, "runner": HOST, "emulator": host}
        order = list(images.items())[:: 1 if number % 2 == 0 else -1]
        rounds.append({form: _shortest(image, names, **timed) for form, image in order})
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
    forms = [form for form in found.instructions if form != BASELINE]
    names = sorted(found.instructions[BASELINE])
    lines = [
        f"the catalogue on {found.target}, against {BASELINE}: instructions"
        + (", time in fluid-host (spread of rounds)" if found.host else ""),
        _row("", [*forms, f"{BASELINE}, instructions"]),
    ]
    means: dict[str, list[tuple[float, float | None]]] = {form: [] for form in forms}
    for name in names:
        base = found.instructions[BASELINE][name]
        cells = []
        for form in forms:
            counted, timed = found.instructions[form][name] / base, _host_ratios(found, form, name)
            means[form].append((counted, statistics.median(timed) if timed else None))
            spread = f" ({timed[0]:.2f}..{timed[-1]:.2f})" if timed else ""
            middle = f" {statistics.median(timed):.2f}" if timed else ""
            cells.append(f"{counted:.2f}{middle}{spread}")
        lines.append(_row(name, [*cells, f"{base:,}"]))
    lines.append(_row("geometric mean", [_mean(means[form]) for form in forms]))
    return "\n".join(lines) + "\n"


def _mean(ratios: Sequence[tuple[float, float | None]]) -> str:
    counted = statistics.geometric_mean(one for one, _ in ratios)
    timed = [one for _, one in ratios if one is not None]
    return f"{counted:.3f}" + (f" {statistics.geometric_mean(timed):.3f}" if timed else "")
