"""Times of a build's steps: the log, the last run, the critical path, rows that do not overlap."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from fluid import jsonl, timing
from fluid.timing import Step, critical_path, lanes, last_run, read_timing, whole


def step(name: str, start: int, took: int, *needs: str, run: str = "1") -> Step:
    return Step(run=run, verb="CC", targets=[name], needs=list(needs), start=start, took=took)


# a and b at once, c needs both, d nothing of them.
BUILD = [step("a", 0, 5), step("b", 0, 9), step("c", 9, 2, "a", "b", "x"), step("d", 9, 10)]


def names(steps: list[Step]) -> list[str]:
    return [one.name for one in steps]


def test_the_longest_chain() -> None:
    assert names(critical_path(BUILD)) == ["b", "c"]
    assert names(critical_path([*BUILD[:3], replace(BUILD[3], took=12)])) == ["d"]
    assert critical_path([]) == []


def test_any_product_of_a_step_will_do() -> None:
    both = replace(step("a", 0, 5), targets=["a", "a.map"])
    assert names(critical_path([both, step("b", 5, 1, "a.map")])) == ["a", "b"]


def test_the_last_time_counts() -> None:
    again = [*BUILD, step("b", 50, 1, run="2")]
    assert names(critical_path(again)) == ["d"]
    assert vars(whole(again)) == {"steps": 4, "work": 18, "critical": 10}
    assert vars(whole([])) == {"steps": 0, "work": 0, "critical": 0}


def test_a_circle_is_cut() -> None:
    """As when two products have changed places between two builds."""
    path = critical_path([step("a", 0, 5, "b"), step("b", 9, 7, "a", run="2")])
    assert sorted(names(path)) == ["a", "b"]
    assert names(critical_path([step("a", 0, 5, "a")])) == ["a"]


def test_deep_chains() -> None:
    steps = [step(str(n), n, 1, str(n - 1)) for n in range(5000)]
    assert names(critical_path(steps)) == [str(n) for n in range(5000)]


def test_the_last_run() -> None:
    assert last_run([]) == []
    later = [step("e", 30, 5, run="2"), step("f", 20, 5, run="2")]
    assert names(last_run([*BUILD, *later])) == ["f", "e"]


def test_rows() -> None:
    """No two bars of a row overlap, and a row that is free is used again."""
    rows = {one.name: row for row, one in lanes(BUILD)}
    assert rows == {"a": 0, "b": 1, "c": 0, "d": 1}


def test_the_log(tmp_path: Path) -> None:
    path = tmp_path / timing.FILE
    jsonl.append(path, BUILD)
    assert read_timing(path) == (BUILD, [])


@pytest.mark.parametrize("change", [{"took": -1}, {"targets": []}, {"start": 1 << 63}, {"run": 5}])
def test_lines_that_are_no_steps(tmp_path: Path, change: dict[str, object]) -> None:
    path = tmp_path / timing.FILE
    jsonl.append(path, BUILD)
    first, *others = path.read_text().splitlines()
    path.write_text("\n".join([json.dumps({**json.loads(first), **change}), *others]) + "\n")
    steps, [problem] = read_timing(path)
    assert steps == BUILD[1:]
    assert str(problem).startswith(f"E-RPT-01 {timing.FILE}, line 1: a record expected")


def test_a_log_of_one_line_that_is_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timing, "SIZE_MAX", 100)
    path = tmp_path / "timing.jsonl"
    path.write_bytes(b"x" * 1000)
    timing.trim(path)
    assert path.read_bytes() == b""


def test_a_log_does_not_grow_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / timing.FILE
    timing.trim(path)
    jsonl.append(path, BUILD)
    before = path.read_bytes()
    timing.trim(path)
    assert path.read_bytes() == before
    monkeypatch.setattr(timing, "SIZE_MAX", len(before) - 1)
    timing.trim(path)
    kept, problems = read_timing(path)
    assert problems == [] and 0 < len(kept) < len(BUILD) and kept == BUILD[-len(kept) :]
