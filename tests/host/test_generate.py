"""A reply with drafts and without: the same tokens and the same KV cache, however it ends."""

import subprocess
from pathlib import Path

import pytest

from hostcc import CONSOLE, ROOT, build

SOURCES = [CONSOLE / f"{name}.c" for name in ("generate", "lookup", "stop", "utf8")]
CTX, PROMPT = 200, 20
Reply = tuple[str, str]  # the ids; position, their number, tokens made


@pytest.fixture(scope="module")
def driver() -> Path:
    return build("generate_host", [ROOT / "tests/host/generate_host.c", *SOURCES])


def run(driver: Path, lookup: bool, *options: int | str) -> tuple[Reply, int]:
    """The reply, and the calls of llama_eval."""
    command = [str(driver), str(int(lookup)), *map(str, options)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    ids, state, evals = done.stdout.splitlines()
    return (ids, state), int(evals)


def both(driver: Path, *options: int | str) -> tuple[int, int]:
    """Calls of llama_eval with drafts and without, of the same reply."""
    with_drafts, few = run(driver, True, *options)
    without, many = run(driver, False, *options)
    assert with_drafts == without, options
    return few, many


def test_drafts_save_evaluations(driver: Path) -> None:
    """Up to a full context."""
    few, many = both(driver, 0, 0, "none", 0)
    assert many - few > (CTX - PROMPT) // 3


def test_every_number_of_tokens(driver: Path) -> None:
    for n in range(1, CTX - PROMPT, 3):
        both(driver, n, 0, "none", 0)


def test_every_end_of_generation(driver: Path) -> None:
    for at in range(PROMPT, CTX, 3):
        both(driver, 0, at, "none", 0)


@pytest.mark.parametrize("call", ["sample", "piece", "eog"])
def test_a_fault_behind_any_token(driver: Path, call: str) -> None:
    for at in range(1, CTX - PROMPT, 5):
        both(driver, 0, 0, call, at)


@pytest.mark.parametrize("how", ["eval", "stop"])
def test_an_evaluation_that_ends_early(driver: Path, how: str) -> None:
    """The cache holds all tokens but the last: those of a reply that has this length."""
    for at in range(1, 60, 3):
        (ids, state), evals = run(driver, True, 0, 0, how, at)
        position, count, made = map(int, state.split())
        assert evals == at
        if made == 0:
            assert position <= count == PROMPT
            continue
        assert position == count - 1
        assert run(driver, False, made, 0, "none", 0)[0] == (ids, state)
