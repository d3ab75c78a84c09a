"""SCons tool: jit.elf, the compiler that runs on the machine, and the bitcode that it compiles.

src/jit -> build/jit/jit.elf; src/modules/tensor -> modules/<variant>.bc
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from SCons.Action import Action

from fluid.needs import asks_for_jit, wants_bitcode, wants_jit
from fluid.targets import MODULE_INCLUDES, ModuleVariant


def _no_jit_step(target: list[str], source: list[str], env: Any) -> None:
    from fluid import jitbuild

    jitbuild.refuse(env["JIT_MISSING"])


def _flags_step(target: list[str], source: list[str], env: Any) -> None:
    from fluid import jitbuild

    jitbuild.write_flags(env["JIT_HEADERS"], target[0])


def _link_flags_step(target: list[str], source: list[str], env: Any) -> None:
    from fluid import jitbuild

    jitbuild.write_link_flags(target[0])


def _bitcode_flags_step(target: list[str], source: list[str], env: Any) -> None:
    from fluid import flags, jitbuild

    flags.write_response(jitbuild.bitcode_flags(flags.read_response(source[0])), target[0])


def _jit(env: Any) -> list[Any]:
    """Node jit.elf where it is wanted; else none. Tests say themselves that it is not there."""
    asked = (env["jit"], env["FLUID_GOALS"], env["compile"])
    if not wants_jit(*asked):
        return []
    from fluid import jitbuild  # here: other builds do without
    from fluid.jit import PROGRAM

    absent = jitbuild.missing(env["CC"])
    if absent:
        named = asks_for_jit(*asked)
        return list(env.NoJit(PROGRAM, [], JIT_MISSING=absent)) if named else []
    llvm = jitbuild.find_llvm()
    own = env.Clone(
        tools=[],
        FLUID_UNITS=[],
        FLUID_TOOLCHAIN=env.Value(f"{env['FLUID_TOOLS']}; LLVM {llvm.version}"),
        JIT_HEADERS=llvm.headers,
        JIT_LIBRARIES=list(llvm.libraries),
    )
    folder = jitbuild.FOLDER
    (response,) = own.JitFlags(f"{folder}/flags/jit.rsp", [])
    sources = jitbuild.sources(Path(env.Dir("#").abspath))
    objects = own.Compile(f"{folder}/obj", sources, response, jitbuild.INCLUDES)
    (link,) = own.JitLinkFlags(f"{folder}/flags/jit-link.rsp", [])
    action = Action("$JITCOM", "$JITCOMSTR")
    program = own.Command(PROGRAM, objects, action, LINKFLAGSFILE=link)
    own.Depends(program, [link, own["FLUID_TOOLCHAIN"]])
    return list(program)


def _bitcode(env: Any, variant: ModuleVariant, response: Any) -> list[Any]:
    """Node with the bitcode of a variant of a module whose calls are made again here, made as its
    object is, where it is wanted; else none. `response` has the flags of the object."""
    plain = env["check"] not in ("address", "coverage", "undefined")
    wanted = wants_bitcode(env["jit"], env["FLUID_GOALS"], env["compile"])
    compiles = variant.category in ("tensor", "bench") and not variant.is_cxx
    if not compiles or not plain or not wanted:
        return []
    (flags,) = env.BitcodeFlags(f"$OUT/flags/{variant.key}.bc.rsp", response)
    node = env.StaticObject(
        f"$OUT/modules/{Path(variant.file).with_suffix('.bc')}",
        list(variant.sources),
        RESPONSE=flags,
        CPPPATH=[f"#{folder}" for folder in MODULE_INCLUDES],
    )
    env.Depends(node, [flags, env["FLUID_TOOLCHAIN"]])
    return list(node)


def _print_times(target: Any, source: Any, env: Any) -> None:
    """The alias jit-times."""
    from fluid import cpu, jit_times
    from fluid.progress import show_progress

    program, profile, *files = (Path(str(node)) for node in source)
    found = cpu.read_target_profile(profile, env["FLUID_TAG"])
    pairs = zip(files[::2], files[1::2], strict=True)
    rows = jit_times.measure(program, jit_times.requests_of(pairs, found), show_progress)
    print(f"\n{jit_times.table(rows)}")


def _times(env: Any, alias: str, jit: list[Any]) -> None:
    """Alias that measures the modules of the target's own tag, where it is asked for."""
    if alias not in env["FLUID_GOALS"]:
        return
    tag = env["FLUID_TAG"]
    names = [v.name for v in env["FLUID_VARIANTS"] if v.category == "tensor" and v.tag == tag]
    files = [f"$OUT/modules/{name}.{kind}" for name in names for kind in ("mod", "bc")]
    action = Action(_print_times, "  TIMES   $SOURCE")
    env.AlwaysBuild(env.Alias(alias, [*jit, env["FLUID_PROFILE"], *map(env.File, files)], action))


def generate(env: Any) -> None:
    """Adds env.FluidJit, env.ModuleBitcode and env.FluidJitTimes."""
    env["JITCOM"] = "$CC @$LINKFLAGSFILE -o $TARGET $SOURCES $JIT_LIBRARIES"
    env["JITCOMSTR"] = "" if env["FLUID_VERBOSE"] else "  LINK    $TARGET"
    env.PythonBuilder("NoJit", "LINK", ["jitbuild"], _no_jit_step, ["JIT_MISSING"])
    env.PythonBuilder("JitFlags", "FLAGS", ["jitbuild"], _flags_step, ["JIT_HEADERS"])
    env.PythonBuilder("JitLinkFlags", "FLAGS", ["jitbuild"], _link_flags_step)
    env.PythonBuilder("BitcodeFlags", "FLAGS", ["flags", "jitbuild"], _bitcode_flags_step)
    env.AddMethod(_jit, "FluidJit")
    env.AddMethod(_bitcode, "ModuleBitcode")
    env.AddMethod(_times, "FluidJitTimes")


def exists(env: Any) -> bool:
    """Whether LLVM's libraries are installed is asked when they are wanted."""
    return True
