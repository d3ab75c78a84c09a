"""SCons tool: models with random weights, build/models/<shape>-<type>.gguf."""

from __future__ import annotations

import sys
from typing import Any

from fluid.synthetic_shapes import all_files, model_path


def _model_step(target: list[str], source: list[str], env: Any) -> None:
    from fluid.progress import show_progress
    from fluid.synthetic import write_synthetic

    write_synthetic(target[0], env["FLUID_SHAPE"], env["FLUID_TYPE"], show_progress)
    print(file=sys.stderr)


def _model(env: Any, path: str) -> Any:
    """The node of a path of synthetic_shapes.all_files()."""
    node = env.File(f"#{path}")
    if not node.has_builder():
        shape, kind = all_files()[path]
        env.SyntheticModel(node, [], FLUID_SHAPE=shape, FLUID_TYPE=kind)
        env.FluidNotShared(node)
    return node


def _synthetic(env: Any, alias: str) -> None:
    """Alias of the model that shape= and type= name; and those that are goals by their path."""
    goals = env["FLUID_GOALS"]
    for path in set(all_files()) & set(goals):
        env.FluidSyntheticModel(path)
    if alias in goals:
        env.Alias(alias, env.FluidSyntheticModel(model_path(env["shape"], env["type"])))


def generate(env: Any) -> None:
    """Adds env.FluidSynthetic and env.FluidSyntheticModel."""
    variables = ["FLUID_SHAPE", "FLUID_TYPE"]
    env.PythonBuilder("SyntheticModel", "MODEL", ["progress", "synthetic"], _model_step, variables)
    env.AddMethod(_model, "FluidSyntheticModel")
    env.AddMethod(_synthetic, "FluidSynthetic")


def exists(env: Any) -> bool:
    """numpy and gguf are installed."""
    import importlib.util

    return all(importlib.util.find_spec(name) is not None for name in ("numpy", "gguf"))
