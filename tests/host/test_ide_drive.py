"""An IDE drive that is silent, stuck or reports errors, and one whose DMA does: bounded waits,
resets, PIO where DMA fails, a code."""

import subprocess

import pytest

from hostcc import FAIL, ROOT, build

SOURCES = [ROOT / "tests/host/ide_host.c", FAIL]
SOURCES += [ROOT / f"src/kernel/dev/{name}.c" for name in ("ata", "block", "block_split")]


def said(fault: str, count: int) -> tuple[list[str], str, int]:
    """Codes of write, read and flush; how the disk is used then; seconds of the longest."""
    # What the driver keeps for as long as the machine runs is no leak.
    command = [str(build("ide_host", SOURCES)), fault, str(count)]
    environment = {"ASAN_OPTIONS": "detect_leaks=0"}
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, timeout=300, env=environment
    )
    *codes, way, seconds, _ = done.stdout.splitlines()
    return codes, way, int(seconds)


def test_a_sound_drive() -> None:
    assert said("none", 0) == (["ok"] * 3, "by DMA", 0)


@pytest.mark.parametrize(
    ("fault", "flush"),
    [
        ("silent", "E-DISK-03"),
        ("error", "E-DISK-07"),
        ("dma-silent", "ok"),
        ("dma-error", "ok"),
    ],
)
def test_one_fault_is_survived(fault: str, flush: str) -> None:
    """Reads and writes are tried again, a flush is not."""
    codes, way, _ = said(fault, 1)
    assert (codes, way) == (["ok", "ok", flush], "by DMA")


@pytest.mark.parametrize(
    ("fault", "codes"),
    [
        ("silent", ["E-DISK-03"] * 3),
        ("stuck", ["E-DISK-03"] * 3),  # also through a reset
        ("error", ["E-DISK-05", "E-DISK-01", "E-DISK-07"]),
    ],
)
def test_a_fault_that_stays_has_a_code(fault: str, codes: list[str]) -> None:
    """Within two minutes; when it goes away, the disk works again."""
    found, way, seconds = said(fault, 1000)
    assert found == codes
    assert way == "by DMA" and seconds < 120


@pytest.mark.parametrize("fault", ["dma-silent", "dma-error"])
def test_dma_that_always_fails(fault: str) -> None:
    """PIO takes its place, after three failures for good."""
    found, way, _ = said(fault, 1000)
    assert (found, way) == (["ok"] * 3, "by PIO")
