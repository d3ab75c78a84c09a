"""The boot benchmark, with a machine played by fake_guest.py."""

import json
from pathlib import Path
from typing import Any

import pytest

from fluid.bench import ROUNDS, BootTimes, boot_times, run_bench
from fluid.history import Recorder, read_history
from fluid.machine import Machine, MachineEnded


def machine(tmp_path: Path, emulator: str, how: str = "") -> Machine:
    image = tmp_path / "disk.img"
    image.write_bytes(b"disk")
    extra = ("-fake", how) if how else ()
    return Machine(image, target="i686", emulator=emulator, extra=extra)


def test_the_first_boot_is_not_counted(tmp_path: Path, emulator: str) -> None:
    seen: list[int] = []
    times = boot_times(lambda: machine(tmp_path, emulator), 3, seen.append)
    assert seen == [0, 1, 2, 3]
    assert times.kernel_entry == [12.0] * 3
    assert len(times.power_on) == 3
    assert min(times.power_on) > 0
    assert (times.target, times.runner, times.model) == ("i686", "tcg", None)


def test_a_boot_that_fails_is_no_number(tmp_path: Path, emulator: str) -> None:
    with pytest.raises(MachineEnded):
        boot_times(lambda: machine(tmp_path, emulator, "broken"), 1, lambda _: None)


def test_the_table_says_what_was_measured() -> None:
    text = BootTimes("i686", "kvm", "Tiny", [30, 10, 20], [3, 1, 9]).table()
    assert "i686, kvm, model Tiny" in text
    assert "median      20 ms, 10 to 30 ms in 3 boots" in text
    assert "median       3 ms, 1 to 9 ms in 3 boots" in text


def test_what_was_measured_is_kept(
    tmp_path: Path, emulator: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a file of the last time, and in the history."""
    image = tmp_path / "disk.img"
    image.write_bytes(b"disk")
    recorder = Recorder(tmp_path / "build/history.jsonl", "i686", "bench")
    options: dict[str, Any] = {"target": "i686", "runner": "tcg", "smp": 2, "program": emulator}
    assert run_bench(image, tmp_path, recorder, benchmarks=[], **options) == 0
    times = json.loads((tmp_path / "bench-boot.json").read_text())
    assert times["kernel_entry"] == [12.0] * ROUNDS
    [record], problems = read_history(recorder.path)
    assert problems == [] and (record.runner, record.measure) == ("tcg", "microseconds")
    entered = next(one for one in record.results if one.name == "kernel entry")
    assert (entered.median, entered.calls) == (12_000, ROUNDS)
    assert "i686, tcg" in capsys.readouterr().out


def test_no_history_of_a_boot_that_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recorder = Recorder(tmp_path / "build/history.jsonl", "i686", "bench")
    image, program = tmp_path / "none.img", "/no/such/qemu"
    options: dict[str, Any] = {"target": "i686", "runner": "tcg", "program": program}
    assert run_bench(image, tmp_path, recorder, benchmarks=[], **options) == 1
    assert not recorder.path.exists() and "E-RUN-" in capsys.readouterr().err
