"""SCons tool: modules from sources to .mod, and the registry that holds them.

src/modules/... -> objects -> one relocatable object -> modules/<file>.mod -> registry.bin
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fluid import libc_manifest, sources
from fluid.hosted import PGO_BUILDS, output_folder
from fluid.needs import carries_bitcode, wants_libc
from fluid.targets import COUNTED, CXX_INCLUDES, CXX_RUNTIME
from fluid.targets import MODULE_INCLUDES as INCLUDES

_, COUNTERS, TRIAL = PGO_BUILDS
RANGES = "src/modules/coverage"


def _mod_step(target: list[str], source: list[str], env: Any) -> None:
    from fluid import cpu, modfile, sources

    profile = cpu.read_target_profile(source[1], env["FLUID_VARIANT"])
    modfile.build_mod(
        source[0],
        target[0],
        name=env["FLUID_MODULE"],
        target=env["FLUID_VARIANT"],
        features=list(profile.features),
        rank=int(env["FLUID_RANK"]),
        source=sources.digest(Path(env.Dir("#").abspath), env["FLUID_SOURCES"]),
        bitcode=Path(source[2]).read_bytes() if source[2:] else b"",
        code=env["FLUID_CODE"],
    )


def _registry_step(target: list[str], source: list[str], env: Any) -> None:
    from fluid import registry

    registry.build_registry(source, target[0])
    print(f"  {'SIZE':<8}{registry.sizes(registry.unpack(Path(target[0]).read_bytes()))}")


def _with_ranges(env: Any, variant: Any, objects: list[Any], response: Any) -> list[Any]:
    """The objects of an instrumented module, between those that mark where its counters lie."""
    env["RELOCATABLEFLAGS"] = "--force-group-allocation"  # one section of each name
    sources = [f"{RANGES}/{name}" for name in ("begin.S", "ranges.c", "end.S")]
    begin, ranges, end = env.Compile(f"$OBJ/{variant.key}", sources, response, INCLUDES)
    return [begin, *objects, ranges, end]


def _objects(env: Any, variant: Any, response: Any) -> list[Any]:
    """The objects of a module's sources; with any in C++ the runtime's, which has to come last."""
    cxx = [source for source in variant.sources if source.endswith(".cpp")]
    others = [source for source in variant.sources if source not in cxx]
    objects = list(env.Compile(f"$OBJ/{variant.place}", others, response, INCLUDES))
    if cxx:
        named = env.Override({"FLUID_LANGUAGE": "c++"})
        decided = [env["FLUID_PROFILE"], env["FLUID_DECISIONS"][variant.name]]
        (response,) = named.ModuleFlags(f"$OUT/flags/{variant.key}.cxx.rsp", decided)
        objects += env.Compile(f"$OBJ/{variant.place}", cxx, response, CXX_INCLUDES)
        own = f"$OBJ/{variant.place}/{variant.name}"
        objects += env.Compile(own, [CXX_RUNTIME], response, CXX_INCLUDES)
    return objects


def _library(env: Any, unit: str, tag: str, response: Any) -> list[Any]:
    """Objects of llvm-libc, and of ours in its place, that a module takes."""
    supplied = env["FLUID_LIBC_MANIFEST"].supply(unit)
    ours = env.Compile(f"$OBJ/{unit}.{tag}", supplied, response, INCLUDES)
    if env.get("FLUID_COUNTERS"):
        env.Depends(ours, env["FLUID_COUNTERS"])
    return [*env.LibcObjects(unit, tag), *ours]


def _counters(env: Any, variant: Any) -> str | None:
    """File with the branch counters of a module, where the plan may want them."""
    folder = env["FLUID_TARGET"].folder
    if not env["FLUID_PGO"] or env["check"] not in ("none", TRIAL):
        return None
    if variant.category not in COUNTED:
        return None
    return f"build/{output_folder(folder, COUNTERS)}/counters/{variant.name}.profdata"


def _tested(target: str, tag: str) -> bool:
    """Whether tests compile bitcode of this tag."""
    from fluid import jitbuild  # here: other builds do without

    return tag in jitbuild.TESTED.get(target, ())


def _modules(env: Any) -> dict[str, Any]:
    """Node `registry`; `mods`, one per module and variant; `libc`, what any module may link of the
    C library, if it is wanted; `bitcode`, what tests compile."""
    mods, libc = [], []
    bitcode: list[Any] = []
    top = Path(env.Dir("#").abspath)
    counting = env["check"] == COUNTERS
    for variant in env["FLUID_VARIANTS"]:
        named = env.Override(
            {
                "FLUID_MODULE": variant.name,
                "FLUID_VARIANT": variant.tag,
                "FLUID_RANK": str(variant.rank),
                "FLUID_CODE": variant.code,
                "FLUID_LANGUAGE": "c",
                "FLUID_COUNTERS": _counters(env, variant),
                "check": env["check"] if variant.category in COUNTED or not counting else "none",
                "FLUID_SOURCES": sources.of_module(top, variant.sources),
            }
        )
        decided = [env["FLUID_PROFILE"], env["FLUID_DECISIONS"][variant.name]]
        response = named.ModuleFlags(f"$OUT/flags/{variant.key}.rsp", decided)
        objects = _objects(named, variant, response[0])
        if named["FLUID_COUNTERS"]:
            env.Depends(objects, named["FLUID_COUNTERS"])
        if env["check"] == "coverage" or (counting and variant.category in COUNTED):
            objects = _with_ranges(named, variant, objects, response[0])
        linked = named.LinkRelocatable(
            f"$OBJ/{variant.place}/{variant.name}.o",
            objects,
            env["FLUID_TARGET"].builtins,
            _library(named, variant.name, variant.tag, response[0])
            if variant.name in libc_manifest.UNITS
            else [],
        )
        if variant.name in libc_manifest.UNITS and wants_libc(env["FLUID_GOALS"]):
            objects = _library(named, "modules", variant.tag, response[0])
            libc = [named.LinkRelocatable("$OUT/libc.o", objects, env["FLUID_TARGET"].builtins)]
        own = named.ModuleBitcode(variant, response[0])
        carried = own if carries_bitcode(env["jit"], env["FLUID_GOALS"], env["compile"]) else []
        mods += named.Mod(f"$OUT/modules/{variant.file}", [linked, env["FLUID_PROFILE"], *carried])
        bitcode += own if own and _tested(env["FLUID_TAG"], variant.tag) else []
        env.Depends(mods[-1], list(named["FLUID_SOURCES"]))  # also what the compiler passes over
    (registry,) = env.Registry("$OUT/registry.bin", mods)
    return {"mods": mods, "registry": registry, "libc": libc, "bitcode": bitcode}


def generate(env: Any) -> None:
    """Adds env.FluidModules."""
    env.PythonBuilder(
        "Mod",
        "MOD",
        ["cpu", "modfile", "sources"],
        _mod_step,
        ["FLUID_MODULE", "FLUID_VARIANT", "FLUID_RANK", "FLUID_CODE"],
    )
    env.PythonBuilder("Registry", "REG", ["registry"], _registry_step)
    env.AddMethod(_modules, "FluidModules")


def exists(env: Any) -> bool:
    """Needs nothing but Python; see fluid_toolchain for the compiler."""
    return True
