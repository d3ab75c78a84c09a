"""SCons tool: builders whose work is done by plain Python in site_scons/fluid/.

env.PythonBuilder(name, verb, helpers, step, variables) registers the builder `name`; with the verb
None it says nothing. `step` gets target and source paths and the environment, and imports its
`helpers` from fluid itself, so that a null build loads none of them. Every node depends on the
files of these helpers and all that they import, on the versions of all Python packages, and on the
values of `variables`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from SCons.Action import Action
from SCons.Builder import Builder
from SCons.Errors import BuildError

from fluid import helpers
from fluid.errors import FluidError

Step = Callable[[list[str], list[str], Any], None]


def _action(step: Step, timed: bool) -> Callable[..., None]:
    def run(target: Sequence[Any], source: Sequence[Any], env: Any) -> None:
        try:
            step([str(t) for t in target], [str(s) for s in source], env)
        except FluidError as error:
            raise BuildError(node=list(target), errstr=str(error), exitstatus=1) from error
        if timed:
            env["FLUID_CLOCK"].end()

    return run


def _python_builder(
    env: Any,
    name: str,
    verb: str | None,
    used: Sequence[str],
    step: Step,
    variables: Sequence[str] = (),
) -> None:
    def emitter(target: list[Any], source: list[Any], env: Any) -> tuple[list[Any], list[Any]]:
        files = [str(path) for path in helpers.closure(*used)]
        env.Depends(target, [env.File(path) for path in (*files, "#requirements.lock")])
        return target, source

    command = f"  {verb or '':<8}$TARGET"
    if env["FLUID_VERBOSE"]:
        command = f"fluid.{used[-1]}: $SOURCES -> $TARGETS"
    action = Action(_action(step, bool(verb)), command if verb else None, varlist=list(variables))
    env.Append(BUILDERS={name: Builder(action=action, emitter=emitter)})


def generate(env: Any) -> None:
    """Adds env.PythonBuilder."""
    env.AddMethod(_python_builder, "PythonBuilder")


def exists(env: Any) -> bool:
    """Needs nothing but Python."""
    return True
