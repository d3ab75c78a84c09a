"""What the report is made from, and the numbers that its charts show."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fluid import report_numbers, report_shapes
from fluid.errors import FluidError
from fluid.hotness import HotnessFile, modules
from fluid.hotness_types import Samples, Stack
from fluid.plan import BASELINE
from fluid.records import from_object
from fluid.report_inputs import read_levels, read_logs, write_logs
from fluid.report_section import Section
from fluid.report_sections import sections
from fluid.report_style import plain
from hotness_samples import file_data, function
from report_samples import TARGET, Recorded


@pytest.fixture
def recorded(tmp_path: Path) -> Recorded:
    return Recorded(tmp_path / "recorded")


def section(recorded: Recorded, name: str) -> Section:
    [found] = [one for one in sections(recorded.inputs()) if one.id == name]
    return found


def test_every_section_has_something(recorded: Recorded) -> None:
    made = sections(recorded.inputs())
    first = ["benchmarks", "peers", "tiers", "warmup", "quality", "before-after", "levels"]
    assert [one.id for one in made] == [*first, "history", "hotness", "flame", "plan", "build"]
    assert all(one.charts or one.tables for one in made)
    assert [one.id for one in made if not one.charts] == ["plan"]


@pytest.mark.parametrize(
    "damage",
    [
        *({"schema": 9}, {"target": "i686"}, {"instructions": 5}),
        *({"instructions": {BASELINE: {"sum": 0}}}, {"instructions": {BASELINE: {"sum": 1.5}}}),
        {"instructions": {BASELINE: {"sum": 1}, "O3": {"primes": 1}}},
        {"instructions": {}, "host": []},
        {"host": [{}]},
        {"host": 5},
    ],
)
def test_damaged_levels(recorded: Recorded, damage: dict[str, Any]) -> None:
    recorded.write("levels", {**recorded.data("levels"), **damage})
    with pytest.raises(FluidError, match=r"E-RPT-03 .*levels\.json"):
        read_levels(recorded.path("levels"), TARGET)


def test_damaged_copies_of_logs(tmp_path: Path) -> None:
    path = tmp_path / "logs.json"
    assert write_logs(tmp_path, TARGET, path) == []  # nothing there yet
    assert read_logs(path, TARGET).history == []
    path.write_text(json.dumps({**json.loads(path.read_text()), "steps": [{}]}))
    with pytest.raises(FluidError, match=r"E-RPT-03 .*logs\.json"):
        read_logs(path, TARGET)


def test_broken_lines_are_listed(recorded: Recorded) -> None:
    for name in ("history.jsonl", "timing.jsonl"):
        with (recorded.folder / name).open("ab") as log:
            log.write(b"<script>\n")
    problems = recorded.inputs().logs.problems
    assert [problem.split(",")[0] for problem in problems] == [
        *("E-RPT-01 history.jsonl", "E-RPT-01 timing.jsonl")
    ]


def hotness(*functions: dict[str, Any], runs: int = 1) -> HotnessFile:
    return from_object(file_data(*functions, runs=runs), HotnessFile, "hotness")


def test_tiles_are_own_cycles() -> None:
    """What a module spent in others is taken off its functions by their shares."""
    content = hotness(
        function("llama", name="eval", cycles=900, rows=0, cols=0),
        function("llama", name="sample", cycles=100, rows=0, cols=0),
        function("llama", name="inner", caller="llama", cycles=500),
        function("sum", name="add", caller="llama", cycles=600, rows=2, cols=3),
        function("sum", name="add", caller="kernel", cycles=40, rows=2, cols=3),
    )
    found = [(t.module, t.function, t.cycles, t.calls) for t in report_shapes.tiles(content)]
    assert found == [
        ("llama", None, 400, 20),
        ("llama", "eval", 360, 10),
        ("llama", "sample", 40, 10),
        ("sum", None, 640, 20),
        ("sum", "add(2×3)", 640, 20),
    ]


def test_tiles_agree_with_the_plan(recorded: Recorded) -> None:
    """The same own cycles that the plan's thresholds are held against, but for rounding."""
    content = recorded.inputs().hotness
    runs = len(content.runs)
    shown = {t.module: t.cycles // runs for t in report_shapes.tiles(content) if not t.function}
    planned = {name: m.cycles for name, m in modules(content).items() if m.cycles}
    assert shown.keys() == planned.keys()
    assert all(abs(shown[name] - planned[name]) <= 50 for name in shown)


def test_levels_are_ratios_of_the_same_round(recorded: Recorded) -> None:
    found = recorded.inputs().levels
    names, rows = report_numbers.level_ratios(found, timed=False)
    base = list(found.instructions).index(BASELINE)
    assert names[-1] == "geometric mean" and {row[base] for row in rows} == {1.0}
    form = next(iter(found.instructions))
    first = found.instructions[form][names[0]] / found.instructions[BASELINE][names[0]]
    assert rows[0][0] == pytest.approx(first)


def test_bars_by_tag_are_the_last_results(recorded: Recorded) -> None:
    records = recorded.inputs().logs.history
    chart = report_numbers.by_tag(records, "host", "cycles")
    bars = {
        (trace.name, tag): y
        for trace in chart.data
        for tag, y in zip(trace.x, trace.y, strict=True)
    }
    assert {tag.rpartition("_")[2] for _, tag in bars} == {"x86-64-v2", "i686"}  # side by side
    last = [r for r in records if (r.runner, r.form, r.target) == ("host", "PGO", TARGET)][-1]
    result = last.results[0]
    assert bars["PGO", result.tag] == pytest.approx(result.median / result.units)
    assert report_numbers.by_tag(records, "kvm", "cycles") is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.3084, "0.308"),
        (6.1, "6.1"),
        (999.4, "999"),
        (1310, "1.31k"),
        (9.3e6, "9.3M"),
        (2e9, "2G"),
    ],
)
def test_numbers_on_bars(value: float, text: str) -> None:
    assert report_numbers.short(value) == text


def test_no_samples_and_why(recorded: Recorded) -> None:
    data = recorded.data("samples")
    data["samples"] = {"hz": 0, "taken": 0, "idle": 0, "lost": 0, "stacks": []}
    recorded.write("samples", data)
    flame = section(recorded, "flame")
    assert flame.charts == [] and flame.missing == [
        "There are no samples: the timer never found it at work."
    ]
    data["runs"] = [{**run, "runner": "host"} for run in data["runs"]]
    recorded.write("samples", data)
    assert section(recorded, "flame").missing == [
        "There are no samples: nothing ticks in fluid-host."
    ]


def test_nothing_to_draw(recorded: Recorded) -> None:
    """Of files that hold nothing; the page says so."""
    recorded.write("comparison", {**recorded.data("comparison"), "modules": {}})
    found = section(recorded, "before-after")
    assert found.charts == [] and found.missing == ["No module was measured in both images."]
    assert report_shapes.treemap(hotness(function(caller="regex_dfa"))) is None
    for log in ("history.jsonl", "timing.jsonl"):
        (recorded.folder / log).unlink()
    assert section(recorded, "build").missing == ["No build has left times yet."]
    assert section(recorded, "history").charts == section(recorded, "benchmarks").charts == []


def test_frames_too_thin_to_see_are_left_out() -> None:
    wide = Stack(count=report_shapes.THINNEST * 2, functions=["main", "wide"])
    thin = Stack(count=1, functions=["main", "thin"])
    samples = Samples(hz=100, taken=1, idle=0, lost=0, stacks=[wide, thin])
    [trace] = report_shapes.flame(samples).data
    assert list(trace.labels) == ["all samples", "main", "wide"]
    assert list(trace.values) == [wide.count + 1] * 2 + [wide.count]


def test_counters_are_shown_or_absent(recorded: Recorded) -> None:
    """Never zero where they were not read."""
    counters = [["cache_misses", 12345], ["branches", 0], ["tlb_misses", None]]
    recorded.write("samples", {**recorded.data("samples"), "counters": counters})
    found = section(recorded, "hotness").tables[-1].rows
    assert found == [("cache_misses", "12,345"), ("branches", "0"), ("tlb_misses", "absent")]


def test_counters_for_a_unit_of_work(recorded: Recorded) -> None:
    """Of the last catalogue; who counted is told."""
    log = recorded.folder / "history.jsonl"
    record = json.loads(log.read_text().splitlines()[-1])
    one = {**record["results"][0], "tag": "sum_other", "units": 10, "calls": 20}
    one |= {"counters": [["branches", 5000], ["tlb_misses", None]], "counted_by": "somebody"}
    record |= {"form": "image", "measure": "cycles", "target": "other", "runner": "host"}
    with log.open("a") as file:
        file.write(json.dumps({**record, "results": [one]}) + "\n")
    table = section(recorded, "benchmarks").tables[-1]
    row = dict(zip(table.head, table.rows[-1], strict=True))
    assert (row["benchmark"], row["counted by"]) == ("sum_other", "somebody")
    assert (row["branches"], row["tlb misses"]) == ("25", "absent")


def test_a_target_that_only_this_machine_runs(recorded: Recorded) -> None:
    """Without TCG there are no instructions."""
    recorded.write("levels", {**recorded.data("levels"), "instructions": {}})
    compared = recorded.data("comparison")
    for change in compared["modules"].values():
        change["instructions"] = None
    recorded.write("comparison", compared)
    levels = section(recorded, "levels")
    assert [chart.id for chart in levels.charts] == ["levels-time"]
    assert levels.missing == ["There are no instructions: QEMU's TCG cannot run this target."]
    found = section(recorded, "before-after")
    [trace] = found.charts[0].figure.data
    assert trace.name == "time in fluid-host"
    assert {row[2] for row in found.tables[0].rows} == {"absent"}


def test_names_are_text() -> None:
    """plotly would make <b> bold, and &lt; a <."""
    assert plain("<b>&lt;") == "&lt;b&gt;&amp;lt;"


def test_other_builds_do_without() -> None:
    """Neither plotly nor jinja2 is loaded before a page is made."""
    code = "import sys, fluid.report; print({'plotly', 'jinja2'} & sys.modules.keys())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(Path(report_shapes.__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout == "set()\n", done.stderr


def test_peers_that_were_not_compared(recorded: Recorded) -> None:
    """The section says how to."""
    found = replace(recorded.inputs(), peers=None)
    [peers] = [one for one in sections(found) if one.id == "peers"]
    assert not peers.charts and "bench runner=host target=native peers=1" in peers.missing[0]


def test_quality_that_was_not_measured(recorded: Recorded) -> None:
    """The section says how to."""
    found = replace(recorded.inputs(), quality=None)
    [quality] = [one for one in sections(found) if one.id == "quality"]
    assert not quality.charts and "./sconsw quality" in quality.missing[0]


def test_numbers_of_quality(recorded: Recorded) -> None:
    """A row for each format; unchanged weights cost nothing."""
    measured = recorded.inputs().quality
    assert measured is not None
    [shown] = section(recorded, "quality").tables
    assert {len(row) for row in shown.rows} == {len(shown.head)}
    assert [row[0] for row in shown.rows] == [one.kind for one in measured.formats]
    assert shown.rows[0][:2] == ["F32", "540"]
    assert shown.rows[0][5:7] == ["+0.00% ± 0.00%", "100.0%"]


def test_numbers_of_peers(recorded: Recorded) -> None:
    """What memory allows is of decoding only."""
    [shown] = section(recorded, "peers").tables
    decode = [row for row in shown.rows if row[1] == "decode"]
    assert decode and all(str(row[-1]).endswith("%") for row in decode)
    assert all(row[-1] == "-" for row in shown.rows if row not in decode)
