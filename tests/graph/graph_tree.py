"""Runs SCons in a scratch copy of the sources and tells what it rebuilt."""

from __future__ import annotations

import os
import pstats
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
OUT = "build/x86-64-v2"  # of the default target
MODEL = "model.gguf"
BUILD_LINE = re.compile(r"^  [A-Z][A-Z0-9-]* +(build/\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class Result:
    """One run of SCons."""

    status: int
    text: str  # stdout and stderr

    @property
    def built(self) -> set[str]:
        """What was rebuilt; of the default target relative to its output folder."""
        return {path.removeprefix(f"{OUT}/") for path in BUILD_LINE.findall(self.text)}


@dataclass(frozen=True)
class Tree:
    """A copy of the sources at `top`."""

    top: Path

    def scons(self, *arguments: str, ok: bool | None = None, **variables: str) -> Result:
        """Runs SCons with the small model; `ok` asserts that it succeeds or fails."""
        given = [a for a in arguments if a.startswith("model=")]
        model = [] if given else [f"model={MODEL}"]
        command = [sys.executable, "-m", "SCons", *model, *arguments]
        environment = {k: v for k, v in os.environ.items() if k != "SCONSFLAGS"} | variables
        done = subprocess.run(
            command, cwd=self.top, env=environment, capture_output=True, text=True, timeout=1800
        )
        result = Result(done.returncode, done.stdout + done.stderr)
        if ok is not None:
            assert (result.status == 0) is ok, result.text
        return result

    def null_build_calls(self) -> int:
        """Python calls of a build in which nothing changed: its work, whatever the machine's load.
        1.7 million take a second of CPU without the profiler, the compilers' versions included."""
        profile = self.top / "null_build.profile"
        profiler = [sys.executable, "-m", "cProfile", "-o", str(profile)]
        command = [*profiler, "-m", "SCons", "-j1", f"model={MODEL}"]  # threads are not counted
        done = subprocess.run(command, cwd=self.top, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0 and "up to date" in done.stdout, done.stdout + done.stderr
        stats: Any = pstats.Stats(str(profile))
        profile.unlink()
        return int(stats.total_calls)

    def append(self, path: str, text: str) -> None:
        """Adds text at the end of a file."""
        file = self.top / path
        file.write_text(file.read_text(encoding="utf-8") + text, encoding="utf-8")

    def prepend(self, path: str, text: str) -> None:
        """Adds text at the beginning of a file."""
        file = self.top / path
        file.write_text(text + file.read_text(encoding="utf-8"), encoding="utf-8")

    def read(self, path: str) -> bytes:
        """Content of a product of the default target."""
        return (self.top / OUT / path).read_bytes()

    def products(self) -> set[str]:
        """All files below build/ but SCons' own records and logs."""
        files = (self.top / "build").rglob("*")
        return {
            f.relative_to(self.top).as_posix()
            for f in files
            if f.is_file() and not f.name.startswith(".sconsign") and f.suffix != ".jsonl"
        }


def copy_sources(top: Path) -> Tree:
    """Copies what the build reads to `top`, with a small stand-in for the model."""
    top.mkdir(parents=True)
    for name in ("SConstruct", "requirements.lock", "toolchain.lock.json"):
        shutil.copy2(ROOT / name, top)
    for folder in ("site_scons", "src", "profiles", "docs"):
        ignored = shutil.ignore_patterns("__pycache__", ".*_cache")
        shutil.copytree(ROOT / folder, top / folder, ignore=ignored)
    (top / MODEL).write_bytes(b"GGUF" + bytes(range(256)) * 256)
    return Tree(top)


def copied(original: Tree, top: Path) -> Iterator[Tree]:
    """A copy of a built tree with its products and SCons' records."""
    shutil.copytree(original.top, top)
    yield Tree(top)
    shutil.rmtree(top)
