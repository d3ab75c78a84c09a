"""The program that measures read bandwidth: what it says it read, and what it does not take."""

import os
import subprocess
from pathlib import Path

import pytest

from fluid.peer_process import Bandwidth
from hostcc import ROOT, build

STREAMS, STEP, THREADS = 8, 128, 64  # of read_bandwidth.c, the last one the most


def program() -> Path:
    source = ROOT / "src" / "peers" / "read_bandwidth.c"
    return build("read_bandwidth", [source], flags=["-pthread"])


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_everything_is_read(threads: int) -> None:
    """By all threads together, up to what does not divide; each time anew."""
    with Bandwidth("read_bandwidth", [str(program()), str(threads), "3"]) as bandwidth:
        reads = [bandwidth.measure() for _ in range(2)]
    part = (3 << 20) // threads // (STREAMS * STEP) * (STREAMS * STEP)
    assert [read.bytes for read in reads] == [part * threads] * 2
    assert all(read.ns > 0 for read in reads)


def test_each_thread_has_a_processor_of_its_own() -> None:
    """As many as there are: two on one would read at half of what memory can give."""
    usable = sorted(os.sched_getaffinity(0))[:THREADS]
    with Bandwidth("read_bandwidth", [str(program()), str(len(usable)), "1"]) as bandwidth:
        threads = Path(f"/proc/{bandwidth.pid}/task").iterdir()
        found = [os.sched_getaffinity(int(thread.name)) for thread in threads]
    assert sorted(found, key=min) == [{processor} for processor in usable]


@pytest.mark.parametrize("words", [[], ["1"], ["0", "1"], ["1", "x"], ["65", "1"], ["1", "1", "1"]])
def test_words_that_are_not_taken(words: list[str]) -> None:
    done = subprocess.run([program(), *words], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "two numbers" in done.stderr
