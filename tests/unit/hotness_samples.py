"""Hotness exports and files, and results of benchmarks, for tests: whole ones, to be changed where
a test wants it."""

from __future__ import annotations

from typing import Any

from fluid.event_types import Bench, Hotness, from_json

BUILD = "0f" * 16
SOURCE, OTHER_SOURCE = "0a" * 16, "0b" * 16
TARGET = "x86-64-v2"


def function(module: str = "regex_dfa", **changes: Any) -> dict[str, Any]:
    """One record of an export."""
    return {
        **{"module": module, "target": TARGET, "source": SOURCE, "caller": "kernel"},
        **{"name": f"{module}_call", "rows": 0, "cols": 64},
        **{"calls": 10, "cycles": 1000, "min": 50, "median": 90, "max": 300},
        "buckets": [[48, 9], [288, 1]],
        **changes,
    }


def export_data(*functions: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The event as a machine sends it."""
    return {
        **{"ev": "hotness", "schema": 1, "build": BUILD, "target": TARGET, "cpu": "Fake"},
        **{"hz": 2_000_000_000, "overhead": 90, "counters": [], "modules": []},
        "functions": list(functions),
        "samples": {"hz": 100, "taken": 0, "idle": 0, "lost": 0, "stacks": []},
        **changes,
    }


def export(*functions: dict[str, Any], **changes: Any) -> Hotness:
    """The same, read."""
    event = from_json(export_data(*functions, **changes))
    assert isinstance(event, Hotness)
    return event


def file_data(*functions: dict[str, Any], runs: int = 1) -> dict[str, Any]:
    """A hotness file, of one function unless told."""
    run = {"build": BUILD, "cpu": "Fake", "runner": "host", "hz": 2_000_000_000}
    left_out = ("target", "buckets")
    kept = [{k: v for k, v in f.items() if k not in left_out} for f in functions or [function()]]
    return {"schema": 1, "target": TARGET, "runs": [run] * runs, "functions": kept}


def bench(name: str, **changes: Any) -> Bench:
    """A benchmark that has ended."""
    event = from_json(
        {
            **{"ev": "bench", "name": name, "tag": f"{name}_{TARGET}", "size": 64, "units": 1},
            **{"unit": "words", "calls": 1, "min": 1, "median": 1, "max": 1, "checksum": 1},
            **{"counters": []},
            **changes,
        }
    )
    assert isinstance(event, Bench)
    return event
