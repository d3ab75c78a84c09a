"""SCons tool: the alias that runs the tests of fluid-host with counters and prints the result."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any


def _run_coverage(target: Any, source: Any, env: Any) -> int:
    """Tests first; the table also where some failed, and their status then."""
    from fluid import coverage
    from fluid.errors import FluidError

    top = Path(env.Dir("#").abspath)
    out = Path(env.Dir("$OUT").abspath)
    modules = [Path(env.File(path).abspath) for path in env["FLUID_LINKED"]]
    status = coverage.run_tests(out / "profiles", top, top / "build", env["FLUID_TAG"])
    try:
        print(coverage.report(out / "profiles", out / "fluid-host", modules))
    except FluidError as error:
        print(error, file=sys.stderr)
        return 1
    return status


def _coverage(env: Any, alias: str, needs: Any) -> Any:
    """Alias for the instrumented build of this environment."""
    best = {variant.name: variant for variant in env["FLUID_VARIANTS"]}  # the last is the highest
    linked = [f"$OBJ/{variant.place}/{variant.name}.o" for variant in best.values()]
    action = env.Action(_run_coverage, "  TEST    coverage")
    return env.AlwaysBuild(env.Alias(alias, needs, action, FLUID_LINKED=linked))


def generate(env: Any) -> None:
    """Adds env.FluidCoverage."""
    env.AddMethod(_coverage, "FluidCoverage")


def exists(env: Any) -> bool:
    """LLVM's profile tools are in PATH."""
    return all(env.WhereIs(program) for program in ("llvm-cov-19", "llvm-profdata-19"))
