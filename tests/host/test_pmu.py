"""The processor's counters on processors that are played: what leaf 0xA offers is counted to the
last event, by the task that it happened in; what it does not offer is absent."""

import subprocess

import pytest

from hostcc import FAIL, ROOT, build

INSTRUCTIONS, BRANCH_MISSES, CACHE_MISSES, BRANCHES, CACHE_REFERENCES = range(5)
ALL = {INSTRUCTIONS, BRANCH_MISSES, CACHE_MISSES, BRANCHES, CACHE_REFERENCES}


def played(**leaf: int) -> dict[int, list[int]]:
    """Per event that is counted: the charges of two tasks, all that was charged, what happened."""
    usual = {"version": 4, "general": 8, "width": 48, "events": 7, "absent": 0, "fixed": 3}
    words = [str(value) for value in (usual | {"still": 0, "refused": 0xFFFFFFFF} | leaf).values()]
    program = build("pmu_host", [ROOT / "tests/host/pmu_host.c", FAIL])
    done = subprocess.run(
        [str(program), *words], check=True, capture_output=True, text=True, timeout=60
    )
    rows = [[int(word) for word in line.split()] for line in done.stdout.splitlines()]
    return {event: counts for event, *counts in rows}


@pytest.mark.parametrize("width", [40, 48])
def test_no_event_is_lost_or_counted_twice(width: int) -> None:
    """Counters wrap thousands of times."""
    found = played(width=width)
    assert set(found) == ALL
    for one, other, charged, happened in found.values():
        assert charged == happened > 2**width
        assert 0 < one < charged and 0 < other < charged and one + other < charged


def test_without_fixed_counters_a_general_one_counts_instructions() -> None:
    assert set(played(fixed=0)) == ALL
    assert set(played(fixed=0, general=4)) == ALL - {CACHE_REFERENCES}
    assert set(played(version=1, fixed=3)) == ALL  # they are of version 2


def test_few_counters_go_to_what_matters_most() -> None:
    assert set(played(general=2)) == {INSTRUCTIONS, BRANCH_MISSES, CACHE_MISSES}
    assert set(played(general=0)) == {INSTRUCTIONS}


def test_events_that_the_processor_lacks_are_absent() -> None:
    assert set(played(absent=1 << 6)) == ALL - {BRANCH_MISSES}
    assert set(played(events=6)) == ALL - {BRANCH_MISSES}  # its bit is not there
    assert set(played(absent=1 << 3 | 1 << 4)) == {INSTRUCTIONS, BRANCH_MISSES, BRANCHES}


def test_counters_that_stand_still_are_absent() -> None:
    """An emulator may tell of some and count nothing: no zeros are reported."""
    assert played(still=0x1FF) == {}
    assert played(still=0xF, general=4, fixed=0) == {}
    assert set(played(still=0xFF)) == {INSTRUCTIONS}  # the fixed one counts
    assert set(played(still=0x100)) == ALL  # it alone does not
    assert set(played(still=0b101, general=4)) == {INSTRUCTIONS, BRANCH_MISSES, CACHE_MISSES}
    assert set(played(still=0b101, general=8)) == ALL


def test_what_is_refused_is_absent() -> None:
    """CPUID promises, an emulator does not keep it."""
    assert set(played(refused=0x309)) == ALL  # the fixed counter: a general one does it
    assert set(played(refused=0x187)) == ALL  # the second general one: there are enough
    assert set(played(refused=0x187, general=2)) == {INSTRUCTIONS, BRANCH_MISSES}
    assert set(played(refused=1, general=2)) == {INSTRUCTIONS, BRANCH_MISSES}  # RDPMC of it
    assert played(refused=0x38F) == {}
    assert set(played(refused=1 << 30)) == ALL  # RDPMC of the fixed one


def test_no_leaf_no_counters() -> None:
    assert played(version=0, general=0, events=0, fixed=0) == {}
