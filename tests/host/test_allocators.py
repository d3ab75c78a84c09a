"""The kernel's allocators in a Linux process under ASan: random requests, and misuse."""

import subprocess

import pytest

from hostcc import ROOT, build

MM = ROOT / "src/kernel/mm"
PARTS = (
    "alloc_failure",
    "buddy",
    "e820",
    "heap",
    "heap_account",
    "pages",
    "pages_init",
    "pool",
    "slab",
)
SOURCES = [
    *(ROOT / f"tests/host/{name}.c" for name in ("memory_host", "memory_env")),
    *(MM / f"{name}.c" for name in PARTS),
]
ALLOCATORS = ["pages", "heap", "pool"]
QUICK, LONG = 10_000, 1_000_000
PANIC = 3  # memory_env.c


def run(*arguments: str, seconds: int = 60) -> subprocess.CompletedProcess[str]:
    program = build("memory_host", SOURCES, flags=["-D_GNU_SOURCE"])
    return subprocess.run(
        [str(program), *arguments], capture_output=True, text=True, timeout=seconds
    )


@pytest.mark.parametrize("seed", ["1", "2"])
@pytest.mark.parametrize("allocator", ALLOCATORS)
def test_random_requests(allocator: str, seed: str) -> None:
    done = run(allocator, str(QUICK), seed)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith(f"{allocator}: {QUICK} operations")


@pytest.mark.full
@pytest.mark.parametrize("allocator", ALLOCATORS)
def test_a_million_requests(allocator: str) -> None:
    done = run(allocator, str(LONG), "3", seconds=3600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith(f"{allocator}: {LONG} operations")


def test_a_long_run_is_not_rounded_up() -> None:
    """55 % of the memory in one piece: with blocks of powers of two alone, more than there is."""
    done = run("large")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("large: ")


def test_runs_a_little_longer_than_a_block_waste_nothing() -> None:
    done = run("packed")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("packed: ")


@pytest.mark.parametrize(
    ("scenario", "reason"),
    [
        ("page-twice", "page 1 of it is already free"),
        ("foreign-page", "not a range of RAM"),
        ("pool-twice", "not a block, or already free"),
    ],
)
def test_misuse_is_a_panic(scenario: str, reason: str) -> None:
    done = run(scenario)
    assert done.returncode == PANIC, done.stdout + done.stderr
    assert done.stdout.startswith("panic: ") and reason in done.stdout
