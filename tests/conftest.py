"""A run of all tests must provoke every error code of the catalogue."""

import os
from pathlib import Path
from typing import Any

import pytest

import error_codes
import matrix_table
from fluid.error_docs import load
from fluid.suites import TARGETS_VARIABLE

TESTS = Path(__file__).parent
COMPLETE = pytest.StashKey[bool]()
OUTPUT = "workeroutput"  # of a process of pytest-xdist, for the one that started it


def pytest_configure(config: pytest.Config) -> None:
    """Listens from the start, fixtures included."""
    error_codes.listen()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Complete: every file of tests was collected, and none of their tests was left out
    by name or target."""
    collected = {item.path for item in items}
    chosen = config.option
    left_out = chosen.keyword or chosen.deselect or chosen.lf or TARGETS_VARIABLE in os.environ
    config.stash[COMPLETE] = not left_out and collected >= set(TESTS.rglob("test_*.py"))


def missing(config: pytest.Config) -> list[str]:
    """Codes that nothing said in a complete run; of another run nothing is known."""
    if not config.stash.get(COMPLETE, False):
        return []
    return [code for code in load().errors if code not in error_codes.provoked]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """What a process of pytest-xdist has heard; a crashed one has left nothing."""
    output = getattr(node, OUTPUT, {})
    error_codes.provoked.update(output.get("provoked", []))
    node.config.stash[COMPLETE] = output.get("complete", False)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fails a run that passed otherwise."""
    if hasattr(session.config, OUTPUT):
        session.config.workeroutput["provoked"] = sorted(error_codes.provoked)
        session.config.workeroutput["complete"] = session.config.stash.get(COMPLETE, False)
        return
    if exitstatus == pytest.ExitCode.OK and missing(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
) -> None:
    """Says which, and what to do; before that, the matrix."""
    matrix_table.write(terminalreporter)
    known = load().errors
    count = len(error_codes.provoked & known.keys())
    terminalreporter.write_line(f"error codes provoked: {count} of {len(known)}")
    if missing(config):
        terminalreporter.write_line(
            f"NOT PROVOKED: {' '.join(missing(config))}; write a test in which the code is said, "
            "or remove the code (docs/testing.md, Errors)",
            red=True,
        )
