"""Logs of the build: appending whole lines, and that no line is passed over in silence."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fluid import history, jsonl
from fluid.catalogue import PROCESSOR
from fluid.errors import FluidError
from fluid.history import IMAGE, Record, Recorder, Taken, read_history, result
from fluid.report_inputs import RECENT, recent
from hotness_samples import BUILD, bench

TOP = Path(__file__).resolve().parents[2]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "build" / history.FILE


def recorded(log: Path, form: str = IMAGE, **results: int) -> None:
    """One run in which these benchmarks took so many cycles."""
    recorder = Recorder(log, "i686", "bench")
    benches = {name: bench(name, min=n, median=n, max=n) for name, n in results.items()}
    recorder.add(form, "host", Taken(BUILD, benches))
    recorder.write()


def test_a_run_is_a_line(log: Path) -> None:
    recorded(log, sum=5, primes=7)
    recorded(log, sum=6)
    records, problems = read_history(log)
    assert problems == []
    taken = [{r.name: r.median for r in record.results} for record in records]
    assert taken == [{"sum": 5, "primes": 7}, {"sum": 6}]
    assert (records[0].build, records[0].target, records[0].runner) == (BUILD, "i686", "host")
    assert records[0].results[0].counted_by is None
    assert log.read_bytes().count(b"\n") == 2


def test_no_log_is_no_history(log: Path) -> None:
    assert read_history(log) == ([], [])


def test_nothing_measured_leaves_no_record(log: Path) -> None:
    recorded(log)
    assert not log.exists()


def test_rounds_become_one_result() -> None:
    """Of their shortest calls; of one round what its calls took."""
    rounds = [bench("sum", min=n, median=9 * n, max=20 * n, calls=3) for n in (40, 8, 16)]
    one = result(rounds[:1], ticks=8)
    assert (one.min, one.median, one.max, one.calls) == (5, 45, 100, 3)
    several = result(rounds, ticks=8)
    assert (several.min, several.median, several.max, several.calls) == (1, 2, 5, 9)


def test_what_a_unit_takes(log: Path) -> None:
    recorder = Recorder(log, "i686", "bench")
    ran = Taken(BUILD, {"sum": bench("sum", units=4, min=80, median=160, max=240)})
    recorder.add("O2", "tcg", ran, "instructions", 8)
    recorder.add("O2", "host", ran)
    recorder.write()
    counted, timed = read_history(log)[0]
    assert counted.of_a_unit(counted.results[0]) == 2.5
    assert timed.of_a_unit(timed.results[0]) == 40


def changed(line: bytes, **changes: Any) -> bytes:
    return json.dumps({**json.loads(line), **changes}).encode()


def with_result(line: bytes, **changes: Any) -> bytes:
    [one] = json.loads(line)["results"]
    return changed(line, results=[{**one, **changes}])


@pytest.mark.parametrize(
    "damage",
    [
        lambda line: line[: len(line) // 2],
        lambda line: b"\xff" + line,
        lambda line: b"[]",
        lambda line: b"[" * 100_000,
        lambda line: b'{"schema":1}',
        lambda line: changed(line, schema=2),
        lambda line: changed(line, time="yesterday"),
        lambda line: changed(line, build="0"),
        lambda line: changed(line, measure="miles"),
        lambda line: changed(line, results=[]),
        lambda line: with_result(line, min=6),
        lambda line: with_result(line, min=-1),
        lambda line: with_result(line, units=0),
        lambda line: with_result(line, max=1 << 63),
        lambda line: with_result(line, median=True),
        lambda line: with_result(line, counters=[["cache misses"]]),
        lambda line: with_result(line, counters=[["cache misses", -1]]),
        lambda line: with_result(line, counters=[["cache misses", 10**400]]),
        lambda line: with_result(line, tag="\ud800"),
        lambda line: line.replace(b'"median":5', b'"median":NaN'),
    ],
)
def test_a_broken_line_is_told_and_costs_no_other(log: Path, damage: Any) -> None:
    recorded(log, sum=5)
    recorded(log, sum=6)
    first, second, _ = log.read_bytes().split(b"\n")
    log.write_bytes(b"\n".join([damage(first), second, b""]))
    records, [problem] = read_history(log)
    assert [record.results[0].median for record in records] == [6]
    assert str(problem).startswith(f"E-RPT-01 {history.FILE}, line 1: a record expected (")


def test_counters_are_kept(log: Path) -> None:
    recorded(log, sum=5)
    counters = [["cache_misses", 8], ["branch_misses", 0], ["tlb_misses", None]]
    line = with_result(log.read_bytes(), counters=counters, calls=2, units=2)
    log.write_bytes(line + b"\n")
    [record], problems = read_history(log)
    [found] = record.results
    counts = [found.count(name) for name in ("cache_misses", "branch_misses", "tlb_misses", "x")]
    assert counts == [2, 0, None, None] and problems == []


def test_counters_of_rounds_are_sums_as_their_calls_are() -> None:
    counts = ([["branches", 5], ["tlb_misses", 1]], [["branches", 6], ["tlb_misses", None]])
    found = result([bench("sum", calls=3, counters=one) for one in counts])
    assert (found.calls, found.counters) == (6, [("branches", 11), ("tlb_misses", None)])
    assert found.counted_by == PROCESSOR


def test_after_a_torn_line_the_next_one_is_whole(log: Path) -> None:
    recorded(log, sum=5)
    log.write_bytes(log.read_bytes()[:-10])
    recorded(log, sum=6)
    records, problems = read_history(log)
    assert [record.results[0].median for record in records] == [6]
    assert [str(problem)[:8] for problem in problems] == ["E-RPT-01"]


def test_processes_that_append_at_once_mix_nothing(log: Path) -> None:
    code = (
        "import sys; from pathlib import Path; sys.path.insert(0, 'tests/unit')\n"
        "from test_history import recorded\n"
        "for n in range(20): recorded(Path(sys.argv[1]), sum=5, primes=n, **{'x' * 5000: 1})\n"
    )
    command = [sys.executable, "-c", code, str(log)]
    environment = {"PYTHONPATH": f"{TOP}/site_scons:{TOP}/tests/unit", "PATH": "/nonexistent"}
    both = [subprocess.Popen(command, cwd=TOP, env=environment) for _ in range(2)]
    assert [process.wait(timeout=120) for process in both] == [0, 0]
    records, problems = read_history(log)
    assert (len(records), problems) == (40, [])
    assert {record.commit for record in records} == {None}  # no git in this PATH


def test_the_commit_is_told(tmp_path: Path) -> None:
    assert history.commit(tmp_path) is None
    git = ["git", "-C", str(tmp_path), "-c", "user.name=A", "-c", "user.email=a@b"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "one"], check=True)
    first = history.commit(tmp_path)
    assert first is not None and len(first) == 12
    (tmp_path / "file").write_text("a")
    subprocess.run([*git, "add", "file"], check=True)
    assert history.commit(tmp_path) == f"{first}-dirty"


@dataclass(frozen=True)
class Anything:
    number: int


def test_a_log_that_cannot_be_written_or_read(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    folder.mkdir()
    with pytest.raises(FluidError, match="E-RPT-02 log: a log that can be written expected"):
        jsonl.append(folder, [Anything(1)])
    with pytest.raises(FluidError, match="E-RPT-02 log: a log that can be read expected"):
        jsonl.read(folder, Anything)


def test_old_records_give_way_by_their_kind(log: Path) -> None:
    recorded(log, "PGO", sum=1)
    [rare], _ = read_history(log)
    numbers = [str(number) for number in range(RECENT + 5)]
    often = [Record(**{**vars(rare), "form": "O2", "commit": number}) for number in numbers]
    kept = recent([rare, *often])
    assert kept[0] is rare and [record.commit for record in kept[1:]] == numbers[5:]
