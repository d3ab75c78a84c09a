"""The table of levels: ratios to the baseline level, geometric means."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fluid import levels
from fluid.history import Recorder, Taken, read_history
from fluid.levels import Levels, measure, table, write_levels
from fluid.pgo import ROUNDS
from fluid.planner import level_plan
from fluid.training import TICKS
from hotness_samples import BUILD, bench

COUNTED = {
    "O2": {"sum": 1000, "primes": 400},
    "O0": {"sum": 4000, "primes": 400},
    "PGO": {"sum": 250, "primes": 400},
}


def cells(text: str, row: str) -> list[str]:
    [line] = [line for line in text.splitlines() if line.strip().startswith(row)]
    return line.removeprefix(f"  {row}").split()


def test_instructions_only() -> None:
    """Where fluid-host cannot run."""
    text = table(Levels("i686", COUNTED, []))
    assert cells(text, "sum") == ["4.00", "0.25", "1,000"]
    assert cells(text, "primes") == ["1.00", "1.00", "400"]
    assert cells(text, "geometric mean") == ["2.000", "0.500"]


def test_time_only() -> None:
    """Where TCG cannot run."""
    one = {"O2": {"sum": 10}, "PGO": {"sum": 5}}
    text = table(Levels("x86-64-v4", {}, [one, one]))
    assert cells(text, "sum") == ["0.50", "(0.50..0.50)", "-"]
    assert cells(text, "geometric mean") == ["0.500"] and "instructions," not in text.split("\n")[0]


def test_rounds_are_compared_with_themselves() -> None:
    """A round in which everything takes twice as long changes no ratio."""
    one = {"O2": {"sum": 10}, "PGO": {"sum": 5}}
    slow = {form: {"sum": 2 * calls["sum"]} for form, calls in one.items()}
    odd = {"O2": {"sum": 10}, "PGO": {"sum": 12}}
    text = table(Levels("i686", {"O2": {"sum": 8}, "PGO": {"sum": 4}}, [one, slow, odd]))
    assert cells(text, "sum") == ["0.50", "0.50", "(0.50..1.20)", "8"]
    assert cells(text, "geometric mean") == ["0.500", "0.500"]


def test_measuring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each image counts once, then all in each round, in turns; ticks become instructions."""
    asked: list[tuple[str, str]] = []

    def run(image: Path, names: Any, **options: Any) -> Taken:
        asked.append((image.name, options["runner"]))
        ticks = 16 * TICKS
        return Taken(BUILD, {n: bench(n, min=ticks, median=ticks, max=ticks) for n in names})

    monkeypatch.setattr(levels, "_run", run)
    recorder = Recorder(tmp_path / "build/history.jsonl", "i686", "levels")
    images = {"O2": Path("two"), "PGO": Path("pgo")}
    found = measure(
        images,
        ["sum"],
        recorder,
        target="i686",
        emulated="i686",
        mem=128,
        host="fluid-host",
        progress=lambda step: None,
    )
    assert found.instructions == {"O2": {"sum": 16}, "PGO": {"sum": 16}}
    assert len(found.host) == ROUNDS
    assert asked[:4] == [("two", "tcg"), ("pgo", "tcg"), ("two", "host"), ("pgo", "host")]
    assert asked[4:6] == [("pgo", "host"), ("two", "host")]
    recorder.write()
    records, problems = read_history(recorder.path)
    assert problems == [] and [r.what for r in records] == ["levels"] * 4
    counted, timed = records[0].results[0], records[2].results[0]
    assert (records[0].measure, counted.min, counted.calls) == ("instructions", 16, 1)
    assert (records[2].measure, timed.min, timed.calls) == ("cycles", 16 * TICKS, ROUNDS)
    write_levels(found, tmp_path / "levels.json")
    assert json.loads((tmp_path / "levels.json").read_text())["schema"] == levels.LEVELS_SCHEMA


def test_one_level_for_all() -> None:
    plan = level_plan("i686", ["sum", "llama"], "O1")
    assert {d.level for d in plan.modules.values()} == {"O1"} and len(plan.modules) == 2
    assert not any(d.profile for d in plan.modules.values())
