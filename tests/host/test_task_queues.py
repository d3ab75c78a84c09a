"""The scheduler's queues, wait queues and mutex, on a machine that is played in a Linux process."""

import subprocess

import pytest

from hostcc import FAIL, ROOT, build

TASK = ROOT / "src/kernel/task"
FILES = ("queue", "sched", "stack", "task", "wait")
PLAYED = [ROOT / f"tests/host/task_{name}.c" for name in ("host", "env")]
SOURCES = [*PLAYED, *(TASK / f"{name}.c" for name in FILES), FAIL]


def said(scenario: str) -> str:
    program = build("task_host", SOURCES, flags=["-D_GNU_SOURCE"])
    done = subprocess.run([str(program), scenario], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("scenario", "expected"),
    [
        # Turns of two and of four ticks, until B has nothing left to do.
        ("priorities", "aaBBBBaaBBBBaaBBBBaaaaaa"),
        # A turn that is over in the kernel ends where the kernel says so.
        ("kernel", "aaaaa.bbbbb.ab"),
        # All wait; a is woken first and goes before W, whose priority is lower; then b and c.
        ("waking", "abcWaWcWb"),
        # Handed over in the order in which they asked, whatever their priorities.
        ("locking", "aababcbcc"),
        ("sleeping", "0135"),
        # Events that the processor counts are charged to the task that it is busy with.
        ("counting", "b 400,a 4,"),
    ],
)
def test_order(scenario: str, expected: str) -> None:
    assert said(scenario) == expected


@pytest.mark.parametrize(
    ("scenario", "reason"),
    [
        ("twice", "panic: %s: assertion failed: %s"),
        ("not-mine", "panic: %s: assertion failed: %s"),
        ("deadlock", "panic: nothing will ever wake anybody"),
    ],
)
def test_mistakes_of_the_kernel(scenario: str, reason: str) -> None:
    assert said(scenario) == reason


def test_the_list_of_tasks() -> None:
    """In the order they were started; what has ended is not in it."""
    assert said("listing").startswith("waiterconsole running, sleeper sleeping, waiter waiting, ")


def test_no_memory_for_a_task() -> None:
    program = build("task_host", SOURCES, flags=["-D_GNU_SOURCE"])
    done = subprocess.run([str(program), "memory"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert done.stdout.count("E-TASK-01 256 KiB of memory for another task expected") == 3
