"""SCons tool: measurements of the image, apart from the tests because a clock decides them."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def _bench_image(target: Any, source: Any, env: Any) -> int:
    from fluid.bench import run_bench

    image = Path(str(source[0]))
    result = image.with_name("bench-boot.json")
    options = {"target": env["FLUID_TAG"], "runner": env["runner"], "mem": int(env["mem"])}
    return run_bench(image, result, **options)


def _bench(env: Any, alias: str, image: Any) -> Any:
    """Alias that measures `image`."""
    action = env.Action(_bench_image, f"  BENCH   {image}")
    return env.AlwaysBuild(env.Alias(alias, image, action))


def generate(env: Any) -> None:
    """Adds env.FluidBench."""
    env.AddMethod(_bench, "FluidBench")


def exists(env: Any) -> bool:
    """QEMU is in PATH."""
    return bool(env.WhereIs("qemu-system-x86_64"))
