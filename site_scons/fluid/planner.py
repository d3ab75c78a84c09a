"""From what was measured to the plan.

A decision looks at its own module alone, so that no other module's numbers change it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fluid.hotness import ModuleHotness
from fluid.plan import Decision, Plan, baseline, write_plan
from fluid.targets import COUNTED


@dataclass(frozen=True)
class Threshold:
    """Of one category of modules: what makes it hot, and what is done then."""

    cycles: int  # in one training run
    calls: int
    level: str  # of a hot module; never below BASELINE
    about: str


# By category (targets.py).
THRESHOLDS = {
    "bench": Threshold(1_000_000, 1, "O3", "benchmarks: compiled code is all there is"),
    "tensor": Threshold(
        50_000_000, 1000, "O3", "hand-written loops, in variants that one run cannot all see"
    ),
    "control": Threshold(50_000_000, 100, "O3", "the model: branches and calls"),
}


@dataclass(frozen=True)
class Subject:
    """A module that is to be decided about."""

    category: str  # key of THRESHOLDS
    source: str  # digest of its sources as they are now


def decide(subject: Subject, measured: ModuleHotness | None, counters: bool) -> Decision:
    """The decision for one module. counters: its branch counters are there to be used."""
    limit = THRESHOLDS[subject.category]
    if measured is None:
        return baseline("not measured")
    if measured.source != subject.source:
        return baseline("measured with other sources; run ./sconsw profile again")
    if measured.cycles < limit.cycles:
        return baseline(f"cold: below {limit.cycles} cycles in a run")
    if measured.calls < limit.calls:
        return baseline(f"cold: below {limit.calls} calls in a run")
    why = f"hot: {limit.cycles} cycles and {limit.calls} calls in a run, or more"
    return Decision(limit.level, counters and subject.category in COUNTED, why)


def make_plan(
    target: str,
    subjects: Mapping[str, Subject],
    measured: Mapping[str, ModuleHotness] | None,
    counters: bool = False,
) -> Plan:
    """Plan for all modules of a target. measured: None when there is no hotness to go by."""
    if measured is None:
        return Plan(target, dict.fromkeys(subjects, baseline("no hotness was given")))
    decisions = {
        name: decide(subject, measured.get(name), counters) for name, subject in subjects.items()
    }
    return Plan(target, decisions)


def level_plan(target: str, names: Iterable[str], level: str) -> Plan:
    """Everything at one level, for comparison."""
    return Plan(target, dict.fromkeys(names, Decision(level, False, "all modules at this level")))


def write_plans(plan: Plan, whole: Path | str, parts: Mapping[str, Path | str]) -> None:
    """plan.json, and beside it one file per module, so that what depends on a module's decision
    depends on no other."""
    write_plan(plan, whole)
    for name, path in parts.items():
        write_plan(Plan(plan.target, {name: plan.decision(name)}), path)


def table(plan: Plan) -> str:
    """For people, one line per module."""
    lines = [f"  {'module':<18} {'level':<6} {'counters':<9} why"]
    for name, decision in sorted(plan.modules.items()):
        counters = "used" if decision.profile else "-"
        lines.append(f"  {name:<18} {decision.level:<6} {counters:<9} {decision.why}")
    return "\n".join(lines)
