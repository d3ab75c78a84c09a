"""Compiler flags of everything that runs on the bare machine, one response file per unit.

A unit is what is compiled alike: the boot sectors, the kernel, or one variant of one module. Flags
reach the compiler only through these files, so that a change of profile or plan rebuilds exactly
what it changes.
"""

from __future__ import annotations

import shlex
from pathlib import Path

from fluid.cpu import CpuProfile
from fluid.cpufeatures import feature_bits
from fluid.files import write_atomic
from fluid.plan import Decision
from fluid.targets import Target

COMMON = (
    "-std=c17",
    "-ffreestanding",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-fno-pic",
    "-fno-pie",
    "-mno-red-zone",  # interrupts use the stack below the stack pointer
    "-fno-omit-frame-pointer",  # backtraces follow the frame pointers
    "-fno-stack-protector",
    "-fno-asynchronous-unwind-tables",
    "-fno-common",
    "-ffile-compilation-dir=.",  # the same object in whatever folder the tree lies
    "-Wno-unused-command-line-argument",  # the assembler takes the same file
)

BOOT = (
    "--target=i686-unknown-none-elf",  # for every target: stage2 hands over in 32-bit mode
    "-march=i386",  # runs far enough on any processor to say what it lacks
    "-fno-builtin",  # the loops of stage2_lib.c must not become calls of themselves
    "-Os",  # stage2 has to fit below 64 KiB with its stack and buffers
    "-mgeneral-regs-only",
    "-g",
)

KERNEL = ("-O2", "-g", "-mgeneral-regs-only")  # interrupts need not save vector registers

MODULE = (
    "-fvisibility=hidden",  # FLUID_EXPORT marks the entry points
    "-fno-math-errno",
    "-ffp-contract=off",  # variants with FMA would round differently from the oracle
)


def boot_flags() -> list[str]:
    """Flags of stage1 and stage2."""
    return [*BOOT, *COMMON]


def _machine_flags(target: Target, profile: CpuProfile) -> list[str]:
    return [f"--target={target.triple}", *profile.compiler_flags(), *target.code_model]


def kernel_flags(target: Target, profile: CpuProfile, own: CpuProfile) -> list[str]:
    """Flags of the kernel, which is compiled for `profile`, the lowest variant.

    It is told the target's name and, to warn where they are missing, the features of `own`, the
    target's own profile.
    """
    defines = [
        f'-DFLUID_TARGET="{target.tag}"',
        f"-DFLUID_TARGET_FEATURES={feature_bits(own.features):#x}u",
    ]
    return [*_machine_flags(target, profile), *COMMON, *KERNEL, *defines]


def module_flags(target: Target, profile: CpuProfile, decision: Decision) -> list[str]:
    """Flags of one variant of one module as the plan decided it."""
    return [*_machine_flags(target, profile), f"-{decision.level}", *COMMON, *MODULE]


def write_response(flags: list[str], path: Path | str) -> None:
    """Writes a response file, one flag per line, quoted as clang reads it (GNU style)."""
    quoted = [flag.replace("\\", "\\\\").replace('"', '\\"').replace(" ", "\\ ") for flag in flags]
    write_atomic(path, "".join(f"{flag}\n" for flag in quoted).encode())


def read_response(path: Path | str) -> list[str]:
    """The flags of a response file."""
    return shlex.split(Path(path).read_text(encoding="utf-8"))
