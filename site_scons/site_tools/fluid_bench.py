"""SCons tool: measurements of the image. The time to its prompt is apart from the tests because a
clock decides it; with check=1 instructions are compared with baselines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fluid.emulator import HOST


def _bench_image(target: Any, source: Any, env: Any) -> int:
    from fluid import history
    from fluid.bench import run_bench
    from fluid.options import processors

    image = Path(str(source[0]))
    options = {
        "target": env["FLUID_TARGET"].emulated,
        "runner": env["runner"],
        "mem": int(env["mem"]),
        "smp": processors(env["smp"], env["runner"], "bench"),
        "benchmarks": env["FLUID_BENCHMARKS"],
    }
    program = next((node.abspath for node in source[1:2]), None)  # fluid-host
    log = Path(env.Dir("#build").abspath) / history.FILE
    recorder = history.Recorder(log, env["FLUID_TAG"], "bench")
    return run_bench(image, image.parent, recorder, program=program, **options)


def _count_instructions(target: Any, source: Any, env: Any) -> int:
    from fluid.instructions import run_gate
    from fluid.options import default_model

    return run_gate(
        Path(str(source[0])),
        env["FLUID_BENCHMARKS"],
        top=Path(env.Dir("#").abspath),
        target=env["FLUID_TARGET"].tag,
        tools=env["FLUID_TOOLS"],
        mem=int(env["mem"]),
        with_model=env["FLUID_MODEL"] is not None and env["FLUID_MODEL"] == default_model(),
        write=env["FLUID_GATE"] == "write",
    )


def _compare_drafts(target: Any, source: Any, env: Any) -> int:
    """source: the image, and fluid-host."""
    from fluid.lookup_bench import bench_lookup
    from fluid.options import processors

    image, program = (Path(node.abspath) for node in source[:2])
    return bench_lookup(
        image,
        program,
        image.parent,
        target=env["FLUID_TARGET"].emulated,
        tag=env["FLUID_TAG"],
        threads=processors(env["smp"], HOST, "lookup"),
    )


def _bench(env: Any, alias: str, image: Any, host: list[Any], boot: Any) -> Any:
    """Alias that measures `image`, with runner=host in the program of the nodes `host`; with peers=
    images of `boot` with several models instead, with tiers=1 images with other code."""
    if env["peers"] != "0":
        return env.FluidPeers(alias, image, host, boot)
    if env["tiers"] == "1":
        return env.FluidTiers(alias, image, host, boot)
    measurement = _count_instructions if env["FLUID_GATE"] else _bench_image
    if env["lookup"] == "1":
        measurement = _compare_drafts
    action = env.Action(measurement, f"  BENCH   {image}")
    needed = [image, *(host if env["runner"] == HOST else [])]
    return env.AlwaysBuild(env.Alias(alias, needed, action))


def generate(env: Any) -> None:
    """Adds env.FluidBench."""
    env.AddMethod(_bench, "FluidBench")


def exists(env: Any) -> bool:
    """QEMU is in PATH."""
    return bool(env.WhereIs("qemu-system-x86_64"))
