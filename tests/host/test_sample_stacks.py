"""The sampling profiler: which stacks are one, what is lost, what is forgotten."""

import subprocess

import pytest

from hostcc import ROOT, build

SOURCES = [ROOT / "tests/host/sample_host.c", ROOT / "src/kernel/prof/sample.c"]
INNERMOST = " ".join(f"{0x1000 + i * 0x100:x}" for i in range(16))


def said(scenario: str) -> list[str]:
    """Stacks in a certain order, since the table has none."""
    program = build("sample_host", SOURCES)
    done = subprocess.run([str(program), scenario], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    looks = done.stdout.splitlines()
    found, stacks = [], []
    for line in looks:
        if ":" in line:
            stacks.append(line)
        else:
            found += [*sorted(stacks), line]
            stacks = []
    return found


@pytest.mark.parametrize(
    ("scenario", "expected"),
    [
        (
            "equal",
            [
                *("1: 0 2000", "1: 1000 2000", "3: 1000 2000 3000"),
                "5 taken, 0 idle, 0 lost",
            ],
        ),
        (
            "full",
            [
                *("256: 1000", "256 taken, 0 idle, 44 lost"),
                *("1280: 1000 2000", "1280: 1000 2100", "256: 1000"),
                "2816 taken, 0 idle, 44 lost",
            ],
        ),
        ("idle", ["1: 1000", "1 taken, 2 idle, 0 lost"]),
        ("deep", [f"2: {INNERMOST}", "2 taken, 0 idle, 0 lost"]),
        (
            "forget",
            [
                *("1: 1000 2000 4000", "1 taken, 0 idle, 0 lost"),
                *("1: 0 1000", "1: 1000 0 4000", "2 taken, 0 idle, 0 lost"),
                *("1: 0 1000", "1: 1000 0 4000", "1: 2000 5000", "3 taken, 0 idle, 0 lost"),
            ],
        ),
        ("many", ["1025 taken, 100 lost"]),
        (
            "memory",
            [
                *("0 taken, 0 idle, 1 lost", "0 taken, 0 idle, 1 lost"),
                *("1: 1000", "1 taken, 0 idle, 1 lost"),
            ],
        ),
        (
            "reset",
            [
                *("1: 1000", "1 taken, 0 idle, 0 lost"),
                *("0 taken, 0 idle, 0 lost", "1: 3000", "1 taken, 0 idle, 0 lost"),
            ],
        ),
    ],
)
def test_stacks(scenario: str, expected: list[str]) -> None:
    assert said(scenario) == expected
