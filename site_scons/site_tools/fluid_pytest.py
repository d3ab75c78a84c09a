"""SCons tool: the tests, as one pytest run per alias."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from fluid.suites import SUITES


def _run_pytest(target: Any, source: Any, env: Any) -> int:
    from fluid import suites
    from fluid.errors import FluidError

    top = Path(env.Dir("#").abspath)
    try:
        return suites.run(
            SUITES[env["FLUID_SUITE"]],
            top,
            env["FLUID_TESTED"],
            env["full"] == "1",
            env["ENV"]["PATH"],
            env.GetOption("num_jobs"),
        )
    except FluidError as error:
        print(error, file=sys.stderr)
        return 1


def _tests(env: Any, alias: str, needs: Any) -> Any:
    """Alias that runs the tests of a suite after `needs` were built."""
    action = env.Action(_run_pytest, "  TEST    " + SUITES[alias].folder)
    return env.AlwaysBuild(env.Alias(alias, needs, action, FLUID_SUITE=alias))


def generate(env: Any) -> None:
    """Adds env.FluidTests."""
    env.AddMethod(_tests, "FluidTests")


def exists(env: Any) -> bool:
    """pytest is installed."""
    import importlib.util

    return importlib.util.find_spec("pytest") is not None
