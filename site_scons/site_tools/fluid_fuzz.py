"""SCons tool: long fuzz campaigns over the parsers (tests/fuzz/fuzz_campaign.py)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

FOLDERS = ("site_scons", "tests", "tests/host", "tests/fuzz")


def _run_campaign(target: Any, source: Any, env: Any) -> int:
    top = Path(env.Dir("#").abspath)
    variables = {
        "PYTHONPATH": os.pathsep.join(str(top / folder) for folder in FOLDERS),
        "PATH": env["ENV"]["PATH"],
    }
    command = [sys.executable, str(top / "tests/fuzz/fuzz_campaign.py")]
    return subprocess.call(command, cwd=top, env={**os.environ, **variables})


def _fuzz(env: Any, alias: str) -> Any:
    """Alias that runs every target."""
    return env.AlwaysBuild(env.Alias(alias, [], env.Action(_run_campaign, "  FUZZ    tests/fuzz")))


def generate(env: Any) -> None:
    """Adds env.FluidFuzz."""
    env.AddMethod(_fuzz, "FluidFuzz")


def exists(env: Any) -> bool:
    """The compiler is in PATH; libFuzzer comes with it."""
    return bool(env.WhereIs("clang-19"))
