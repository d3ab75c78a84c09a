"""Compiler flags of what runs on the bare machine or as fluid-host, one response file per unit.

A unit is what is compiled alike: the boot sectors, the kernel, fluid-host, or one variant of one
module. Flags
reach the compiler only through these files, so that a change of profile or plan rebuilds exactly
what it changes.
"""

from __future__ import annotations

import shlex
from pathlib import Path

from fluid.cpu import CpuProfile
from fluid.cpufeatures import feature_bits
from fluid.files import write_atomic
from fluid.hosted import IN_PROCESS, LEVEL_BUILDS
from fluid.plan import Decision
from fluid.targets import Target

C = ("-std=c17", "-Wall", "-Wextra", "-Werror")

CODE = (
    "-fno-pic",
    "-fno-pie",
    "-fno-omit-frame-pointer",  # backtraces follow the frame pointers
    "-fno-stack-protector",
    "-fno-asynchronous-unwind-tables",
    "-fno-common",
    "-ffile-compilation-dir=.",  # the same object in whatever folder the tree lies
    "-Wno-unused-command-line-argument",  # the assembler takes the same file
)

CXX = (
    "-std=c++17",
    *("-Wall", "-Wextra", "-Werror"),
    "-fno-exceptions",
    "-fno-rtti",
    "-fno-threadsafe-statics",
    "-fuse-cxa-atexit",  # src/modules/cxx/runtime.cpp
    "-fvisibility-global-new-delete=force-hidden",  # each module has its own
    "-nostdinc++",
)

COMMON = (*C, *CODE)

STACK_PROTECTOR = (  # behind CODE, which leaves it out
    "-fstack-protector-strong",
    "-mstack-protector-guard=global",  # arch/x86/stack_protector.c
)

BARE = (  # whatever runs without an operating system
    "-ffreestanding",
    "-mno-red-zone",  # interrupts use the stack below the stack pointer
)

BOOT = (
    "--target=i686-unknown-none-elf",  # for every target: stage2 hands over in 32-bit mode
    "-march=i386",  # runs far enough on any processor to say what it lacks
    "-fno-builtin",  # the loops of stage2_lib.c must not become calls of themselves
    "-Os",  # stage2 has to fit below 64 KiB with its stack and buffers
    "-mgeneral-regs-only",
    "-g",
)

KERNEL = (
    "-O2",
    "-g",
    "-mgeneral-regs-only",  # interrupts need not save vector registers
    *STACK_PROTECTOR,
)

HOST = (
    "-D_GNU_SOURCE",
    "-O2",
    "-g",
    *STACK_PROTECTOR,
    "-fvisibility=hidden",  # no function of ours takes the place of one of libc's
)

# Linux's ABI has the stack aligned to 16, that of bare i386, which modules are compiled for, to 4.
REALIGN = ("-mstackrealign",)

HOST_LINK = (
    "-no-pie",  # modules reach the kernel API with 32-bit addresses
    "-fuse-ld=lld",
    "-Wl,-z,now",  # no lazy binding on the small stack
    "-Wl,--build-id=none",
    "-Wl,--fatal-warnings",
    # What kernel.ld defines on the bare machine (arch/x86/sections.h).
    "-Wl,--defsym=kernel_start=__executable_start",
    "-Wl,--defsym=kernel_end=_end",
    "-Wl,--defsym=kernel_bss_start=__bss_start",
    "-Wl,--defsym=kernel_bss_end=_end",
)

# What check= adds to fluid-host and to its modules; `coverage` and `undefined` to the kernel, too.
# In modules the kernel's loader runs the constructors and resolves the sanitizers' functions out of
# the process.
CHECK: dict[str, tuple[str, ...]] = {
    "none": (),
    "address": (
        "-fsanitize=address,undefined",
        "-fno-sanitize-recover=all",  # undefined behaviour ends the process, as ASan's findings do
        "-fsanitize-address-use-after-return=never",
        "-fno-sanitize-address-globals-dead-stripping",  # no linker gives a module __start_ symbols
        "-fsanitize-address-destructor=none",  # nothing of it is left to take down
    ),
    "coverage": (
        "-fprofile-instr-generate",
        "-fcoverage-mapping",
        "-Wno-unused-command-line-argument",  # the linker has no use for the next
        *("-mllvm", "-disable-vp"),  # lines are counted, not the values of calls
    ),
    "base": (),  # hosted.PGO_BUILDS
    "counters": (
        "-fprofile-instr-generate",
        *("-mllvm", "-disable-vp"),
    ),
    "trial": (),
    **dict.fromkeys(LEVEL_BUILDS, ()),
    "undefined": (
        "-fsanitize=undefined",
        "-fsanitize-trap=undefined",  # an invalid opcode: the report of an exception, no library
        "-fno-sanitize=function",  # it puts data in front of functions
    ),
}
CHECK_LINK: dict[str, tuple[str, ...]] = {
    "none": (),
    "address": ("-Wl,--wrap=kapi_resolve",),  # arch/hosted/address/
    "coverage": (  # arch/hosted/coverage/
        "-Wl,--wrap=fluid_coverage_add",
        "-Wl,--wrap=counters_forget",
    ),
    "undefined": (),
}

MODULE = (
    "-fvisibility=hidden",  # FLUID_EXPORT marks the entry points
    "-fno-math-errno",
    "-ffp-contract=off",  # variants with FMA would round differently from the oracle
)

PROFILE_USE = (
    "-Wno-profile-instr-unprofiled",  # a function that the training does not call
    "-Wno-profile-instr-out-of-date",  # code that the sources leave out with counters
)

# llvm-libc's sources. They are not ours to mend: its warnings are its own.
LIBC = (
    "-std=c++17",
    "-w",
    "-O2",
    "-fno-builtin",  # its memset must not become a call of itself
    "-funsigned-char",  # strcmp, strncmp and memmem subtract chars, where C wants unsigned ones
    "-fno-math-errno",  # or __builtin_fma and __builtin_sqrt are calls, with FMA and SSE2, too
    "-fno-exceptions",
    "-fno-rtti",
    "-fno-threadsafe-statics",
    "-fvisibility=hidden",
    "-nostdlibinc",
    "-nostdinc++",
    "-mlong-double-64",  # what it takes for long double; nothing of ours has one
    "-ffp-contract=off",  # it fuses where it means to
    "-include",
    "src/llvmlibc_subset/config.h",
)


def boot_flags() -> list[str]:
    """Flags of stage1 and stage2."""
    return [*BOOT, *COMMON, *BARE]


def _machine_flags(triple: str, target: Target, profile: CpuProfile) -> list[str]:
    return [f"--target={triple}", *profile.compiler_flags(), *target.code_model]


def target_defines(target: Target, base: CpuProfile, own: CpuProfile) -> list[str]:
    """What one file of the kernel is told: the target's name and the features of its profile and
    of the kernel's code, which is compiled for `base`."""
    target_bits, kernel_bits = (f"{feature_bits(p.features):#x}u" for p in (own, base))
    return [
        f'-DFLUID_TARGET="{target.tag}"',
        f"-DFLUID_TARGET_FEATURES={target_bits}",
        f"-DFLUID_KERNEL_FEATURES={kernel_bits}",
    ]


def kernel_flags(target: Target, base: CpuProfile, check: str = "none") -> list[str]:
    """Flags of the kernel, compiled for `base`, the profile of target.base."""
    checks = CHECK[check] if check not in IN_PROCESS else ()
    return [*_machine_flags(target.triple, target, base), *COMMON, *BARE, *KERNEL, *checks]


def host_flags(target: Target, lowest: CpuProfile, check: str) -> list[str]:
    """Flags of the kernel's sources as a Linux process, instrumented for `check`. Compiled for
    `lowest`, so that it can say what is missing; it spends no time of its own."""
    machine = _machine_flags(target.host_triple, target, lowest)
    aligned = REALIGN if target.arch == "i686" else ()
    return [*machine, *COMMON, *HOST, *aligned, *CHECK[check]]


def host_link_flags(target: Target, check: str) -> list[str]:
    """Flags that link fluid-host."""
    return [f"--target={target.host_triple}", *HOST_LINK, *CHECK[check], *CHECK_LINK[check]]


def module_flags(
    target: Target,
    profile: CpuProfile,
    decision: Decision,
    check: str = "none",
    language: tuple[str, ...] = C,
    counters: str | None = None,
) -> list[str]:
    """Flags of one variant of one module as the plan decided it, instrumented for `check`; of its
    sources in C++ when `language` is CXX. counters: file with the module's profile, which is read
    when the decision says so."""
    triple = target.host_triple if check in IN_PROCESS else target.triple
    machine = _machine_flags(triple, target, profile)
    use = (f"-fprofile-instr-use={counters}", *PROFILE_USE) if decision.profile else ()
    return [*machine, f"-{decision.level}", *language, *CODE, *BARE, *MODULE, *CHECK[check], *use]


def libc_flags(target: Target, profile: CpuProfile, *, vectors: bool) -> list[str]:
    """Flags of llvm-libc for `profile`; without `vectors` for the kernel, which has none."""
    machine = _machine_flags(target.triple, target, profile)
    general = [] if vectors else ["-mgeneral-regs-only"]
    return [*machine, *CODE, *BARE, *LIBC, *general]


def write_response(flags: list[str], path: Path | str) -> None:
    """Writes a response file, one flag per line, quoted as clang reads it (GNU style)."""
    quoted = [flag.replace("\\", "\\\\").replace('"', '\\"').replace(" ", "\\ ") for flag in flags]
    write_atomic(path, "".join(f"{flag}\n" for flag in quoted).encode())


def read_response(path: Path | str) -> list[str]:
    """The flags of a response file."""
    return shlex.split(Path(path).read_text(encoding="utf-8"))
