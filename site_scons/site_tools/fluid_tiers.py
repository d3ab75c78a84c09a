"""SCons tool: bench tiers=1, one model in images with other code, in turns.

Modules are those of the image, which has all variants, bitcode and compiler:

$OUT/tiers/base.img       the lowest variants alone, no compiler
$OUT/tiers/variants.img   all variants, no compiler
$OUT/tiers/base-jit.img   the lowest variants, of the others bitcode; compiler
$OUT/fluid.img            all variants, compiler
$OUT/tiers/native.img     what ./sconsw target=native pgo=1 has made, if it has
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fluid import sources
from fluid.emulator import HOST
from fluid.hosted import PROGRAM
from fluid.targets import NATIVE

FOLDER = "$OUT/tiers"
BUILT = f"build/{NATIVE}"


def _compare(target: Any, source: Any, env: Any) -> int:
    """source: model, fluid-host, and the images base, variants, base-jit, variants-jit, and native
    where that is built."""
    from fluid.options import processors
    from fluid.tier_bench import bench_tiers, subjects_of

    model, host, *images = [Path(node.abspath) for node in source]
    return bench_tiers(
        subjects_of(images, host, Path(env.File(f"#{BUILT}/{PROGRAM}").abspath)),
        Path(env.Dir("$OUT").abspath),
        model,
        target=env["FLUID_TARGET"].emulated,
        tag=env["FLUID_TAG"],
        threads=processors(env["smp"], HOST, "tiers"),
    )


def _native(env: Any) -> list[Any]:
    """An image with the boot area of the native build, as it was built last."""
    built = Path(env.Dir(f"#{BUILT}").abspath)
    there = (built / PROGRAM).is_file() and (built / "boot.bin").is_file()
    if not there or env["FLUID_TARGET"].folder == NATIVE:
        return []
    parts = [f"#{BUILT}/boot.bin", f"{FOLDER}/fat.img"]
    return list(env.DiskImage(f"{FOLDER}/native.img", parts))


def _without_code(env: Any, variant: Any, mod: Any) -> Any:
    """The .mod of a variant with its bitcode alone."""
    named = env.Override(
        {
            "FLUID_MODULE": variant.name,
            "FLUID_VARIANT": variant.tag,
            "FLUID_RANK": str(variant.rank),
            "FLUID_CODE": False,
            "FLUID_SOURCES": sources.of_module(Path(env.Dir("#").abspath), variant.sources),
        }
    )
    made = named.Mod(f"{FOLDER}/{variant.file}", mod.sources)
    env.Depends(made, list(named["FLUID_SOURCES"]))
    return made


def _boot_with(env: Any, boot: Any, name: str, mods: list[Any]) -> Any:
    """The boot area with these modules instead."""
    registry = env.Registry(f"{FOLDER}/{name}-registry.bin", mods)
    return env.BootArea(f"{FOLDER}/{name}-boot.bin", [*boot.sources[:-1], *registry])[0]


def _tiers(env: Any, alias: str, image: Any, host: list[Any], boot: Any) -> Any:
    """The alias; `image` is the one with everything, `boot` its boot area."""
    if env["FLUID_MODEL"] is None:
        return env.AlwaysBuild(env.Alias(alias, image))  # which says what is missing
    model = env.File(str(env["FLUID_MODEL"]).replace("$", "$$"))
    lowest = env["FLUID_TARGET"].variants[0]
    pairs = list(zip(env["FLUID_VARIANTS"], boot.sources[-1].sources, strict=True))
    base = [mod for variant, mod in pairs if variant.tag == lowest]
    bare = [mod if v.tag == lowest else _without_code(env, v, mod) for v, mod in pairs]
    plain = env.Override({"jit": "0"})
    first = plain.FluidImageWith(
        _boot_with(env, boot, "base", base), model, f"{FOLDER}/fat.img", f"{FOLDER}/base.img"
    )
    others = {"variants": (boot, f"{FOLDER}/fat.img"), "base-jit": (None, "$OUT/fat.img")}
    made = [first]
    for name, (area, partition) in others.items():
        area = area or _boot_with(env, boot, name, bare)
        made += env.DiskImage(f"{FOLDER}/{name}.img", [area, partition])
    native = _native(env)
    env.FluidNotShared(made + native)
    action = env.Action(_compare, "  TIERS   $OUT/tiers-host.json")
    return env.AlwaysBuild(env.Alias(alias, [model, host[0], *made, image, *native], action))


def generate(env: Any) -> None:
    """Adds env.FluidTiers."""
    env.AddMethod(_tiers, "FluidTiers")


def exists(env: Any) -> bool:
    """Needs nothing but what the image does."""
    return True
