"""The test aliases: what pytest is asked for, and that none of them passes without a test."""

from __future__ import annotations

import os
import xml.etree.ElementTree
from pathlib import Path

import pytest

from fluid import options
from fluid.errors import FluidError
from fluid.suites import BY_TARGET, SUITES, TARGETS_VARIABLE, Suite, run, wanted_targets
from fluid.targets import TARGETS

ROOT = Path(__file__).resolve().parents[2]
EVERY = list(TARGETS)
TESTS = """
import os, pytest

def test_of_targets():
    assert os.environ.get("FLUID_TARGETS") == {expected!r}

@pytest.mark.parametrize("bits", [32, 64])
def test_parametrised(bits):
    assert bits in (32, 64)
"""


def made(folder: Path, expected: str | None) -> Path:
    """A file of tests that expect this list of targets."""
    (folder / "site_scons").mkdir()
    path = folder / "test_made.py"
    path.write_text(TESTS.format(expected=expected))
    return path


def test_every_test_alias_is_a_suite() -> None:
    """Its folder exists; no two write the same file."""
    aliases = [alias for alias in options.ALIASES if alias.partition("-")[0] == "test"]
    assert list(SUITES) == aliases
    assert sorted(BY_TARGET) == ["test-matrix", "test-qemu"]
    assert all((ROOT / suite.folder).is_dir() for suite in SUITES.values())
    reports = [suite.junit for suite in SUITES.values()]
    assert len(set(reports)) == len(reports)
    assert all(report.startswith("build/") for report in reports)


def test_long_campaigns_are_asked_for() -> None:
    """full=1 adds them; the matrix always has its own."""
    assert "-m" not in SUITES["test-qemu"].arguments(full=False)
    assert SUITES["test-qemu"].arguments(full=True)[:2] == ["-m", ""]
    for full in (False, True):
        assert SUITES["test-matrix"].arguments(full)[:2] == ["-m", "matrix"]


def test_wanted_targets() -> None:
    """In the order of the table; all when nothing is said, and none is no answer."""
    assert wanted_targets({}) == EVERY
    assert wanted_targets({TARGETS_VARIABLE: " x86-64-v2  i686"}) == ["i686", "x86-64-v2"]
    for value in ("", " ", "i686 x86-64-v5", "native"):
        with pytest.raises(FluidError, match=r"^E-SUITE-01 FLUID_TARGETS of i686 x86-64 "):
            wanted_targets({TARGETS_VARIABLE: value})


@pytest.mark.parametrize(
    ("by_target", "tested", "expected"),
    [
        (True, ["x86-64-v3"], "x86-64-v3"),
        (True, EVERY, None),
        (False, ["x86-64-v3"], None),
    ],
)
def test_tests_learn_their_targets(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    by_target: bool,
    tested: list[str],
    expected: str | None,
) -> None:
    """Where a suite goes by target; and the XML is where the suite says."""
    monkeypatch.setenv(TARGETS_VARIABLE, "i686")  # of whoever calls: it must not leave out any
    made(tmp_path, expected)
    suite = Suite("test_made.py", "build/junit/made.xml", by_target=by_target)
    assert run(suite, tmp_path, tested, False, os.environ["PATH"]) == 0
    report = xml.etree.ElementTree.parse(tmp_path / suite.junit).getroot()
    names = [case.get("name") for case in report.iter("testcase")]
    assert names == ["test_of_targets", "test_parametrised[32]", "test_parametrised[64]"]


def test_several_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same tests, and a run without tests is no success there either."""
    monkeypatch.setenv(TARGETS_VARIABLE, "i686")
    made(tmp_path, None)
    suite = Suite("test_made.py", "build/made.xml")
    assert suite.arguments(False, jobs=2)[:2] == ["-n", "2"]
    assert run(suite, tmp_path, EVERY, False, os.environ["PATH"], jobs=2) == 0
    report = xml.etree.ElementTree.parse(tmp_path / suite.junit).getroot()
    assert len(list(report.iter("testcase"))) == 3
    none = Suite("test_made.py", "build/made.xml", marks="parametrize and not parametrize")
    with pytest.raises(FluidError, match="E-SUITE-02"):
        run(none, tmp_path, ["i686"], False, os.environ["PATH"], jobs=2)


def test_a_failed_test_is_a_failed_run(tmp_path: Path) -> None:
    made(tmp_path, "another list")
    suite = Suite("test_made.py", "build/made.xml")
    assert run(suite, tmp_path, EVERY, False, os.environ["PATH"]) == pytest.ExitCode.TESTS_FAILED


def test_a_run_without_tests_is_an_error(tmp_path: Path) -> None:
    """What if a mark or a target leaves all of them out? That is no success."""
    made(tmp_path, None)
    suite = Suite("test_made.py", "build/made.xml", marks="parametrize and not parametrize")
    with pytest.raises(FluidError, match=r"^E-SUITE-02 tests of i686 expected in test_made\.py"):
        run(suite, tmp_path, ["i686"], False, os.environ["PATH"])
