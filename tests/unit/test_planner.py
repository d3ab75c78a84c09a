"""The planner: thresholds of each category, stale measurements, and independence of modules."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from fluid import plan, planner
from fluid.hotness import ModuleHotness
from fluid.plan import BASELINE, LEVELS, Decision, read_plan
from fluid.planner import THRESHOLDS, Subject, decide, make_plan, write_plans
from fluid.targets import CATEGORIES, COUNTED

ROOT = Path(__file__).resolve().parents[2]
NOW, BEFORE = "0a" * 16, "0b" * 16
SEED = 18


def measured(category: str, cycles: int = 0, calls: int = 0) -> ModuleHotness:
    """So much above the thresholds."""
    limit = THRESHOLDS[category]
    return ModuleHotness(NOW, limit.calls + calls, limit.cycles + cycles)


def test_categories() -> None:
    """Each folder of modules has thresholds, and each threshold a folder."""
    assert set(CATEGORIES.values()) == set(THRESHOLDS)


@pytest.mark.parametrize("category", THRESHOLDS)
def test_both_sides_of_each_threshold(category: str) -> None:
    limit = THRESHOLDS[category]
    subject = Subject(category, NOW)
    for above in (0, 1, 10**6):
        hot = decide(subject, measured(category, above, above), False)
        assert (hot.level, hot.why.split(":")[0]) == (limit.level, "hot")
    few_cycles = decide(subject, measured(category, cycles=-1, calls=10**6), True)
    few_calls = decide(subject, measured(category, cycles=10**12, calls=-1), True)
    assert few_cycles == plan.baseline(f"cold: below {limit.cycles} cycles in a run")
    assert few_calls == plan.baseline(f"cold: below {limit.calls} calls in a run")


@pytest.mark.parametrize("category", THRESHOLDS)
def test_stale_and_missing_measurements(category: str) -> None:
    """However hot it was."""
    subject = Subject(category, NOW)
    stale = decide(subject, ModuleHotness(BEFORE, 10**9, 10**15), True)
    assert (stale.level, stale.profile) == (BASELINE, False) and "other sources" in stale.why
    assert decide(subject, None, True) == plan.baseline("not measured")


@pytest.mark.parametrize("category", THRESHOLDS)
def test_counters_where_the_category_uses_them(category: str) -> None:
    subject = Subject(category, NOW)
    assert decide(subject, measured(category), True).profile is (category in COUNTED)
    assert decide(subject, measured(category), False).profile is False
    assert decide(subject, measured(category, cycles=-1), True).profile is False


@pytest.mark.parametrize("category", THRESHOLDS)
def test_never_below_the_baseline(category: str) -> None:
    assert LEVELS.index(THRESHOLDS[category].level) >= LEVELS.index(BASELINE)


def test_without_hotness() -> None:
    made = make_plan("i686", {"a": Subject("bench", ""), "b": Subject("tensor", "")}, None, True)
    assert set(made.modules.values()) == {plan.baseline("no hotness was given")}


def random_hotness(draw: random.Random, category: str) -> ModuleHotness | None:
    """About as often on either side of each threshold."""
    limit = THRESHOLDS[category]
    source = draw.choice([NOW, NOW, NOW, BEFORE])
    cycles, calls = (draw.randint(0, 2 * edge) for edge in (limit.cycles, limit.calls))
    return draw.choice([None, *[ModuleHotness(source, calls, cycles)] * 4])


def test_a_decision_depends_on_no_other_module() -> None:
    """Whatever the others have, and whether they are there."""
    draw = random.Random(SEED)
    seen: set[Decision] = set()
    for _ in range(500):
        subjects = {f"m{n}": Subject(draw.choice(list(THRESHOLDS)), NOW) for n in range(6)}
        numbers = {name: random_hotness(draw, s.category) for name, s in subjects.items()}
        given = {name: value for name, value in numbers.items() if value}
        whole = make_plan("i686", subjects, given, True)
        assert list(whole.modules) == list(subjects)
        for name, subject in subjects.items():
            own = {name: given[name]} if name in given else {}
            alone = make_plan("i686", {name: subject}, own, True)
            assert alone.decision(name) == whole.decision(name)
            seen.add(whole.decision(name))
    assert {decision.level for decision in seen} == {"O2", "O3"}
    assert {decision.profile for decision in seen} == {True, False}


def test_plans_of_modules(tmp_path: Path) -> None:
    """One file for each, whose bytes say nothing of the others."""
    subjects = {"a": Subject("bench", NOW), "b": Subject("tensor", NOW)}
    hot = {"a": measured("bench"), "b": measured("tensor")}
    parts = {name: tmp_path / f"{name}.json" for name in subjects}
    write_plans(make_plan("i686", subjects, hot), tmp_path / "plan.json", parts)
    before = parts["a"].read_bytes()
    assert read_plan(parts["a"]).modules.keys() == {"a"}
    cold = {**hot, "b": measured("tensor", cycles=-1)}
    write_plans(make_plan("i686", subjects, cold), tmp_path / "plan.json", parts)
    assert parts["a"].read_bytes() == before
    assert read_plan(parts["b"]).decision("b").level == BASELINE
    whole = read_plan(tmp_path / "plan.json")
    assert whole.decision("a").level == THRESHOLDS["bench"].level


def test_no_counter_gets_into_a_plan(tmp_path: Path) -> None:
    """Numbers that lead to the same decisions give the same bytes."""
    subjects = {"a": Subject("bench", NOW)}
    for number, above in enumerate((0, 12345)):
        made = make_plan("i686", subjects, {"a": measured("bench", above, above)})
        write_plans(made, tmp_path / f"{number}.json", {})
    assert (tmp_path / "0.json").read_bytes() == (tmp_path / "1.json").read_bytes()


def test_the_table() -> None:
    subjects = {"zeta": Subject("bench", NOW), "alpha": Subject("tensor", NOW)}
    made = make_plan("i686", subjects, {"zeta": measured("bench")}, counters=True)
    head, alpha, zeta = planner.table(made).splitlines()
    assert head.split() == ["module", "level", "counters", "why"]
    assert alpha.split()[:3] == ["alpha", "O2", "-"] and alpha.endswith("not measured")
    assert zeta.split()[:3] == ["zeta", "O3", "used"] and "hot: 1000000 cycles" in zeta


def test_the_document_has_the_thresholds() -> None:
    text = (ROOT / "docs/tuning.md").read_text(encoding="utf-8")
    row = r"^\| `(\w+)` \| `src/modules/(\w+)` \| ([\d,]+) \| ([\d,]+) \| `-(O\d)` \| (\w+)"
    told = {
        (category, folder, int(cycles.replace(",", "")), int(calls.replace(",", "")), level, used)
        for category, folder, cycles, calls, level, used in re.findall(row, text, re.MULTILINE)
    }
    assert told == {
        (name, folder, limit.cycles, limit.calls, limit.level, "if" if name in COUNTED else "never")
        for folder, name in CATEGORIES.items()
        for limit in [THRESHOLDS[name]]
    }
