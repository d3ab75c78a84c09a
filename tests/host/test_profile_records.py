"""Records of calls: buckets of cycles, medians, what is kept apart, and measuring."""

import subprocess

import pytest

from hostcc import ROOT, build

PROF = ROOT / "src/kernel/prof"
SOURCES = [ROOT / "tests/host/profile_host.c", PROF / "profile.c", PROF / "call.c"]
SOURCES += [ROOT / "src/kernel/load/module_list.c"]
# Records stay for the life of the system.
ENVIRONMENT = {"ASAN_OPTIONS": "detect_leaks=0"}
LAST, LONGEST = 367, 1 << 48  # the last bucket, and what is longer than all


def said(*arguments: object) -> list[str]:
    program = build("profile_host", SOURCES)
    command = [str(a) for a in (program, *arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=ENVIRONMENT)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def test_buckets() -> None:
    """Each number is in the bucket that begins at it or below, an eighth below at most."""
    found = {}
    for line in said("buckets"):
        cycles, bucket, start = map(int, line.split())
        found[cycles] = (bucket, start)
        if cycles >= LONGEST:
            assert bucket == LAST
        else:
            assert start <= cycles and (cycles - start) * 8 < max(start, 1)
    edges = {0: 0, 7: 7, 8: 8, 15: 15, 16: 16, 17: 16, 1 << 47: LAST - 7}
    edges |= {LONGEST - 1: LAST, LONGEST: LAST, (1 << 64) - 1: LAST}
    assert {cycles: found[cycles][0] for cycles in edges} == edges
    assert found[1 << 47] == (LAST - 7, 1 << 47)
    assert [found[cycles][0] for cycles in sorted(found)] == sorted(b for b, _ in found.values())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_medians(seed: int) -> None:
    """At most an eighth off the exact one; all else is exact."""
    [worst] = said("medians", seed, 1500)
    assert 0.01 < float(worst) <= 1 / 8


def test_what_is_kept_apart() -> None:
    """Module, target, source, function and shape; a record outlives its module."""
    assert said("records") == ["one x86-64 f kernel 3 4 source"]


def test_calls() -> None:
    """Cycles of calls; the first caller stays; what a reset interrupts counts as a whole."""
    assert said("calls") == [
        "0 calls, 0 cycles, 0 0 0 by kernel",
        "3 calls, 13 cycles, 0 4 9 by llama",
        "0 calls, 0 cycles, 0 0 0 by llama",
        "1 calls, 7 cycles, 7 7 7 by llama",
        "overhead 21",
        "overhead 21, 1 records",
    ]
