"""`scons bench` in fluid-host: what it takes to the prompt, the catalogue, and counts of valgrind's
simulated processor."""

import json
from pathlib import Path
from typing import Any

import pytest

from fluid import cachegrind
from fluid.bench import ROUNDS, run_bench
from fluid.catalogue import Catalogue
from fluid.errors import FluidError
from fluid.history import Recorder, read_history
from fluid.records import from_object
from host_machine import image_of, program_of

TARGET = "x86-64-v2"
BUILD = (TARGET, "none")


def read_catalogue(path: Path) -> Catalogue:
    return from_object(json.loads(path.read_text()), Catalogue, "bench")


def run(folder: Path, benchmarks: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """What is printed."""
    options: Any = {"runner": "host", "mem": 256, "program": program_of(BUILD)}
    image = image_of(BUILD, None)
    recorder = Recorder(folder / "history.jsonl", TARGET, "bench")
    status = run_bench(image, folder, recorder, target=TARGET, benchmarks=benchmarks, **options)
    said = capsys.readouterr()
    assert status == 0, said.err
    return said.out


def test_results_and_simulated_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = run(tmp_path, ["sum", "regex_dfa"], capsys)
    times = json.loads((tmp_path / "bench-boot.json").read_text())
    assert len(times["power_on"]) == len(times["kernel_entry"]) == ROUNDS
    found = read_catalogue(tmp_path / "bench-host.json")
    assert [r.tag for r in found.results] == ["sum_x86-64-v2", "regex_dfa_x86-64-v2"]
    assert "counted by cachegrind, simulated" in said and "absent" in said
    records, wrong = read_history(tmp_path / "history.jsonl")
    assert [record.measure for record in records] == ["microseconds", "cycles"] and not wrong
    assert records[1].results == found.results
    added, searched = found.results
    assert {r.counted_by for r in found.results} == {cachegrind.SIMULATED}
    # Four words an instruction at best; a character is a load, a look-up and a test at least.
    assert 1 / 8 < (added.count("instructions") or 0) < 4
    assert 3 < (searched.count("instructions") or 0) < 30
    assert 1 / 2 < (searched.count("branches") or 0) < (searched.count("instructions") or 0)
    assert searched.count("tlb_misses") is None


def test_simulated_counts_repeat() -> None:
    """Two simulations differ by how often the clock lets the kernel look at its input."""
    run = (image_of(BUILD, None), Path(program_of(BUILD)), ["fibonacci"], lambda step: None)
    counts = [cachegrind.simulate(*run, target=TARGET) for _ in range(2)]
    one, other = (dict(c["fibonacci_x86-64-v2"])["instructions"] for c in counts)
    assert one and other and abs(one / other - 1) < 0.2


def test_without_valgrind_counts_are_absent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cachegrind, "available", lambda: False)
    assert "counted by nothing" in run(tmp_path, ["sum"], capsys)
    [found] = read_catalogue(tmp_path / "bench-host.json").results
    assert found.counted_by is None and {count for _, count in found.counters} == {None}


def test_a_machine_that_does_not_boot(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image = tmp_path / "empty.img"
    image.write_bytes(bytes(1 << 20))
    options: Any = {"runner": "host", "program": program_of(BUILD)}
    recorder = Recorder(tmp_path / "history.jsonl", TARGET, "bench")
    assert run_bench(image, tmp_path, recorder, target=TARGET, benchmarks=["sum"], **options) == 1
    assert "E-RUN-05" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [image]


def test_where_valgrind_cannot_run_the_image(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It plays no AVX-512: results stay, without counts."""

    def refused(*arguments: object, **options: object) -> None:
        raise FluidError("E-RUN-05", "an event expected, but it crashed")

    monkeypatch.setattr(cachegrind, "simulate", refused)
    assert "counted by nothing" in run(tmp_path, ["sum"], capsys)
    [found] = read_catalogue(tmp_path / "bench-host.json").results
    assert found.median > 0 and found.counted_by is None
