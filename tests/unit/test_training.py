"""The training: what is run, and that a measurement which fails leaves the file as it was."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from fluid import training
from fluid.errors import FluidError
from fluid.hotness import HotnessFile, read_hotness
from fluid.samples import read_samples
from hotness_samples import BUILD, TARGET, bench

PROGRAM = Path(__file__).with_name("fake_trainee.py")
BENCHMARKS = ["late", "early"]
OLD = b"what an earlier training has measured"
LINES = [line for line in training.training([]).lines if line != "/clear"]


@pytest.fixture
def result(tmp_path: Path) -> Path:
    """A file of earlier measurements."""
    path = tmp_path / "hotness.json"
    path.write_bytes(OLD)
    return path


def capture(result: Path, wrong: str = "", **options: int) -> None:
    """Trains machines that go wrong there."""
    folder = result.parent
    emulator, image = folder / "fake-qemu", folder / "fluid.img"
    paths = f"{PROGRAM.parents[2] / 'site_scons'}:{PROGRAM.parent}"
    emulator.write_text(
        f'#!/bin/sh\nPYTHONPATH="{paths}" exec "{sys.executable}" "{PROGRAM}" "$@"\n'
    )
    emulator.chmod(0o755)
    image.write_bytes(b"disk")
    training.capture(
        image,
        result,
        samples=result.with_name("samples.json"),
        target="i686",
        benchmarks=BENCHMARKS,
        runner="tcg",
        emulator=str(emulator),
        extra=("-fake", wrong),
        **{"model": False} | options,  # type: ignore[arg-type]
    )


def calls(content: HotnessFile) -> dict[str, int]:
    return {f.module: f.calls for f in content.functions}


def test_a_training(result: Path) -> None:
    """Everything ran in each run, whether a result came before the prompt or behind it."""
    capture(result)
    content = read_hotness(result, TARGET)
    assert calls(content) == {"early": 2 * 20, "late": 2 * 20, "llama": 2 * len(LINES)}
    assert [(run.build, run.runner) for run in content.runs] == [(BUILD, "tcg")] * training.RUNS
    samples = read_samples(result.with_name("samples.json"), TARGET)
    assert samples.runs == content.runs and samples.samples.taken == 2 * 3


def test_a_model_that_cannot_run_is_no_absent_one(result: Path) -> None:
    with pytest.raises(FluidError, match="E-HOT-04 the model was expected to run, found E-MEM-02"):
        capture(result, "no-model", runs=1, model=True)
    assert result.read_bytes() == OLD


def test_without_a_model_benchmarks_alone(result: Path) -> None:
    capture(result, "no-model", runs=1)
    assert calls(read_hotness(result, TARGET)) == {"early": 20, "late": 20}


FAILURES = [
    ("unplugged", "E-RUN-06", "record without its line feed"),
    ("off", "E-RUN-05", "an event expected, but it"),
    ("torn", "E-RUN-06", "JSON expected"),
    ("bench", "E-HOT-04", "benchmark late .*E-BENCH-03: a checksum expected"),
    ("complete", "E-HOT-04", f"{LINES[0]} .*E-CTX-01: room expected"),
    ("silent", "E-HOT-05", "a hotness event expected"),
    ("build", "E-HOT-03", f"build {BUILD} for {TARGET} expected, found {'ee' * 16}"),
    ("empty", "E-HOT-02", "did the workload run"),
]


@pytest.mark.parametrize(("wrong", "code", "said"), FAILURES, ids=[f[0] for f in FAILURES])
def test_failures_leave_the_old_file(result: Path, wrong: str, code: str, said: str) -> None:
    with pytest.raises(FluidError, match=f"(?s){code} .*{said}"):
        capture(result, wrong)
    assert result.read_bytes() == OLD and not result.with_name("samples.json").exists()
    assert not list(result.parent.glob("*.new"))


def test_the_second_run_fails(result: Path) -> None:
    """What the first one has measured is not enough."""
    first = result.with_name("first")
    with pytest.raises(FluidError, match="E-RUN-06"):
        capture(result, f"unplugged:{first}")
    assert first.exists() and result.read_bytes() == OLD
    capture(result)
    assert result.read_bytes() != OLD


WORK: dict[str, Any] = {"units": 1, "unit": "words", "counters": []}


class Scripted:
    """A machine whose events are given."""

    def __init__(self, *events: object) -> None:
        self.events = list(events)

    def command(self, line: str, timeout: float) -> list[object]:
        return self.events


def test_benchmarks_of_other_names_are_passed_over() -> None:
    """As when one that was started before ends now."""
    one, other = bench("a"), bench("b")
    assert training.run_benchmark(Scripted(one, other), "b", 0, 1) is other  # type: ignore[arg-type]
