"""The CPU matrix (tests/qemu/matrix.py): what it covers, and of which target each test is."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from fluid.suites import TARGETS_VARIABLE
from fluid.targets import TARGETS
from matrix import CPUS, ROWS

ROOT = Path(__file__).resolve().parents[2]
EMULATORS = {"tcg": "QEMU", "bochs": "Bochs"}


def collect(*arguments: str, wanted: str | None = None) -> subprocess.CompletedProcess[str]:
    """pytest --collect-only in tests/qemu."""
    variables = {k: v for k, v in os.environ.items() if k != TARGETS_VARIABLE}
    if wanted is not None:
        variables[TARGETS_VARIABLE] = wanted
    command = [sys.executable, "-m", "pytest", "-q", "-m", "", "--collect-only", *arguments]
    return subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True)


def names_of(wanted: str | None) -> set[str]:
    """Names of the tests that are collected, full campaigns included."""
    done = collect("tests/qemu", wanted=wanted)
    assert done.returncode == 0, done.stdout + done.stderr
    return {line for line in done.stdout.splitlines() if "::" in line}


def test_every_target_has_rows() -> None:
    """Every variant is the best one in some row, and no CPU has all features."""
    assert list(dict.fromkeys(row.tag for row in ROWS)) == list(TARGETS)
    variants = {variant for target in TARGETS.values() for variant in target.variants}
    assert {row.variant for row in ROWS} == variants
    assert {row.cpu.runner for row in ROWS if row.tag == "x86-64-v4"} == {"bochs"}
    assert "max" not in {cpu.model for cpu in CPUS}


def test_the_document_has_the_rows() -> None:
    text = (ROOT / "docs/testing.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| `(.+)` \| (\w+) \| `(.+)` \| `(.+)` \|$", text, re.MULTILINE)
    assert told == [
        (row.tag, EMULATORS[row.cpu.runner], row.cpu.model, row.variant) for row in ROWS
    ]


def test_each_test_is_of_one_target() -> None:
    """Together the targets have all tests, and each has some that no other has."""
    everything = names_of(None)
    parts = [names_of(tag) for tag in TARGETS]
    assert set.union(*parts) == everything
    assert sum(map(len, parts)) == len(everything)
    assert all(len(part) > 20 for part in parts)


def test_a_test_of_no_target_is_an_error(tmp_path: Path) -> None:
    """It would be run, or left out, without anyone having decided it."""
    path = tmp_path / "test_made.py"
    hook = (
        "import matrix\n\ndef pytest_collection_modifyitems(items):\n    matrix.of_wanted(items)\n"
    )
    (tmp_path / "conftest.py").write_text(hook)
    path.write_text("def test_something():\n    pass\n")
    rules = ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(ROOT)]
    done = collect(*rules, str(path))
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "one target expected among its parameters, found []" in done.stdout + done.stderr
    mark = 'import pytest\n\n@pytest.mark.of_target("i686")\n'
    path.write_text(mark + path.read_text())
    assert collect(*rules, str(path)).returncode == 0


def test_an_unknown_target_is_an_error() -> None:
    done = collect("tests/qemu", wanted="x86-64-v5")
    assert done.returncode not in (0, pytest.ExitCode.NO_TESTS_COLLECTED)
    assert "E-SUITE-01" in done.stdout + done.stderr
