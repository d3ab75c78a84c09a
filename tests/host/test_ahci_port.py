"""An AHCI controller that is silent, stuck, or reports errors: bounded waits, resets, a result."""

import re
import subprocess

import pytest

from hostcc import ROOT, build

SOURCES = [ROOT / "tests/host/ahci_host.c"]


def said(fault: str, count: int) -> tuple[list[str], bool, int]:
    """Results of write, read and flush; whether the disk works then; seconds of the longest."""
    command = [str(build("ahci_host", SOURCES)), fault, str(count)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
    *results, usable = done.stdout.split(" ")[:4]
    seconds = re.search(r"(\d+) s,", done.stdout)
    assert seconds
    return results, usable == "usable", int(seconds[1])


def test_a_sound_disk() -> None:
    assert said("none", 0) == (["done"] * 3, True, 0)


@pytest.mark.parametrize(
    ("fault", "flush"),
    [("silent", "timed-out"), ("error", "failed"), ("short", "done"), ("busy", "timed-out")],
)
def test_one_fault_is_survived(fault: str, flush: str) -> None:
    """Reads and writes are tried again, a flush is not."""
    results, usable, _ = said(fault, 1)
    assert (results, usable) == (["done", "done", flush], True)


@pytest.mark.parametrize(
    ("fault", "result"),
    [
        ("silent", "timed-out"),
        ("stuck", "timed-out"),  # nor does the controller come back from its reset
        ("busy", "timed-out"),  # nor the drive
        ("link", "timed-out"),  # pulled out
        ("error", "failed"),
    ],
)
def test_a_fault_that_stays_has_a_result(fault: str, result: str) -> None:
    """Within two minutes; when it goes away, the disk works again."""
    results, usable, seconds = said(fault, 1000)
    assert results == [result] * 3
    assert usable and seconds < 120
