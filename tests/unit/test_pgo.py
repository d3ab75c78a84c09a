"""Before and after: which modules keep what the plan decided, and the files in between."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fluid import pgo, training
from fluid.errors import FluidError
from fluid.event_types import Event
from fluid.history import Recorder, Taken, read_history
from fluid.pgo import MEASURED, Change, Comparison, final_plan, read_comparison, write_comparison
from fluid.plan import Decision, Plan, baseline
from hotness_samples import BUILD, bench, export, function

ROOT = Path(__file__).resolve().parents[2]
HOT = Decision("O3", True, "hot")
SPREAD = ["0.800", "(0.700", "..", "0.900)"]


def compared(runners: tuple[str, ...] = ("tcg", "host"), **changes: Change) -> Comparison:
    return Comparison(target="i686", runners=list(runners), modules=changes)


@pytest.mark.parametrize(
    ("change", "faster"),
    [
        (Change(instructions=0.9, host=[]), True),
        (Change(instructions=0.996, host=[]), False),
        (Change(instructions=1.4, host=[0.8, 0.9, 0.9]), True),  # the clock decides
        (Change(instructions=0.5, host=[0.999, 0.999, 1.0]), False),
        (Change(instructions=0.5, host=[0.5, 0.6, 0.7, 0.8, 0.9, 1.1, 1.2]), False),  # by chance
        (Change(instructions=0.5, host=[0.5, 0.6, 0.7, 0.8, 0.9, 0.9, 1.2]), True),
        (Change(instructions=None, host=[0.8, 0.9, 0.9]), True),  # where TCG cannot run
        (Change(instructions=None, host=[]), False),
    ],
)
def test_what_is_not_faster_keeps_its_form(change: Change, faster: bool) -> None:
    trial = Plan("i686", {"sum": HOT, "primes": baseline("cold")})
    cold = Change(instructions=2, host=change.host)
    runners = ("tcg", "host") if change.host else ("tcg",)
    final = final_plan(trial, compared(runners, sum=change, primes=cold))
    assert final.modules["primes"] == trial.modules["primes"]
    kept = Decision("O2", False, "kept: optimised it is not faster")
    assert final.modules["sum"] == (HOT if faster else kept)


def test_what_was_not_measured_keeps_its_form() -> None:
    final = final_plan(Plan("i686", {"sum": HOT}), compared())
    assert final.modules["sum"] == baseline("kept: not measured after it was optimised")


def test_what_was_not_measured_in_every_round_keeps_its_form() -> None:
    """Its calls took no time of their own in some: the others say little."""
    final = final_plan(Plan("i686", {"sum": HOT}), compared(sum=Change(instructions=0.5, host=[])))
    assert final.modules["sum"] == baseline("kept: not measured in every round")
    rounds = [({"sum": 10, "llama": 4}, {"sum": 8, "llama": 3}), ({"sum": 10}, {"sum": 9})]
    counted = [{"sum": 10, "llama": 4}, {"sum": 10, "llama": 4}]
    assert pgo._changes(counted, rounds) == {
        "sum": Change(instructions=1, host=[0.8, 0.9]),
        "llama": Change(instructions=1, host=[]),
    }


def test_what_is_not_tried_gains_nothing() -> None:
    """Its ratio is what two runs of the same code differ by."""
    trial = Plan("i686", {"sum": HOT, "primes": baseline("cold")})
    found = compared(
        sum=Change(instructions=0.25, host=[0.25]), primes=Change(instructions=1.5, host=[1.5])
    )
    means = [line.split()[-2:] for line in pgo.table(trial, found).splitlines()[-2:]]
    assert means == [["0.500", "0.500"]] * 2


def calls(module: str, caller: str, number: int, least: int, cycles: int) -> dict[str, Any]:
    times = {"calls": number, "min": least, "cycles": cycles, "median": least, "max": cycles}
    return function(module, caller=caller, **times)


def test_shortest_calls_count_where_calls_are_alike() -> None:
    """Interrupts fall into some."""
    found = export(
        calls("sum", "kernel", 10, 100, 1234),
        calls("llama", "kernel", 2, 1000, 9000),
        calls("tensor", "llama", 4, 500, 2500),
    )
    assert pgo._own_cycles(found, "tcg") == {"sum": 1000, "llama": 6500, "tensor": 2000}
    assert pgo._own_cycles(found, "host") == {"sum": 1000, "tensor": 2000}  # llama: 2000 - 2000


def test_table() -> None:
    """Failures are shown, and what the image gains without them."""
    trial = Plan("i686", {"sum": HOT, "primes": HOT, "llama": baseline("cold")})
    found = compared(
        sum=Change(instructions=0.5, host=[0.7, 0.8, 0.9]),
        primes=Change(instructions=2.0, host=[1.1, 1.2, 1.3]),
        llama=Change(instructions=1.0, host=[1.0, 1.0, 1.0]),
    )
    lines = {line.split()[0]: line.split() for line in pgo.table(trial, found).splitlines()}
    assert lines["sum"][-1] == "yes" and "0.800" in lines["sum"] and "O3" in lines["sum"]
    assert lines["primes"][-1] == "no" and lines["llama"][-1] == "-"
    means = [line.split() for line in pgo.table(trial, found).splitlines()[-2:]]
    assert [line[-2:] for line in means] == [["1.000", "0.980"], ["0.707", "0.894"]]


def test_table_without_instructions() -> None:
    found = compared(sum=Change(instructions=None, host=[0.7, 0.8, 0.9]))
    lines = pgo.table(Plan("x86-64-v4", {"sum": HOT}), found).splitlines()
    assert lines[2].split() == ["sum", "O3", "+", "counters", "-", *SPREAD, "yes"]
    assert [line.split()[-2:] for line in lines[-2:]] == [["-", "0.800"], ["-", "0.800"]]


def test_measuring_where_tcg_cannot_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the clock alone."""
    asked = set()

    def measured(image: Path, work: object, **options: Any) -> tuple[dict[str, int], Taken]:
        asked.add(options["runner"])
        return {"sum": 10 if image.name == "before" else 5}, Taken(BUILD, {})

    monkeypatch.setattr(pgo, "measure", measured)
    here: Any = {"target": "x86-64-v4", "emulated": "x86-64-v4", "mem": 1}
    here["progress"] = lambda step: None
    recorder = Recorder(tmp_path / "build/history.jsonl", "x86-64-v4", "compare")
    images = (Path("before"), Path("after"), pgo.workload(["sum"]), recorder)
    found = pgo.compare(*images, host="fluid-host", **here)
    assert found.runners == ["host"] and asked == {"host"}
    assert found.modules == {"sum": Change(instructions=None, host=[0.5] * pgo.ROUNDS)}
    with pytest.raises(FluidError, match="E-PGO-08 a runner for x86-64-v4 expected"):
        pgo.compare(*images, host=None, **here)


def test_comparison_as_a_file(tmp_path: Path) -> None:
    found = compared(sum=Change(instructions=0.5, host=[0.7]))
    path = tmp_path / "compare.json"
    write_comparison(found, path)
    assert read_comparison(path, "i686") == found


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "{}", '{"schema": 9}', '{"schema": 1, "target": "i686", "runners": []}'),
        '{"schema": 1, "target": "i686", "runners": [], "modules": {"a": {"instructions": "1"}}}',
        '{"schema": 1, "target": "i586", "runners": [], "modules": {}}',
        *(
            '{"schema": 1, "target": "i686", "runners": [], "modules": {"a": {"instructions": 1, '
            f'"host": [{ratio}]}}}}}}'
            for ratio in ("-1.0", "0", "NaN", "Infinity", "1" + 400 * "0")
        ),
    ],
)
def test_damaged_comparison(tmp_path: Path, text: str) -> None:
    path = tmp_path / "compare.json"
    path.write_text(text)
    with pytest.raises(FluidError, match="E-PGO-06"):
        read_comparison(path, "i686")


def test_every_benchmark_is_measured_with_another_size() -> None:
    """Training runs the default ones."""
    names = {path.stem for path in (ROOT / "src/modules/bench").glob("*.c*")}
    assert set(MEASURED) == names
    assert all(size != training.DEFAULT_SIZE for size, _ in MEASURED.values())
    trained = training.training(sorted(names)).lines
    assert not set(pgo.LINES) & set(trained) - {"/clear"}


def test_a_benchmark_without_a_size() -> None:
    with pytest.raises(FluidError, match=r"E-PGO-04 .* benchmark more "):
        pgo.workload(["sum", "more"])


def test_nothing_to_compare() -> None:
    with pytest.raises(FluidError, match="E-PGO-05"):
        pgo._changes([{"sum": 5}, {"primes": 5}], [])


def test_both_images_in_turns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each counts once, then both in each round; what their benchmarks took goes to the history."""
    asked: list[tuple[str, str]] = []

    def measured(image: Path, work: Any, **options: Any) -> tuple[dict[str, int], Taken]:
        asked.append((image.name, options["runner"]))
        ticks = 8 if image.name == "after" else 16
        result = bench("sum", min=ticks, median=ticks, max=ticks)
        return {"sum": ticks}, Taken(BUILD, {"sum": result})

    monkeypatch.setattr(pgo, "measure", measured)
    recorder = Recorder(tmp_path / "build/history.jsonl", "i686", "compare")
    images = Path("before"), Path("after")
    options: dict[str, Any] = {"target": "i686", "emulated": "i686", "mem": 128, "host": "program"}
    found = pgo.compare(*images, pgo.workload(["sum"]), recorder, progress=print, **options)
    change = found.modules["sum"]
    assert (change.instructions, change.host) == (0.5, [0.5] * pgo.ROUNDS)
    runs = [("before", "tcg"), ("after", "tcg"), ("before", "host"), ("after", "host")]
    assert asked[:6] == [*runs, ("after", "host"), ("before", "host")]
    recorder.write()
    records, problems = read_history(recorder.path)
    assert problems == []
    taken = [(r.form, r.measure, r.results[0].median, r.results[0].calls) for r in records]
    assert taken == [
        ("O2", "instructions", 2, 1),
        ("PGO", "instructions", 1, 1),
        ("O2", "cycles", 16, pgo.ROUNDS),
        ("PGO", "cycles", 8, pgo.ROUNDS),
    ]


class Silent:
    """A machine that has no counters."""

    def __init__(self, image: Path, **options: Any) -> None:
        pass

    def __enter__(self) -> Silent:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def command(self, line: str, timeout: float) -> list[Event]:
        return []


def test_no_counters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "Machine", Silent)
    monkeypatch.setattr(training, "run_workload", lambda *arguments: {})
    with pytest.raises(FluidError, match="E-PGO-07 counters of module sum expected"):
        training.count(
            tmp_path / "image",
            {"sum": tmp_path / "sum.profdata"},
            target="i686",
            bits=32,
            benchmarks=[],
            mem=128,
        )


def test_comparison_is_canonical(tmp_path: Path) -> None:
    path = tmp_path / "compare.json"
    write_comparison(compared(sum=Change(instructions=0.5, host=[])), path)
    assert json.loads(path.read_text())["modules"]["sum"] == {"instructions": 0.5, "host": []}
