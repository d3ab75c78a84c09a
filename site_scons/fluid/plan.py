"""The plan: per module the decision how to compile it, and why (planner.py makes it).

A plan never holds a raw counter, so that equal decisions give equal bytes whatever was measured.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from fluid.canonical import canonical_json
from fluid.errors import FluidError
from fluid.files import write_atomic

PLAN_SCHEMA = 2
LEVELS = ("O0", "O1", "O2", "O3")
BASELINE = "O2"


@dataclass(frozen=True)
class Decision:
    """How one module is compiled."""

    level: str  # one of LEVELS
    profile: bool  # with the counters of its training
    why: str


def baseline(why: str) -> Decision:
    """As if nothing were known."""
    return Decision(BASELINE, False, why)


@dataclass(frozen=True)
class Plan:
    """Decisions by module name for one target."""

    target: str
    modules: dict[str, Decision]

    def decision(self, module: str) -> Decision:
        """Raises E-PLAN-02 when the plan does not mention the module."""
        if module not in self.modules:
            raise FluidError(
                "E-PLAN-02",
                f"the plan for {self.target} was expected to decide about module {module}, found "
                f"only {', '.join(sorted(self.modules))}; remove plan.json and build again",
            )
        return self.modules[module]


def write_plan(plan: Plan, path: Path | str) -> None:
    """Writes a plan file."""
    modules = {name: asdict(decision) for name, decision in plan.modules.items()}
    content = {"schema": PLAN_SCHEMA, "target": plan.target, "modules": modules}
    write_atomic(path, canonical_json(content))


def read_plan(path: Path | str) -> Plan:
    """Reads a plan file. Raises E-PLAN-01 when it is damaged or of another schema."""
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
        if data["schema"] != PLAN_SCHEMA:
            raise ValueError(f"schema {PLAN_SCHEMA} expected, {data['schema']} found")
        modules = {name: Decision(**d) for name, d in data["modules"].items()}
        bad = [f"{name}: {d.level}" for name, d in modules.items() if d.level not in LEVELS]
        if bad:
            raise ValueError(f"level {'|'.join(LEVELS)} expected, {bad[0]} found")
        return Plan(data["target"], modules)
    except (ValueError, KeyError, TypeError) as error:
        raise FluidError(
            "E-PLAN-01", f"{path}: a plan expected ({error}); remove it and build again"
        ) from error
