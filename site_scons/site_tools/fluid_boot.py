"""SCons tool: the boot sectors, and the boot area of the disk with everything that they load."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fluid import targets

INCLUDES = ("src/include", "src/boot")


def _boot_area_step(target: list[str], source: list[str], env: Any) -> None:
    from fluid import bootarea, codetext

    stage1_elf, stage2_elf, stage1, stage2, elf, flat, ksyms, registry = source
    codetext.check_stages(stage1_elf, stage2_elf)
    tools = env["FLUID_TOOLS"]
    bootarea.build_boot_area(stage1, stage2, elf, flat, ksyms, registry, target[0], toolchain=tools)


def _boot(env: Any, kernel: dict[str, Any], registry: Any) -> Any:
    """boot.bin: stage1, manifest, stage2, kernel, symbols, registry."""
    top = Path(env.Dir("#").abspath)
    response = env.BootFlags("$OUT/flags/boot.rsp", [])
    elves, stages = [], []
    for stage in ("stage1", "stage2"):
        sources = targets.boot_sources(stage, top)
        objects = env.Compile("$OBJ", sources, response[0], INCLUDES)
        elf = env.LinkElf(f"$OBJ/boot/{stage}.elf", objects, f"src/boot/{stage}.ld", "i386")
        elves.append(elf)
        stages.append(env.FlatBinary(f"$OUT/{stage}.bin", elf))
    parts = [*elves, *stages, kernel["elf"], kernel["flat"], kernel["ksyms"], registry]
    return env.BootArea("$OUT/boot.bin", parts)[0]


def generate(env: Any) -> None:
    """Adds env.FluidBoot."""
    env.PythonBuilder(
        "BootArea", "BOOT", ["codetext", "bootarea"], _boot_area_step, ["FLUID_TOOLS"]
    )
    env.AddMethod(_boot, "FluidBoot")


def exists(env: Any) -> bool:
    """Needs nothing but Python; see fluid_toolchain for the compiler."""
    return True
