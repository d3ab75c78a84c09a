"""The gate on instructions: what it lets pass, what it refuses, and the files of baselines."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from fluid import baselines
from fluid import instructions as gate
from fluid.baselines import Counts, ModelCount
from fluid.errors import FluidError
from fluid.event_types import Boot, Error, Event, Hotness
from fluid.hotness_types import HotFunction, Samples
from fluid.machine import Machine
from fluid.targets import TARGETS
from fluid.training import TICKS
from hotness_samples import bench

TOP = Path(__file__).resolve().parents[2]
TOOLS = "clang version 19.1.7"
KNOWN = Counts("i686", TOOLS, {"fft_1d": 1000, "sum": 200}, ModelCount("Tiny", 5000))


def measured(model: int | None = 5000, **benchmarks: int) -> Counts:
    """Like KNOWN but for some numbers; 0: not there."""
    counts = {name: n for name, n in {**KNOWN.benchmarks, **benchmarks}.items() if n}
    return Counts("i686", TOOLS, counts, ModelCount("Tiny", model) if model else None)


def found(now: Counts, baseline: Counts = KNOWN) -> list[str]:
    return [str(problem) for problem in gate.problems(gate.compare(baseline, now), "i686")]


def test_three_percent_are_the_limit() -> None:
    assert found(measured()) == found(measured(fft_1d=1030)) == found(measured(model=5150)) == []
    (sentence,) = found(measured(fft_1d=1031))
    assert sentence.startswith("E-BENCH-51 at most 3 % more instructions than the baselines of i6")
    assert "fft_1d 1000 and found 1031; find" in sentence
    assert "token of Tiny 5000 and found 5151" in found(measured(model=5151))[0]


def test_the_limit_is_exact_for_large_numbers() -> None:
    """Floats would round these."""
    baseline = Counts("i686", TOOLS, {"sum": 100 * 10**16})
    assert found(Counts("i686", TOOLS, {"sum": 103 * 10**16}), baseline) == []
    assert len(found(Counts("i686", TOOLS, {"sum": 103 * 10**16 + 1}), baseline)) == 1


def test_every_slower_one_is_named() -> None:
    (sentence,) = found(measured(fft_1d=2000, sum=207))
    assert "fft_1d 1000 and found 2000; sum 200 and found 207" in sentence


def test_fewer_instructions_are_progress() -> None:
    now = measured(sum=1)
    assert found(now) == []
    text = gate.table(gate.compare(KNOWN, now), KNOWN, now)
    assert "200            1  0.0050  fewer" in text
    assert "1000         1000  1.0000  equal" in text
    assert "made with" not in text


def test_no_benchmark_goes_unnoticed() -> None:
    (sentence,) = found(measured(primes=10))
    assert sentence.startswith("E-BENCH-52") and "primes: no baseline" in sentence
    (sentence,) = found(measured(sum=0))
    assert sentence.startswith("E-BENCH-52") and "sum: no benchmark" in sentence
    both = found(measured(primes=10, fft_1d=1100))
    assert [s[:10] for s in both] == ["E-BENCH-51", "E-BENCH-52"]


def test_the_model_may_be_absent_but_not_another_one() -> None:
    assert found(measured(model=None)) == []
    assert "not measured" in gate.table(gate.compare(KNOWN, measured(None)), KNOWN, measured(None))
    (sentence,) = found(replace(KNOWN, model=ModelCount("Other", 5000)))
    assert "token of Tiny: no benchmark; token of Other: no baseline" in sentence
    (sentence,) = found(KNOWN, replace(KNOWN, model=None))
    assert "token of Tiny: no baseline" in sentence


def test_the_table_tells_of_another_compiler() -> None:
    now = replace(KNOWN, tools="clang version 20.1.0")
    text = gate.table(gate.compare(KNOWN, now), KNOWN, now)
    assert f"made with {TOOLS}\n" in text and text.endswith("made with clang version 20.1.0")


# ---- files


def test_a_file_is_what_was_written(tmp_path: Path) -> None:
    path = baselines.baseline_file(tmp_path, "i686")
    for counts in (KNOWN, measured(model=None)):
        baselines.write_baselines(counts, path)
        assert baselines.read_baselines(path, "i686") == counts
    data = json.loads(path.read_text())
    assert (data["schema"], data["target"], data["tools"]) == (1, "i686", TOOLS)


@pytest.mark.parametrize(
    "change",
    [
        {"schema": 2},
        {"target": "x86-64"},
        {"benchmarks": {"sum": 0}},
        {"benchmarks": {"sum": True}},
        {"benchmarks": {"sum": 1.5}},
        {"benchmarks": {"sum": "200"}},
        {"benchmarks": [1]},
        {"model": {"name": "Tiny"}},
        {"model": {"name": 1, "instructions": 1}},
        {"tools": None},
        {"clock": 5},
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    path = tmp_path / "i686.json"
    baselines.write_baselines(KNOWN, path)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(FluidError, match=r"E-BENCH-53 profiles/instructions/i686\.json: ") as error:
        baselines.read_baselines(path, "i686")
    assert "check=write target=i686" in error.value.text


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"null", b"\xff", b'{"schema": 1', b"[" * 5000]
)
def test_no_file_of_baselines(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "i686.json"
    with pytest.raises(FluidError, match=r"E-BENCH-53.*No such file"):
        baselines.read_baselines(path, "i686")
    path.write_bytes(content)
    with pytest.raises(FluidError, match="E-BENCH-53"):
        baselines.read_baselines(path, "i686")


def test_every_target_that_is_counted_has_its_file() -> None:
    assert set(TARGETS) - set(baselines.MEASURED) == {"x86-64-v4"}
    for target in baselines.MEASURED:
        kept = baselines.read_baselines(baselines.baseline_file(TOP, target), target)
        assert kept.model is not None and "clang version" in kept.tools
        assert "InstalledDir" not in kept.tools
    assert {p.stem for p in (TOP / baselines.FOLDER).iterdir()} == set(baselines.MEASURED)


def test_the_compilers_folder_is_not_kept() -> None:
    said = f"{TOOLS}; InstalledDir: /opt/llvm-19.1.7/bin; LLD 19.1.7"
    assert baselines.compiler(said) == f"{TOOLS}; LLD 19.1.7"


@pytest.mark.parametrize("target", ["x86-64-v4", "native", "cpu.json"])
def test_targets_without_baselines(target: str) -> None:
    with pytest.raises(FluidError, match=f"E-BENCH-50.*found {target};"):
        baselines.check_target(target)


# ---- measuring


class Guest:
    """A machine that answers from a script."""

    def __init__(self, *events: Event) -> None:
        self.events = list(events)
        self.lines: list[str] = []

    def send_line(self, line: str) -> None:
        self.lines.append(line)

    def read_event(self, _timeout: float) -> Event:
        return self.events.pop(0)

    def command(self, line: str, _timeout: float = 0) -> list[Event]:
        self.lines.append(line)
        return self.events


def hotness(calls: int) -> Hotness:
    digest = "0" * 32
    one = HotFunction(
        module="llama",
        target="i686",
        source=digest,
        caller="kernel",
        name="llama_eval",
        rows=0,
        cols=0,
        calls=calls,
        cycles=1,
        min=8,
        median=8001,
        max=9000,
        buckets=[],
    )
    return Hotness(
        schema=1,
        build="b",
        target="i686",
        cpu="c",
        hz=1,
        overhead=1,
        counters=[],
        modules=[],
        functions=[one],
        samples=Samples(hz=1, taken=0, idle=0, lost=0, stacks=[]),
    )


BOOT = Boot(build="b", target="i686", cpu="c", features=[], cores=1)


def test_the_fewest_ticks_are_instructions() -> None:
    guest = Guest(
        bench("sum", min=800, median=999, max=999), bench("primes", min=8, median=9, max=9)
    )
    ran = gate.run_benchmarks(cast(Machine, guest), ["sum", "primes"], lambda _: None)
    assert gate.count_benchmarks(ran) == {"sum": 100, "primes": 1}
    assert guest.lines == ["/bench sum 0 100", "/bench primes 0 100"]


@pytest.mark.parametrize("ticks", [0, 1, 801, -8])
def test_a_clock_counts_no_instructions(ticks: int) -> None:
    assert TICKS == 8
    with pytest.raises(FluidError, match=f"E-BENCH-54 sum: .* found {ticks};"):
        gate.instructions(ticks, "sum")


def test_a_token_is_the_median_call() -> None:
    guest = Guest(BOOT, hotness(9))
    counted = gate.count_model(cast(Machine, guest), "Tiny", lambda _: None)
    assert counted == ModelCount("Tiny", 1000)
    assert guest.lines == ["/profile reset", gate.TEXT, "/profile"]


def test_a_model_that_says_nothing_is_no_number() -> None:
    with pytest.raises(FluidError, match="E-BENCH-54 calls of llama_eval"):
        gate.count_model(cast(Machine, Guest(BOOT, hotness(2))), "Tiny", lambda _: None)
    guest = Guest(BOOT, Error(code="E-LLM-01", text="no memory"))
    with pytest.raises(FluidError, match=r"E-BENCH-54 .* found E-LLM-01: no memory"):
        gate.count_model(cast(Machine, guest), "Tiny", lambda _: None)


# ---- the command


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """run(what the image takes, write): the gate's status."""

    def run(now: Counts, write: bool = False, target: str = "i686") -> int:
        monkeypatch.setattr(gate, "measure", lambda *_, **__: now)
        options: dict[str, Any] = {"top": tmp_path, "tools": TOOLS, "mem": 128, "target": target}
        return gate.run_gate(Path("any.img"), ["sum"], with_model=True, write=write, **options)

    return run


def test_status_and_sentences(run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(KNOWN) == 1  # nothing to compare with
    assert "E-BENCH-53" in capsys.readouterr().err
    assert run(KNOWN, write=True) == 0
    assert "NO BASELINE" in capsys.readouterr().out
    assert run(measured(fft_1d=1030, sum=2)) == 0
    assert capsys.readouterr().err == ""
    assert run(measured(fft_1d=1031)) == 1
    said = capsys.readouterr()
    assert "1.0310  MORE" in said.out and "E-BENCH-51" in said.err
    path = baselines.baseline_file(tmp_path, "i686")
    assert baselines.read_baselines(path, "i686") == KNOWN
    assert run(measured(fft_1d=1031), write=True) == 0
    assert "1.0310  MORE" in capsys.readouterr().out  # old and new
    assert run(measured(fft_1d=1031)) == 0


def test_writing_replaces_what_cannot_be_read(
    run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = baselines.baseline_file(tmp_path, "i686")
    path.parent.mkdir(parents=True)
    path.write_text("{")
    assert run(measured(model=None), write=True) == 1
    assert "E-BENCH-54 the default model expected" in capsys.readouterr().err
    assert path.read_text() == "{"
    assert run(KNOWN, write=True) == 0
    assert "replaced: E-BENCH-53" in capsys.readouterr().err
    assert baselines.read_baselines(path, "i686") == KNOWN


def test_no_gate_without_a_count(run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(KNOWN, target="x86-64-v4") == 1
    assert "E-BENCH-50" in capsys.readouterr().err
