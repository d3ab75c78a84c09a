"""Sampled stacks for other programs, and samples as a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jsonschema
import pytest

from fluid.errors import FluidError
from fluid.hotness_types import Stack
from fluid.report import write_stacks
from fluid.samples import merge_samples, read_samples, write_samples
from fluid.stacks import SPEEDSCOPE_SCHEMA, folded, speedscope, tree
from hotness_samples import BUILD, SOURCE, TARGET, export, function

STACKS = [
    Stack(count=3, functions=["main", "run", "sum"]),
    Stack(count=2, functions=["main", "run"]),
    Stack(count=1, functions=["main", "run", "sum", "run"]),
]
ODD = ["a b", "x;y 7", "100%", "%3B", "two\nlines\r", "\u2028", "", "<script>", "日本"]

# From speedscope's src/lib/file-format-spec.ts: a file with profiles of the kind "sampled".
SPEEDSCOPE: dict[str, Any] = {
    "type": "object",
    "required": ["$schema", "shared", "profiles"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"const": "https://www.speedscope.app/file-format-schema.json"},
        "shared": {
            "type": "object",
            "required": ["frames"],
            "additionalProperties": False,
            "properties": {
                "frames": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["name"],
                        "additionalProperties": False,
                        "properties": {
                            "name": {"type": "string"},
                            "file": {"type": "string"},
                            "line": {"type": "number"},
                            "col": {"type": "number"},
                        },
                    },
                }
            },
        },
        "profiles": {
            "type": "array",
            "items": {
                "type": "object",
                "required": [
                    *("type", "name", "unit", "startValue", "endValue"),
                    *("samples", "weights"),
                ],
                "additionalProperties": False,
                "properties": {
                    "type": {"const": "sampled"},
                    "name": {"type": "string"},
                    "unit": {
                        "enum": [
                            *("none", "nanoseconds", "microseconds"),
                            *("milliseconds", "seconds", "bytes"),
                        ]
                    },
                    "startValue": {"type": "number"},
                    "endValue": {"type": "number"},
                    "samples": {
                        "type": "array",
                        "items": {"type": "array", "items": {"type": "integer", "minimum": 0}},
                    },
                    "weights": {"type": "array", "items": {"type": "number"}},
                },
            },
        },
        "name": {"type": "string"},
        "activeProfileIndex": {"type": "integer"},
        "exporter": {"type": "string"},
    },
}


def unfolded(text: str) -> list[Stack]:
    """The reverse of folded."""
    pairs = (line.rsplit(" ", 1) for line in text.split("\n") if line)
    return [
        Stack(count=int(count), functions=[unquote(name) for name in names.split(";")])
        for names, count in pairs
    ]


def test_collapsed_stacks() -> None:
    assert folded(STACKS) == "main;run;sum 3\nmain;run 2\nmain;run;sum;run 1\n"
    assert folded([]) == "" and unfolded("") == []


def test_collapsed_stacks_and_back() -> None:
    odd = [Stack(count=7, functions=ODD), *(Stack(count=1, functions=[name]) for name in ODD)]
    text = folded([*STACKS, *odd])
    assert unfolded(text) == [*STACKS, *odd]
    assert len(text.splitlines()) == len(STACKS) + len(odd)


def test_speedscope() -> None:
    """The fields of its specification; stacks outermost first, samples as weights."""
    found = speedscope([*STACKS, Stack(count=4, functions=ODD)], "a name")
    jsonschema.validate(found, SPEEDSCOPE)
    [profile] = found["profiles"]
    frames = [frame["name"] for frame in found["shared"]["frames"]]
    assert len(frames) == len(set(frames))
    stacks = [[frames[index] for index in sample] for sample in profile["samples"]]
    assert stacks == [*(stack.functions for stack in STACKS), ODD]
    assert profile["weights"] == [3, 2, 1, 4]
    assert (profile["startValue"], profile["endValue"]) == (0, 10)
    assert found["$schema"] == SPEEDSCOPE_SCHEMA
    jsonschema.validate(speedscope([], "nothing"), SPEEDSCOPE)


def test_the_tree_of_a_flame_graph() -> None:
    """A function that is called again further in is another frame there."""
    frames = {frame.id: frame for frame in tree(STACKS)}
    found = [
        (f.name, frames[f.parent].name if f.parent else None, f.count, f.own)
        for f in frames.values()
    ]
    assert found == [
        ("main", None, 6, 0),
        ("run", "main", 6, 2),
        ("sum", "run", 4, 3),
        ("run", "sum", 1, 1),
    ]
    assert tree([Stack(count=1, functions=[])]) == []


def samples(taken: int, *stacks: tuple[int, list[str]]) -> dict[str, Any]:
    listed = [{"count": count, "functions": functions} for count, functions in stacks]
    return {"hz": 100, "taken": taken, "idle": 2, "lost": 1, "stacks": listed}


def module(**sizes: int) -> dict[str, Any]:
    least = {"code_bytes": 1, "live_bytes": 1, "peak_bytes": 1}
    return {"name": "sum", "target": TARGET, "source": SOURCE, **least, **sizes}


def test_two_runs_are_merged(tmp_path: Path) -> None:
    one = export(
        function(),
        samples=samples(3, (2, ["main", "b"]), (1, ["main", "a"])),
        modules=[module(peak_bytes=9)],
        counters=[["cache misses", 5], ["branch misses", None]],
    )
    other = export(
        function(),
        samples=samples(7, (7, ["main", "b"])),
        modules=[module(live_bytes=8)],
        counters=[["cache misses", 6], ["branch misses", 1]],
    )
    path = tmp_path / "samples.json"
    write_samples(merge_samples([(one, "tcg"), (other, "kvm")], TARGET), path)
    found = read_samples(path, TARGET)
    assert [(run.build, run.runner) for run in found.runs] == [(BUILD, "tcg"), (BUILD, "kvm")]
    merged = [(stack.count, stack.functions[-1]) for stack in found.samples.stacks]
    assert merged == [(1, "a"), (9, "b")]
    assert (found.samples.taken, found.samples.idle, found.samples.lost) == (10, 4, 2)
    [sizes] = found.modules
    assert (sizes.code_bytes, sizes.live_bytes, sizes.peak_bytes) == (1, 8, 9)
    assert found.counters == [("cache misses", 11), ("branch misses", None)]
    before = path.read_bytes()
    write_samples(found, path)
    assert path.read_bytes() == before


def test_counters_that_one_run_did_not_read_are_absent() -> None:
    """Never counted as zero."""
    read = export(function(), counters=[["cache misses", 5], ["branch misses", 0]])
    other = export(function(), counters=[["branch misses", 0]])
    merged = merge_samples([(read, "kvm"), (other, "host")], TARGET)
    assert merged.counters == [("cache misses", None), ("branch misses", 0)]


@pytest.mark.parametrize(
    "change",
    [
        {"schema": 2},
        {"target": "i686"},
        {"samples": {}},
        {"modules": [{"name": 5}]},
        {"runs": None},
    ],
)
def test_damaged_samples(tmp_path: Path, change: dict[str, Any]) -> None:
    path = tmp_path / "samples.json"
    write_samples(merge_samples([(export(function()), "tcg")], TARGET), path)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(FluidError, match=r"E-RPT-03 .*samples.json: a measurement as this build"):
        read_samples(path, TARGET)


def test_absent_samples(tmp_path: Path) -> None:
    with pytest.raises(FluidError, match="E-RPT-03"):
        read_samples(tmp_path / "none.json", TARGET)


def test_files_for_other_programs(tmp_path: Path) -> None:
    found = export(function(), samples=samples(3, (3, ["main", "a;b"])))
    merged = merge_samples([(found, "tcg")], TARGET)
    write_stacks(merged, tmp_path / "a.json", tmp_path / "b.folded")
    content = json.loads((tmp_path / "a.json").read_text())
    jsonschema.validate(content, SPEEDSCOPE)
    assert TARGET in content["name"] and "tcg" in content["name"]
    assert unfolded((tmp_path / "b.folded").read_text()) == merged.samples.stacks
