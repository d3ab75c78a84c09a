"""SCons tool: the kernel as ELF, as the flat binary that stage2 loads, and its symbol table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fluid import targets

INCLUDES = ("src/include", "src/kernel", "src/llvmlibc_subset", "src/llvmlibc_subset/include")


def _flat_kernel_step(target: list[str], source: list[str], env: Any) -> None:
    from fluid import bootarea, codetext

    codetext.check_kernel(source[0])
    bootarea.build_flat_kernel(source[0], target[0])


def _ksyms_step(target: list[str], source: list[str], env: Any) -> None:
    from fluid import ksyms

    ksyms.build_ksyms(source[0], target[0])


def _kernel(env: Any) -> dict[str, Any]:
    """Nodes `elf`, `flat` and `ksyms`."""
    machine = env["FLUID_TARGET"]
    sources = targets.kernel_sources(machine, Path(env.Dir("#").abspath))
    response = env.KernelFlags("$OUT/flags/kernel.rsp", env["FLUID_PROFILE"])
    objects = env.CompileKernel("$OBJ", sources, response[0], INCLUDES)
    supplied = env.Compile(
        "$OBJ", env["FLUID_LIBC_MANIFEST"].supply("kernel"), response[0], INCLUDES
    )
    elf = env.LinkElf(
        "$OUT/kernel.elf",
        objects,
        "src/kernel/arch/x86/kernel.ld",
        machine.builtins,
        "-z max-page-size=4096",
        [*env.LibcObjects("kernel", machine.base), *supplied],
    )
    (flat,) = env.FlatKernel("$OUT/kernel.bin", elf)
    (ksyms,) = env.KernelSymbols("$OUT/ksyms.bin", elf)
    return {"elf": elf, "flat": flat, "ksyms": ksyms}


def generate(env: Any) -> None:
    """Adds env.FluidKernel."""
    env.PythonBuilder("FlatKernel", "FLAT", ["codetext", "bootarea"], _flat_kernel_step)
    env.PythonBuilder("KernelSymbols", "KSYMS", ["ksyms"], _ksyms_step)
    env.AddMethod(_kernel, "FluidKernel")


def exists(env: Any) -> bool:
    """Needs nothing but Python; see fluid_toolchain for the compiler."""
    return True
