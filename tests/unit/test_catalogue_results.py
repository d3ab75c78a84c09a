"""Results of benchmarks: absent counts stay absent, simulated ones say so, files are checked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fluid import cachegrind, catalogue
from fluid.catalogue import Catalogue, Result
from fluid.errors import FluidError
from fluid.event_types import Counters
from fluid.records import from_object
from hotness_samples import bench

ABSENT: Counters = [(name, None) for name in cachegrind.EVENTS]


def result(name: str, counters: Counters, by: str | None) -> Result:
    tag = f"{name}_x86-64-v2"
    cycles = {"min": 900, "median": 1000, "max": 1500}
    work = {"size": 8, "calls": 4, "units": 10, "unit": "words"}
    return Result(name=name, tag=tag, counters=counters, counted_by=by, **cycles, **work)  # type: ignore[arg-type]


def results(*parts: Result) -> Catalogue:
    machine = {"build": "0f", "target": "x86-64-v2", "cpu": "a processor", "runner": "host"}
    return Catalogue(schema=catalogue.SCHEMA, results=list(parts), **machine)


def test_the_table_is_of_units_of_work() -> None:
    counters: Counters = [("instructions", 80_000), ("branch_misses", 0), ("tlb_misses", None)]
    row = catalogue.table(results(result("sum", counters, catalogue.PROCESSOR))).splitlines()[-1]
    # 1000 cycles in a call of 10 words; 80,000 instructions in 4 calls; no misses is not unknown.
    assert row.split() == ["sum_x86-64-v2", "words", "100", "60%", "2,000", "0", "absent", "absent"]


def test_the_table_says_who_counted() -> None:
    found = results(result("sum", ABSENT, None))
    assert "counted by nothing" in catalogue.table(found)
    counts = {"sum_x86-64-v2": [("instructions", 70), ("tlb_misses", None)]}
    simulated = catalogue.with_counts(found, counts, cachegrind.SIMULATED)
    assert "counted by cachegrind, simulated" in catalogue.table(simulated)
    assert simulated.results[0].counters == [("instructions", 280), ("tlb_misses", None)]


def test_counts_of_the_processor_are_not_replaced() -> None:
    """Nor are those of another variant taken."""
    real = result("sum", [("instructions", 1)], catalogue.PROCESSOR)
    other = result("fft", ABSENT, None)
    counts: dict[str, Counters] = {r.tag + "x": [("instructions", 9)] for r in (real, other)}
    counts[real.tag] = [("instructions", 9)]
    assert catalogue.with_counts(results(real, other), counts, "x").results == [real, other]


def test_a_file_of_results(tmp_path: Path) -> None:
    path = tmp_path / "bench-host.json"
    found = results(result("sum", [("branches", 7), ("tlb_misses", None)], catalogue.PROCESSOR))
    catalogue.write_catalogue(found, path)
    assert from_object(json.loads(path.read_text()), Catalogue, "bench") == found


@pytest.mark.parametrize("change", [{"units": 0}, {"median": 0}])
def test_a_benchmark_that_does_nothing(change: dict[str, int]) -> None:
    with pytest.raises(FluidError, match="E-BENCH-57 benchmark idle: work and cycles"):
        catalogue._result(bench("idle", **change))


def test_counts_of_cachegrind(tmp_path: Path) -> None:
    """Its file has one line for each source line, too."""
    path = tmp_path / "counts"
    path.write_text("cmd: x\nevents: Ir Bc Bcm\nfl=a.c\nfn=f\n1 2 3 4\nsummary: 200 30 4\n")
    assert cachegrind.read_counts(path) == {"Ir": 200, "Bc": 30, "Bcm": 4}


@pytest.mark.parametrize(
    "text", ["", "events: Ir\n", "events: Ir Bc\nsummary: 1\n", "summary: x\n"]
)
def test_files_that_are_not_cachegrinds(tmp_path: Path, text: str) -> None:
    path = tmp_path / "counts"
    path.write_text(text)
    with pytest.raises(FluidError, match="E-BENCH-56 counts: the events"):
        cachegrind.read_counts(path)
    path.unlink()
    with pytest.raises(FluidError, match="E-BENCH-56"):
        cachegrind.read_counts(path)


def test_events_of_one_call() -> None:
    few = {"Ir": 1000, "Bcm": 5, "Bim": 1, "ILmr": 9, "DLmr": 0, "DLmw": 0}
    many = {"Ir": 1500, "Bcm": 15, "Bim": 2, "ILmr": 8, "DLmr": 0, "DLmw": 0}
    counts = dict(cachegrind.per_call(few, many, 10))
    assert counts["instructions"] == 50
    assert counts["branch_misses"] == 1
    assert counts["cache_misses"] == 0  # one less than before is chance
    assert counts["branches"] is None and counts["tlb_misses"] is None
