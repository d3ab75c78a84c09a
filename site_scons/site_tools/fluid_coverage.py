"""SCons tool: the alias that runs tests with instrumented code, and how much of it ran."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any


def _run_coverage(target: Any, source: Any, env: Any) -> int:
    """Tests first; the report also where some failed, and their status then."""
    from fluid import coverage, coverage_run
    from fluid.errors import FluidError

    places = coverage_run.Places(Path(env.Dir("#").abspath), env["target"])
    jobs = env.GetOption("num_jobs")
    try:
        status = coverage.run_tests(places.profiles, places.top, places.builds, env["target"], jobs)
        coverage_run.report(places)
    except FluidError as error:
        print(error, file=sys.stderr)
        return 1
    return status


def _coverage(env: Any, alias: str, needs: Any) -> Any:
    """Alias for instrumented builds."""
    return env.AlwaysBuild(env.Alias(alias, needs, env.Action(_run_coverage, "  TEST    coverage")))


def generate(env: Any) -> None:
    """Adds env.FluidCoverage."""
    env.AddMethod(_coverage, "FluidCoverage")


def exists(env: Any) -> bool:
    """LLVM's profile tools are in PATH."""
    return all(env.WhereIs(program) for program in ("llvm-cov-19", "llvm-profdata-19"))
