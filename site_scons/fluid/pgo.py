"""Before and after: what each module takes in the image with nothing known and in the one built by
the plan, on the same work.

The work is not the training's: other sizes of the benchmarks, other texts. Two runners: TCG with
-icount, whose cycles are instructions and the same each time; and fluid-host, where it can run,
in turns, with medians and their spread. A module that is not faster keeps its previous form.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from fluid import hotness
from fluid.canonical import canonical_json
from fluid.emulator import HOST
from fluid.errors import FluidError
from fluid.event_types import Hotness
from fluid.files import write_atomic
from fluid.history import Recorder, Taken, taken
from fluid.machine import Machine
from fluid.plan import BASELINE, Decision, Plan, baseline
from fluid.probe import tcg_can
from fluid.records import EventError, from_object
from fluid.training import COUNTING, ICOUNT, TICKS, Workload, export, run_workload

ROUNDS = 7
FASTER = 0.995  # of the time before: less is not told from chance
OFTEN = 0.85  # of the rounds: six of seven are faster by chance once in sixteen times
COMPARE_SCHEMA = 1
RATIO_MAX = 1e6  # nothing is that much slower
OPTIMISED = "PGO"  # form of the image that is built by the plan; the other is BASELINE

# Sizes of the benchmarks, none of them the default one, and calls.
MEASURED: dict[str, tuple[int, int]] = {
    "compute": (65536, 6),
    "fft_1d": (32, 100),
    "fibonacci": (1048576, 4),
    "gemm_tile": (128016, 6),
    "matrix_mul": (128, 6),
    "physics_step": (16, 20),
    "primes": (10000, 20),
    "regex_dfa": (4096, 20),
    "sha256_stream": (4096, 40),
    "sum": (1048576, 6),
}
LINES = ("/complete 6 Water boils at", "How many days are in a week?", "/clear")


@dataclass(frozen=True, kw_only=True)
class Change:
    """One module: what it takes itself in the whole workload, after / before."""

    instructions: float | None  # None: TCG cannot run this target
    host: list[float]  # by the clock, one ratio for each round, sorted; empty: it cannot run here

    @property
    def faster(self) -> bool:
        """By the clock where there is one: in the median, and in nearly all rounds."""
        if not self.host:
            return self.instructions is not None and self.instructions < FASTER
        often = sum(ratio < 1 for ratio in self.host) >= len(self.host) * OFTEN
        return statistics.median(self.host) < FASTER and often


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """compare.json."""

    schema: int = COMPARE_SCHEMA
    target: str
    runners: list[str]
    modules: dict[str, Change]


def workload(benchmarks: list[str]) -> Workload:
    """What is measured. E-PGO-04 when a benchmark has no size for it."""
    missing = [name for name in benchmarks if name not in MEASURED]
    if missing:
        raise FluidError(
            "E-PGO-04",
            f"a size to measure benchmark {missing[0]} with expected in pgo.py, found none; add it",
        )
    return Workload([(name, *MEASURED[name]) for name in benchmarks], LINES)


def _own_cycles(found: Hotness, runner: str) -> dict[str, int]:
    """Cycles in each module itself. Each call counts as the shortest: the others have waited for
    something else, too, or were interrupted. What varies between rounds by a clock is in their
    spread. But where instructions are counted, calls of a module that calls others count as they
    were: those differ by what they are for, as a prompt and a token do."""
    content = hotness.merge([(found, runner)], found.target)
    shortest = [replace(f, cycles=f.calls * f.min) for f in content.functions]
    own = hotness.modules(replace(content, functions=shortest))
    if runner != HOST:
        callers = {f.caller for f in content.functions}
        own |= {name: m for name, m in hotness.modules(content).items() if name in callers}
    return {name: m.cycles for name, m in own.items() if m.cycles > 0}


def measure(image: Path, work: Workload, **options: Any) -> tuple[dict[str, int], Taken]:
    """One machine, one workload: own cycles of each module, and what its benchmarks took."""
    with Machine(image, **options) as machine:
        results = taken(machine, run_workload(machine, work, lambda step: None))
        found = export(machine)
    return _own_cycles(found, options["runner"]), results


def compare(
    before: Path,
    after: Path,
    work: Workload,
    recorder: Recorder,
    *,
    target: str,
    emulated: str,
    mem: int,
    host: str | None,
    progress: Callable[[str], None],
) -> Comparison:
    """Runs both images. host: the program fluid-host; None: it cannot run here. E-PGO-08 when
    nothing can run them."""
    check_runner(target, emulated, host)
    forms = {before: BASELINE, after: OPTIMISED}
    counted = []
    one = {"target": emulated, "mem": mem, "runner": "tcg", "icount": ICOUNT}
    for image, form in forms.items() if tcg_can(emulated) else ():
        progress(f"instructions of {form}")
        cycles, results = measure(image, work, **one)
        counted.append(cycles)
        recorder.add(form, COUNTING, results, "instructions", TICKS)
    rounds: list[tuple[dict[str, int], dict[str, int]]] = []
    for number in range(ROUNDS if host else 0):
        progress(f"fluid-host, round {number + 1} of {ROUNDS}")
        timed = {"target": emulated, "mem": mem, "runner": HOST, "emulator": host}
        first, second = (before, after) if number % 2 == 0 else (after, before)
        pair = {path: measure(path, work, **timed) for path in (first, second)}
        for image, (_, results) in pair.items():
            recorder.add(forms[image], HOST, results)
        rounds.append((pair[before][0], pair[after][0]))
    runners = [COUNTING] * bool(counted) + [HOST] * bool(host)
    return Comparison(target=target, runners=runners, modules=_changes(counted, rounds))


def check_runner(target: str, emulated: str, host: str | None) -> None:
    """E-PGO-08 when neither TCG nor fluid-host can run the target."""
    if host is None and not tcg_can(emulated):
        raise FluidError(
            "E-PGO-08",
            f"a runner for {target} expected, TCG or fluid-host, found none: TCG has no AVX-512, "
            "and fluid-host cannot be linked here; install the C library's start files",
        )


def _changes(
    counted: list[dict[str, int]], rounds: list[tuple[dict[str, int], dict[str, int]]]
) -> dict[str, Change]:
    changes = {}
    before, after = counted or rounds[0]
    for name in sorted(before.keys() & after.keys()):
        measured = all(name in first and name in last for first, last in rounds)
        ratios = sorted(last[name] / first[name] for first, last in rounds) if measured else []
        instructions = counted[1][name] / counted[0][name] if counted else None
        changes[name] = Change(instructions=instructions, host=ratios)
    if not changes:
        raise FluidError(
            "E-PGO-05", "modules that both images run expected, found none; rebuild the images"
        )
    return changes


def write_comparison(found: Comparison, path: Path | str) -> None:
    """compare.json."""
    write_atomic(path, canonical_json(asdict(found)))


def _check(name: str, change: Change) -> None:
    for ratio in (*change.host, *([] if change.instructions is None else [change.instructions])):
        if not 0 < ratio < RATIO_MAX:
            raise EventError(f"{name}: ratios between 0 and {RATIO_MAX:g} expected, {ratio} found")


def read_comparison(path: Path | str, target: str) -> Comparison:
    """Raises E-PGO-06 for a file that is damaged, or of another schema or target."""
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
        if (data["schema"], data["target"]) != (COMPARE_SCHEMA, target):
            raise EventError(f"schema {COMPARE_SCHEMA} and target {target} expected, others found")
        changes = {n: from_object(c, Change, n) for n, c in data["modules"].items()}
        for name, change in changes.items():
            _check(name, change)
        return Comparison(target=target, runners=list(data["runners"]), modules=changes)
    except (EventError, ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise FluidError(
            "E-PGO-06", f"{path}: a comparison expected ({error}); remove it and build again"
        ) from error


def final_plan(trial: Plan, found: Comparison) -> Plan:
    """The trial's decisions, but for modules that they did not make faster."""
    return Plan(
        trial.target,
        {name: _final(d, found.modules.get(name), found) for name, d in trial.modules.items()},
    )


def is_baseline(decision: Decision) -> bool:
    """Nothing is tried."""
    return decision == baseline(decision.why)


def _final(decision: Decision, change: Change | None, found: Comparison) -> Decision:
    if is_baseline(decision):
        return decision
    if change is None:
        return baseline("kept: not measured after it was optimised")
    if HOST in found.runners and not change.host:
        return baseline("kept: not measured in every round")
    if change.faster:
        return decision
    return baseline("kept: optimised it is not faster")


def table(trial: Plan, found: Comparison) -> str:
    """For people: ratios after / before, below 1 is faster, and what became of each module."""
    lines = [
        f"after / before on {found.target}, below 1 is faster ({', '.join(found.runners)})",
        f"  {'module':<18} {'built as':<14} {'instructions':>12}  {'host (spread)':<24} kept",
    ]
    final = final_plan(trial, found)
    for name, change in found.modules.items():
        decision = trial.modules[name]
        how = decision.level + (" + counters" if decision.profile else "")
        host = _spread(change.host)
        kept = "no" if final.modules[name] != decision else "yes"
        if is_baseline(decision):
            kept = "-"
        lines.append(f"  {name:<18} {how:<14} {_ratio(change.instructions):>12}  {host:<24} {kept}")
    optimised = [name for name in found.modules if name in MEASURED]
    tried = [name for name in optimised if not is_baseline(trial.modules[name])]
    kept_ones = [name for name in tried if final.modules[name] == trial.modules[name]]
    lines.append(_mean("all benchmarks optimised", found.modules, optimised, tried))
    lines.append(_mean("as kept in the image", found.modules, optimised, kept_ones))
    return "\n".join(lines) + "\n"


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _spread(ratios: Sequence[float]) -> str:
    if not ratios:
        return "-"
    return f"{statistics.median(ratios):.3f} ({ratios[0]:.3f} .. {ratios[-1]:.3f})"


def _mean(
    what: str, changes: Mapping[str, Change], names: Sequence[str], changed: Sequence[str]
) -> str:
    """Geometric means over benchmarks; of those that are not `changed` the ratio is 1."""
    if not names:
        return "  no benchmarks"
    counted = [changes[name].instructions if name in changed else 1.0 for name in names]
    timed = [_median(changes[name].host) if name in changed else 1.0 for name in names]
    means = f"{_ratio(_geometric_mean(counted)):>5}  {_ratio(_geometric_mean(timed))}"
    return f"  {'geometric mean, ' + what:<41} {means}"


def _median(ratios: Sequence[float]) -> float | None:
    return statistics.median(ratios) if ratios else None


def _geometric_mean(ratios: Sequence[float | None]) -> float | None:
    """None when one is not known, or nothing but the ratios that are not measured."""
    known = [ratio for ratio in ratios if ratio is not None]
    return statistics.geometric_mean(known) if len(known) == len(ratios) else None
