"""SCons tool: `profile` runs the training workload on the image and stores what was hot, `plan`
shows what the build makes of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from fluid.emulator import HOST
from fluid.targets import TARGETS


def _capture(target: Any, source: Any, env: Any) -> int:
    from fluid.errors import FluidError
    from fluid.training import capture

    options: dict[str, Any] = {"mem": int(env["mem"]), "runner": env["runner"]}
    options["model"] = env["FLUID_MODEL"] is not None
    if len(source) > 1:
        options["emulator"] = source[1].abspath  # fluid-host
    try:
        capture(
            Path(str(source[0])),
            Path(env["FLUID_HOTNESS"]),
            samples=Path(env.subst("$OUT/samples.json")),
            target=env["FLUID_TARGET"].emulated,
            benchmarks=env["FLUID_BENCHMARKS"],
            **options,
        )
    except FluidError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    print(f"  WROTE   {env['FLUID_HOTNESS']}; hotness={env['FLUID_HOTNESS']} builds by it")
    return 0


def _show(target: Any, source: Any, env: Any) -> int:
    from fluid import plan, planner

    print(planner.table(plan.read_plan(str(source[0]))))
    return 0


def _place(env: Any) -> str:
    """Where measurements of this target are kept: those of levels are inputs of the tree."""
    tag = env["FLUID_TARGET"].tag
    return f"profiles/hotness/{tag}.json" if tag in TARGETS else env.subst("$OUT/hotness.json")


def _profile(env: Any, alias: str, image: Any, host: list[Any]) -> Any:
    """Alias that measures `image`, with runner=host in the program of the nodes `host`."""
    env = env.Override({"FLUID_HOTNESS": _place(env)})
    needed = [image, *(host if env["runner"] == HOST else [])]
    return env.AlwaysBuild(env.Alias(alias, needed, env.Action(_capture, f"  TRAIN   {image}")))


def _plan(env: Any, alias: str) -> Any:
    """Alias that prints the plan."""
    return env.AlwaysBuild(env.Alias(alias, env["FLUID_PLAN"], env.Action(_show, None)))


def generate(env: Any) -> None:
    """Adds env.FluidProfile and env.FluidShowPlan."""
    env.AddMethod(_profile, "FluidProfile")
    env.AddMethod(_plan, "FluidShowPlan")


def exists(env: Any) -> bool:
    """Needs nothing but Python."""
    return True
