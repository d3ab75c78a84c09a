"""The boot benchmark, with a machine played by fake_guest.py."""

from pathlib import Path

import pytest

from fluid.bench import BootTimes, boot_times
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
