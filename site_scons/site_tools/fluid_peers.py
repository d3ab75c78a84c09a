"""SCons tool: bench peers=1, the same models here and in llama.cpp, in turns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from SCons.Action import Action

from fluid.emulator import HOST
from fluid.synthetic_shapes import model_path

SHAPE = "tinyllama"
TYPES = {"1": ("Q4_0",), "all": ("Q4_0", "Q8_0", "Q4_K", "Q2_K")}  # by value of peers=
SOURCE = "#src/peers/read_bandwidth.c"
FLAGS = "-std=c17 -O2 -Wall -Wextra -Werror -pthread"


def _compare(target: Any, source: Any, env: Any) -> int:
    """source: fluid-host, the measurement of bandwidth, then a model and the image with it, for
    each model."""
    from fluid.options import processors
    from fluid.peer_setup import FOLDER
    from fluid.peers import bench_peers

    host, bandwidth, *files = [Path(node.abspath) for node in source]
    return bench_peers(
        list(zip(files[::2], files[1::2], strict=True)),
        Path(env.subst("$OUT/peers-host.json")),
        Path(env.Dir("#").abspath) / FOLDER,
        str(bandwidth),
        target=env["FLUID_TARGET"].emulated,
        tag=env["FLUID_TAG"],
        threads=processors(env["smp"], HOST, "peers"),
        program=str(host),
    )


def _bandwidth(env: Any) -> Any:
    """The program that measures bandwidth; it finds out by itself what the processor has."""
    action = Action("$CC $PEERFLAGS -o $TARGET $SOURCE", "$HOSTCOMSTR")
    program = env.Command("$OUT/peers/read_bandwidth", SOURCE, action, PEERFLAGS=FLAGS)
    env.Depends(program, env["FLUID_TOOLCHAIN"])
    env.FluidNotShared(program)
    return program


def _pairs(env: Any, image: Any, boot: Any) -> list[Any]:
    """Each model with its image: that of model=, or the default one and synthetic ones."""
    pairs = []
    if env["FLUID_MODEL"] is not None:
        pairs += [env.File(str(env["FLUID_MODEL"]).replace("$", "$$")), image]
    for kind in () if env["model"] else TYPES[env["peers"]]:
        model = env.FluidSyntheticModel(model_path(SHAPE, kind))
        name = f"$OUT/peers/{Path(str(model)).stem}"
        pairs += [model, env.FluidImageWith(boot, model, f"{name}.fat", f"{name}.img")]
    return pairs


def _peers(env: Any, alias: str, image: Any, host: list[Any], boot: Any) -> Any:
    """The alias."""
    needed = [host[0], *_bandwidth(env), *_pairs(env, image, boot)]
    node = env.Alias(alias, needed, env.Action(_compare, "  PEERS   $OUT/peers-host.json"))
    return env.AlwaysBuild(node)


def generate(env: Any) -> None:
    """Adds env.FluidPeers."""
    env.AddMethod(_peers, "FluidPeers")


def exists(env: Any) -> bool:
    """Needs the compiler; see fluid_toolchain."""
    return True
