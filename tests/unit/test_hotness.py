"""The hotness file: merging exports, writing, strict reading, and what the plan looks at."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fluid import hotness
from fluid.errors import FluidError
from fluid.hotness import ModuleHotness, check_export, merge, read_hotness, write_hotness
from hotness_samples import (
    BUILD,
    OTHER_SOURCE,
    SOURCE,
    TARGET,
    export,
    file_data,
    function,
)


def written(tmp_path: Path, data: Any) -> Path:
    """A file with this content, given as JSON or as text."""
    path = tmp_path / "x.json"
    path.write_text(data if isinstance(data, str) else json.dumps(data))
    return path


def refusal(path: Path, target: str = TARGET) -> str:
    """What read_hotness says of it."""
    with pytest.raises(FluidError) as caught:
        read_hotness(path, target)
    return str(caught.value)


# ---- exports


def test_an_export_that_says_nothing() -> None:
    with pytest.raises(FluidError, match=r"E-HOT-02 .*at least one function"):
        check_export(export(), BUILD, TARGET)


@pytest.mark.parametrize(("build", "target"), [("00" * 16, TARGET), (BUILD, "i686")])
def test_an_export_of_something_else(build: str, target: str) -> None:
    said = rf"E-HOT-03 .*build {build} for {target} expected, found {BUILD} for {TARGET}"
    with pytest.raises(FluidError, match=said):
        check_export(export(function()), build, target)


def test_an_export_of_another_schema() -> None:
    with pytest.raises(FluidError, match=r"E-HOT-01 .*schema 1 expected, 2 found"):
        check_export(export(function(), schema=2), BUILD, TARGET)
    check_export(export(function()), BUILD, TARGET)


# ---- merging


def test_merged_runs() -> None:
    """Sums, the least, the greatest; what only one run has stays; runs in order; sorted."""
    one = export(function("b", calls=3, cycles=30, min=5, median=9, max=20), function("c"))
    other = export(function("b", calls=4, cycles=50, min=4, median=7, max=11), function("a"), hz=7)
    merged = merge([(one, "tcg"), (other, "host")], TARGET)
    assert [f.module for f in merged.functions] == ["a", "b", "c"]
    b = merged.functions[1]
    assert (b.calls, b.cycles, b.min, b.median, b.max) == (7, 80, 4, 7, 20)
    assert [(run.runner, run.hz) for run in merged.runs] == [("tcg", 2_000_000_000), ("host", 7)]
    assert (merged.schema, merged.target) == (1, TARGET)
    assert merge([(other, "host"), (one, "tcg")], TARGET).functions == merged.functions


@pytest.mark.parametrize(
    ("parts", "median"),
    [
        ([(10, 100)], 100),
        ([(1, 100), (1, 200)], 100),  # of two equals the lower one
        ([(1, 100), (2, 200)], 200),
        ([(2, 100), (1, 200), (1, 300)], 100),
        ([(1, 300), (1, 100), (1, 200)], 200),
        ([(1, 1), (10**6, 50), (1, 99)], 50),
    ],
)
def test_medians_weigh_by_calls(parts: list[tuple[int, int]], median: int) -> None:
    runs = [
        (export(function(calls=calls, median=middle, max=1000, min=0)), "host")
        for calls, middle in parts
    ]
    assert merge(runs, TARGET).functions[0].median == median


@pytest.mark.parametrize(
    "change",
    [
        {"source": OTHER_SOURCE},
        {"caller": "llama"},
        {"name": "other"},
        {"rows": 9},
        {"cols": 9},
        {"module": "other"},
    ],
    ids=str,
)
def test_what_is_kept_apart(change: dict[str, Any]) -> None:
    merged = merge([(export(function(), {**function(), **change}), "host")], TARGET)
    assert [f.calls for f in merged.functions] == [10, 10]


def test_variants_of_one_source_count_together() -> None:
    """The plan decides about sources, whatever variant of them ran."""
    merged = merge([(export(function(), function(target="x86-64-v3")), "host")], TARGET)
    assert [f.calls for f in merged.functions] == [20]


# ---- writing


def test_what_is_written_is_read(tmp_path: Path) -> None:
    merged = merge([(export(function("b"), function("a", rows=3)), "tcg")] * 2, TARGET)
    path = tmp_path / "hotness" / "x.json"
    write_hotness(merged, path)
    assert read_hotness(path, TARGET) == merged
    before = path.read_bytes()
    write_hotness(read_hotness(path, TARGET), path)
    assert path.read_bytes() == before and before.endswith(b"}\n")
    assert list(path.parent.iterdir()) == [path]


def test_nothing_worse_takes_the_place_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    good = merge([(export(function()), "tcg")], TARGET)
    write_hotness(good, path)
    before = path.read_bytes()
    no_calls = replace(good, functions=[replace(good.functions[0], calls=0)])
    for content, code in (
        (replace(good, functions=[]), "E-HOT-02"),
        (replace(good, runs=[]), "E-HOT-02"),
        (no_calls, "E-HOT-01"),
    ):
        with pytest.raises(FluidError, match=f"{code} .*x.json"):
            write_hotness(content, path)
        assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


# ---- reading


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ('"calls": 10', '"calls": NaN', "NaN"),
        ('"calls": 10', '"calls": Infinity', "Infinity"),
        ('"calls": 10', '"calls": -Infinity', "-Infinity"),
        ('"calls": 10', '"calls": 1e999', "functions[0].calls: int expected, inf"),
        ('"calls": 10', '"calls": 1' + 5000 * "0", "5001 digits"),
        ('"calls": 10', '"calls": ', "Expecting value"),
        ('"calls": 10', '"calls": 10, "calls', "line 1"),
        ('"runs": [', '"runs": [' + 100_000 * "[", ""),
    ],
    ids=lambda text: text[:20],
)
def test_text_that_is_no_such_json(tmp_path: Path, old: str, new: str, found: str) -> None:
    text = json.dumps(file_data())
    assert text.count(old) == 1
    said = refusal(written(tmp_path, text.replace(old, new)))
    assert said.startswith(f"E-HOT-01 {tmp_path}/x.json: ") and found in said
    assert "./sconsw profile" in said


@pytest.mark.parametrize("content", [b"", b"\xff\xfe{}", b"{", b"\x00", b"[]", b"1", b"null"])
def test_bytes_that_are_no_such_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content)
    assert refusal(path).startswith(f"E-HOT-01 {path}: ")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.json"):
        assert re.match(f"E-HOT-01 {path}: a readable file expected, found ", refusal(path))


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        *((f, -1, "at least 0 expected, -1 found") for f in ("calls", "cycles", "min", "rows")),
        *((f, 10**30, "less than 2^63 expected, 1000") for f in ("calls", "cols", "max", "cycles")),
        ("calls", 1 << 63, "less than 2^63 expected"),
        ("calls", True, "int expected, True found"),
        ("cycles", 1.5, "int expected, 1.5 found"),
        ("median", "9", "int expected, '9' found"),
        ("name", 7, "str expected, 7 found"),
        ("module", None, "str expected, None found"),
        ("calls", 0, "at least 1 expected, 0 found"),
        ("min", 91, "median: min <= median <= max expected, 91, 90 and 300 found"),
        ("max", 89, "median: min <= median <= max expected, 50, 90 and 89 found"),
        ("source", "0a", "expected, '0a' found"),
        ("source", "0A" * 16, "expected, '0A0A"),
        ("source", SOURCE + "\n", "expected, '0a0a"),
    ],
)
def test_values_of_functions(tmp_path: Path, field: str, value: Any, said: str) -> None:
    """The sentence names the file, the field and what was found."""
    data = file_data(function("other"), {**function(), field: value})
    text = refusal(written(tmp_path, data))
    place = "median" if said.startswith("median") else field
    assert text.startswith(f"E-HOT-01 {tmp_path}/x.json: hotness.functions[1].{place}: ")
    assert said in text


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("build", 7, "str expected"),
        ("hz", -1, "at least 0 expected"),
        ("hz", 10**30, "less than 2^63 expected"),
        ("hz", False, "int expected"),
    ],
)
def test_values_of_runs(tmp_path: Path, field: str, value: Any, said: str) -> None:
    data = file_data()
    data["runs"][0] = {**data["runs"][0], field: value}
    text = refusal(written(tmp_path, data))
    assert text.startswith(f"E-HOT-01 {tmp_path}/x.json: hotness.runs[0].{field}: {said}")


@pytest.mark.parametrize("field", file_data()["functions"][0])
def test_missing_fields_of_functions(tmp_path: Path, field: str) -> None:
    data = file_data()
    del data["functions"][0][field]
    assert f"hotness.functions[0]: field '{field}' expected" in refusal(written(tmp_path, data))


@pytest.mark.parametrize("field", file_data())
@pytest.mark.parametrize("value", [None, True, {}, "text", 1.0])
def test_fields_of_the_file(tmp_path: Path, field: str, value: Any) -> None:
    data = file_data()
    without = {k: v for k, v in data.items() if k != field}
    assert f"field '{field}' expected" in refusal(written(tmp_path, without))
    assert f"hotness.{field}: " in refusal(written(tmp_path, {**data, field: value}))


def test_another_kind_of_file(tmp_path: Path) -> None:
    """Told before its other fields are looked at, which may be others."""
    said = refusal(written(tmp_path, {"schema": 2, "target": TARGET, "modules": {}}))
    assert said.startswith(f"E-HOT-01 {tmp_path}/x.json: hotness.schema: 1 expected, 2 found")
    said = refusal(written(tmp_path, file_data()), "i686")
    assert "hotness.target: i686 expected, 'x86-64-v2' found" in said


@pytest.mark.parametrize("part", ["runs", "functions"])
def test_nothing_measured(tmp_path: Path, part: str) -> None:
    said = refusal(written(tmp_path, {**file_data(), part: []}))
    assert said.startswith(f"E-HOT-02 {tmp_path}/x.json: at least one run and one function")


def test_notes_of_people_are_passed_over(tmp_path: Path) -> None:
    data = file_data()
    data["functions"][0]["note"] = data["note"] = "typed by hand"
    assert read_hotness(written(tmp_path, data), TARGET).functions[0].calls == 10


# ---- what the plan looks at


def found(tmp_path: Path, *functions: dict[str, Any], runs: int = 1) -> dict[str, ModuleHotness]:
    path = written(tmp_path, file_data(*functions, runs=runs))
    return hotness.modules(read_hotness(path, TARGET))


def test_own_cycles(tmp_path: Path) -> None:
    """Those of called functions belong to the modules that are called."""
    measured = found(
        tmp_path,
        function("llama", calls=4, cycles=1000),
        function("tensor", caller="llama", calls=30, cycles=600),
        function("tensor", caller="llama", calls=2, cycles=50, rows=7),
        function("table", caller="tensor", calls=1, cycles=40),
    )
    assert measured == {
        "llama": ModuleHotness(SOURCE, 4, 350),
        "tensor": ModuleHotness(SOURCE, 32, 610),
        "table": ModuleHotness(SOURCE, 1, 40),
    }


def test_a_module_that_calls_itself(tmp_path: Path) -> None:
    """The outer call has the cycles of the inner one already."""
    measured = found(
        tmp_path,
        function("llama", cycles=1000),
        function("llama", caller="llama", name="inner", cycles=400),
        function("tensor", caller="llama", cycles=100),
    )
    assert measured["llama"] == ModuleHotness(SOURCE, 20, 900)


def test_more_called_than_calling(tmp_path: Path) -> None:
    """As when a call was cut off by a fault: it counts nothing, what it called does."""
    called = function("tensor", caller="llama", cycles=2000)
    assert found(tmp_path, function("llama"), called)["llama"].cycles == 0
    assert "llama" not in found(tmp_path, called)


def test_means_of_runs(tmp_path: Path) -> None:
    [measured] = found(tmp_path, function(calls=11, cycles=1001), runs=2).values()
    assert measured == ModuleHotness(SOURCE, 5, 500)


def test_several_sources(tmp_path: Path) -> None:
    """The one with the most calls counts, with its share of what was called."""
    measured = found(
        tmp_path,
        function("llama", calls=4, cycles=3000),
        function("llama", calls=6, cycles=1000, source=OTHER_SOURCE),
        function("tensor", caller="llama", cycles=2000),
    )
    assert measured["llama"] == ModuleHotness(OTHER_SOURCE, 6, 500)


def test_a_tie_of_sources_is_decided_always_alike(tmp_path: Path) -> None:
    both = [function(), function(source=OTHER_SOURCE)]
    assert found(tmp_path, *both) == found(tmp_path, *reversed(both))
