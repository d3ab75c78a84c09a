"""Rules that hold for every file: linters are clean, files are short, nothing is left open."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINES_MAX = 400  # a file is one concept, read in one sitting
OPEN_ENDS = re.compile(r"\b(TO" + "DO|FIX" + "ME|XX" + "X)\b")
FOLDERS = ("src", "site_scons", "tests")
SOURCES = sorted(
    path
    for pattern in ("*.c", "*.h", "*.cpp", "*.S", "*.ld", "*.py")
    for folder in FOLDERS
    for path in (ROOT / folder).rglob(pattern)
)


@pytest.mark.parametrize(
    "tool", [["ruff", "check"], ["ruff", "format", "--check"], ["mypy"]], ids=" ".join
)
def test_python_tools(tool: list[str]) -> None:
    """ruff and mypy have nothing to say; pyproject.toml has their settings."""
    command = [sys.executable, "-m", *tool]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_c_layout() -> None:
    """clang-format has nothing to say of C and C++; .clang-format has its settings."""
    patterns = ("*.[ch]", "*.cpp", "cxx/include/*")
    files = [str(p) for f in FOLDERS for g in patterns for p in sorted((ROOT / f).rglob(g))]
    program = Path(sys.executable).parent / "clang-format"
    command = [str(program), "--dry-run", "--Werror", *files]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def _slips(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    found = [f"line {n} ends in blanks" for n, line in enumerate(lines, 1) if line != line.rstrip()]
    found += [f"{len(lines)} lines"] * (len(lines) > LINES_MAX)
    found += [f"open end: {mark}" for mark in OPEN_ENDS.findall(text)]
    found += ["no LF at the end"] * (not text.endswith("\n"))
    return found


def test_source_files() -> None:
    """Not too long, no open ends, no trailing blanks, LF at the end."""
    assert len(SOURCES) > 100
    slips = {path.relative_to(ROOT).as_posix(): _slips(path) for path in SOURCES}
    assert {path: found for path, found in slips.items() if found} == {}


def test_sconstruct_is_short() -> None:
    """SConstruct names options, environments and aliases; steps live in tools."""
    assert len((ROOT / "SConstruct").read_text().splitlines()) < 100
