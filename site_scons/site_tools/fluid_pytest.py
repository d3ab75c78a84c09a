"""SCons tool: the tests, as one pytest run per alias."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any


def _run_pytest(target: Any, source: Any, env: Any) -> int:
    top = Path(env.Dir("#").abspath)
    chosen = ["-m", ""] if env["full"] == "1" else []  # pyproject.toml leaves `full` out
    command = [sys.executable, "-m", "pytest", *chosen, env["FLUID_TESTS"]]
    variables = {"PYTHONPATH": str(top / "site_scons"), "FLUID_BUILD": str(top / "build")}
    path = env["ENV"]["PATH"]
    return subprocess.call(command, cwd=top, env={**os.environ, **variables, "PATH": path})


def _tests(env: Any, alias: str, folder: str, needs: Any) -> Any:
    """Alias that runs the tests below `folder` after `needs` were built."""
    action = env.Action(_run_pytest, "  TEST    " + folder)
    return env.AlwaysBuild(env.Alias(alias, needs, action, FLUID_TESTS=folder))


def generate(env: Any) -> None:
    """Adds env.FluidTests."""
    env.AddMethod(_tests, "FluidTests")


def exists(env: Any) -> bool:
    """pytest is installed."""
    import importlib.util

    return importlib.util.find_spec("pytest") is not None
