"""SCons tool: builders whose work is done by plain Python in site_scons/fluid/.

env.PythonBuilder(name, verb, helpers, step, variables) registers the builder `name`; with the verb
None it says nothing. `step` gets target and source paths and the environment, and imports its
`helpers` from fluid itself, so that a null build loads none of them. Every node depends on the
files of these helpers and all that they import, on the versions of all Python packages, on what
`step` uses of its own module, and on the values of `variables`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import CodeType, FunctionType
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


def _contents(code: CodeType) -> str:
    """What a function does: its instructions, names and constants."""
    values = [
        _contents(value)
        if isinstance(value, CodeType)
        else repr(sorted(value) if isinstance(value, frozenset) else value)
        for value in code.co_consts
    ]
    return f"{code.co_code.hex()} {code.co_names} {values}"


def _names(code: CodeType) -> list[str]:
    """All that a function looks up by name; so may what is defined in it."""
    inner = (value for value in code.co_consts if isinstance(value, CodeType))
    return [*code.co_names, *(name for one in inner for name in _names(one))]


def _uses(step: Any, seen: frozenset[str] = frozenset()) -> list[str]:
    """A step, and the constants and functions of its module that it uses. To SCons, which compares
    actions, two constants of a type are equal unless they are strings or numbers, and those of the
    module are but names."""
    found = [_contents(step.__code__)]
    seen |= {step.__name__}
    for name in _names(step.__code__):
        value = step.__globals__.get(name)
        if isinstance(value, str | int | tuple | dict):
            found.append(f"{name} = {value!r}")
        elif isinstance(value, FunctionType) and value.__module__ == step.__module__:
            found += [name, *(_uses(value, seen) if name not in seen else ())]
    return found


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
    env[f"FLUID_STEP_{name}"] = _uses(step)
    compared = [*variables, f"FLUID_STEP_{name}"]
    action = Action(_action(step, bool(verb)), command if verb else None, varlist=compared)
    env.Append(BUILDERS={name: Builder(action=action, emitter=emitter)})


def generate(env: Any) -> None:
    """Adds env.PythonBuilder."""
    env.AddMethod(_python_builder, "PythonBuilder")


def exists(env: Any) -> bool:
    """Needs nothing but Python."""
    return True
