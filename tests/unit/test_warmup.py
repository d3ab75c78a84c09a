"""scons warmup with a machine that computes nothing: what is typed in both starts, what is made of
the times, and what is said when a start is not as it should be."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from cache_images import cache_of
from fluid import report_warmup, warmup
from fluid.errors import FluidError
from fluid.machine import Machine
from fluid.warmup_results import (
    SECOND,
    Start,
    Turn,
    Warmup,
    moving,
    rate,
    read_warmup,
    table,
    write_warmup,
)

TAG = "x86-64-v2"


def run(disk: Path, program: str, runner: str = "host") -> int:
    options: dict[str, Any] = {"target": TAG, "tag": TAG, "runner": runner, "mem": 128, "smp": 1}
    return warmup.run_warmup(disk, disk.parent, program=program, **options)


def made(folder: Path) -> Warmup:
    return read_warmup(folder / "warmup.json", TAG)


@pytest.mark.parametrize(("runner", "tokens"), [("host", 256), ("tcg", 48)])
def test_two_starts_of_a_copy(
    disk: Path,
    compiler: str,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    runner: str,
    tokens: int,
) -> None:
    """The first goes on until a prompt brings no decision, the second has as many; the image stays
    as it was, and the copy's cache was empty."""
    monkeypatch.setattr("fluid.progress.BETWEEN", 0.0)
    before = disk.read_bytes()
    assert run(disk, compiler, runner) == 0
    assert disk.read_bytes() == before
    assert cache_of(disk.with_name("warmup.img")).why_empty == "blank"
    found = made(disk.parent)
    cold, warm = found.starts
    assert (found.runner, found.model, found.threads) == (runner, "fake", 1)
    assert found.lines == [f"/complete {tokens} {text}" for text in warmup.TEXTS[:3]]
    assert [len(start.turns) for start in found.starts] == [3, 3]
    assert len(cold.ids) == 3 * tokens and found.equal
    assert [d.to for d in cold.decisions if d.published] == ["O1", "O2", "ahead=4096"]
    assert (cold.published, cold.rejected, cold.tuned) == (2, 2, 1)
    assert (cold.kept, cold.count("put"), cold.compile_ms) == (0, 2, 180)
    assert (warm.kept, warm.count("hit"), warm.decisions) == (2, 2, [])
    times = [at for turn in cold.turns for at in (turn.time, *turn.times)]
    assert times == sorted(times) and cold.ready < times[0]
    said = capfd.readouterr()
    assert f"token ids: {3 * tokens}, equal in both" in said.out
    assert "first start, prompt 1: 16 tokens" in said.err
    page = disk.with_name("warmup.html").read_text("utf-8")
    assert 'id="warmup-chart"' in page and "rejected: not-faster" in page


@pytest.mark.parametrize(
    ("wrong", "code", "said"),
    [
        ("no-model", "E-WARM-01", "E-MEM-02 more memory"),
        ("drafts", "E-WARM-01", "E-CON-04"),
        ("deaf", "E-WARM-01", "E-CON-02 a command expected"),
        ("stumbles", "E-WARM-01", "stopped with a fatal error"),
        ("lazy", "E-WARM-02", "variants=base"),
        ("other", "E-WARM-03", "from token 5 on"),
        ("forgets", "E-WARM-04", "none of 2 that were written"),
    ],
)
def test_a_start_that_is_not_as_it_should_be(
    disk: Path,
    compiler: str,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    wrong: str,
    code: str,
    said: str,
) -> None:
    monkeypatch.setenv("FAKE_WRONG", wrong)
    assert run(disk, compiler) == 1
    text = capfd.readouterr().err
    assert code in text and said in text


def test_all_prompts_are_used_while_code_is_decided_about(
    tmp_path: Path, compiler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "disk.img").write_bytes(b"disk")
    options: dict[str, Any] = {"target": TAG, "runner": "host", "emulator": compiler}
    lines = [f"/complete 4 {n}" for n in range(2)]
    with Machine(tmp_path / "disk.img", **options) as machine:
        start, _ = warmup.life(machine, lines, 1, "start", lambda text: None)
    assert [turn.ids for turn in start.turns] == [[0, 1, 2, 3]] * 2


def turn(*times: int) -> Turn:
    return Turn(time=0, ids=list(range(len(times))), times=list(times))


def start(*turns: Turn) -> Start:
    return Start(ready=1, kept=0, turns=list(turns), decisions=[], entries=[])


def test_rates() -> None:
    """The first token of a turn is the prompt's; medians do without what is interrupted."""
    one = start(turn(1000, 1010, 1020, 1090), turn(9000, 9010))
    assert one.steps == [(1010, 10), (1020, 10), (1090, 70), (9010, 10)]
    assert rate(one.steps) == 4 * SECOND / 100 and rate([]) == 0.0
    assert one.first == one.last == rate(one.steps)
    assert list(moving(one, 3)) == [(0.00109, SECOND / 10), (0.00901, SECOND / 10)]
    assert list(moving(one)) == []
    many = start(turn(*range(0, 1000, 10)), turn(*range(2000, 4020, 20)))
    assert (many.first, many.last) == (SECOND / 10, SECOND / 20)


@pytest.fixture
def file(disk: Path, compiler: str) -> Path:
    assert run(disk, compiler) == 0
    return disk.with_name("warmup.json")


def test_file_table_and_rows(file: Path, tmp_path: Path) -> None:
    found = made(file.parent)
    write_warmup(found, tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == file.read_bytes()
    warm = found.starts[1]
    other = replace(warm, turns=[replace(warm.turns[0], ids=warm.turns[0].ids[::-1])])
    text = table(replace(found, starts=[found.starts[0], other]))
    assert "NOT equal in both" in text
    rows = report_warmup.rows(found)
    assert rows[0][2:] == [
        *("attention", "9x64", "T0", "O1", "200", "100", "0.50", "30", "published"),
    ]
    assert len(rows) == 5 and rows[1][-1] == "rejected: not-faster"
    never = replace(found.starts[0].decisions[0], before=0, after=0)
    cold = replace(found.starts[0], decisions=[never])
    assert report_warmup.rows(replace(found, starts=[cold]))[0][6:9] == ["-"] * 3
    with pytest.raises(FluidError, match=r"E-RPT-03 .*i686"):
        read_warmup(file, "i686")


@pytest.mark.parametrize(
    "damage",
    [
        *({"schema": 2}, {"threads": 0}, {"model": None}, {"starts": []}, {"lines": []}),
        *({"ids": [1]}, {"times": [9] * 255 + [1]}, {"time": -1}),
    ],
)
def test_damaged_file(file: Path, damage: dict[str, Any]) -> None:
    data = asdict(made(file.parent))
    inside = damage.keys() <= {"ids", "times", "time"}
    (data["starts"][1]["turns"][0] if inside else data).update(damage)
    file.write_text(json.dumps(data))
    with pytest.raises(FluidError, match=r"E-RPT-03 .*warmup\.json"):
        made(file.parent)
