"""Progress: one line at a terminal, few of them in a file."""

from __future__ import annotations

import sys

import pytest

from fluid import progress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr("fluid.progress.time.monotonic", lambda: now[0])
    monkeypatch.setattr(progress, "_written", -progress.BETWEEN)
    return now


def test_at_a_terminal_a_line_is_overwritten_and_the_result_takes_its_place(
    clock: list[float], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    progress.show_progress("round 1 of 2")
    progress.show_progress("x" * 200)
    progress.show_result("done")
    told = capsys.readouterr()
    assert told.out == "done\n"
    first, second, cleared, rest = told.err.split("\r")[1:]
    assert first.strip() == "round 1 of 2" and second.strip() == "x" * 70
    assert len(first) == len(second) == len(cleared) and not cleared.strip() and not rest


def test_in_a_file_a_line_is_written_now_and_then(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(10):
        progress.show_progress(f"round {number} of 10")
        clock[0] += progress.BETWEEN / 4
    progress.show_result("done")
    told = capsys.readouterr()
    assert told.err == "  round 0 of 10\n  round 4 of 10\n  round 8 of 10\n"
    assert told.out == "done\n"
