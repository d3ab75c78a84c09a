"""SCons tool: `warmup`, the image with an empty cache started twice: how it gets faster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fluid.emulator import HOST


def _warm_up(target: Any, source: Any, env: Any) -> int:
    from fluid.options import processors
    from fluid.warmup import run_warmup

    image = Path(str(source[0]))
    return run_warmup(
        image,
        image.parent,
        target=env["FLUID_TARGET"].emulated,
        tag=env["FLUID_TAG"],
        runner=env["runner"],
        mem=int(env["mem"]),
        smp=processors(env["smp"], env["runner"], "warmup"),
        program=next((node.abspath for node in source[1:2]), None),  # fluid-host
    )


def _warmup(env: Any, alias: str, image: Any, host: list[Any]) -> None:
    """Alias that starts a copy of `image`, with runner=host in the program of the nodes `host`;
    where it is asked for."""
    if alias not in env["FLUID_GOALS"]:
        return
    needed = [image, *(host[:1] if env["runner"] == HOST else [])]
    action = env.Action(_warm_up, "  WARMUP  $OUT/warmup.json")
    env.AlwaysBuild(env.Alias(alias, needed, action))


def generate(env: Any) -> None:
    """Adds env.FluidWarmup."""
    env.AddMethod(_warmup, "FluidWarmup")


def exists(env: Any) -> bool:
    """QEMU is in PATH."""
    return bool(env.WhereIs("qemu-system-x86_64"))
