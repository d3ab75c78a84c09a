"""SCons tool: compile_commands.json of one target."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def _database_step(target: list[str], source: list[str], env: Any) -> None:
    from fluid import compiledb

    units = [
        compiledb.Unit(env.subst("$CC"), source, str(node), str(response), includes)
        for source, node, response, includes in env["FLUID_UNITS"]
    ]
    compiledb.write_database(units, Path(env.Dir("#").abspath), target[0])


def _database(env: Any) -> Any:
    """The database of everything that env.Compile has been asked for so far."""
    responses = dict.fromkeys(response for _, _, response, _ in env["FLUID_UNITS"])
    text = [" ".join((source, *includes)) for source, _, _, includes in env["FLUID_UNITS"]]
    node = env.CompileCommands("$OUT/compile_commands.json", list(responses))
    env.Depends(node, env.Value("\n".join(text)))
    return node[0]


def generate(env: Any) -> None:
    """Adds env.FluidCompileCommands."""
    env.PythonBuilder("CompileCommands", "DB", ["compiledb"], _database_step, ["CC"])
    env.AddMethod(_database, "FluidCompileCommands")


def exists(env: Any) -> bool:
    """Needs nothing but Python."""
    return True
