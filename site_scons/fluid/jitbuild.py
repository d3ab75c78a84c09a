"""How jit.elf, the compiler that runs on the machine, and the bitcode for it are built.

It is an ordinary static program of Linux on x86-64 with LLVM's X86 back end in it, the same for all
targets; its sources are src/jit.

E-JIT-32 what it is linked with is not installed.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fluid.errors import FluidError
from fluid.flags import write_response
from fluid.jit import PROGRAM

FOLDER = str(Path(PROGRAM).parent)
SOURCES = "src/jit"
INCLUDES = ("src/include",)
PACKAGES = "llvm-19-dev zlib1g-dev libzstd-dev"  # Debian's names, as in sconsw
CONFIG = "llvm-config-19"
COMPONENTS = ("x86codegen", "x86asmparser", "bitreader", "passes")
ARCHIVES = ("libz.a", "libzstd.a")  # that LLVM's own code refers to
HEADER = "llvm/IR/Module.h"
TRIPLE = "x86_64-linux-gnu"

COMPILE = (
    f"--target={TRIPLE}",
    "-std=c++17",
    *("-Wall", "-Wextra", "-Werror"),
    "-O2",
    "-fPIE",
    "-fno-exceptions",  # as LLVM is compiled
    "-fno-rtti",
    *("-ffunction-sections", "-fdata-sections"),
    "-ffile-compilation-dir=.",
    *("-D_GNU_SOURCE", "-D__STDC_CONSTANT_MACROS", "-D__STDC_FORMAT_MACROS"),
    "-D__STDC_LIMIT_MACROS",
)
LINK = (
    f"--target={TRIPLE}",
    "--driver-mode=g++",
    "-static-pie",  # the machine puts it where its own identity map does not reach
    "-Wl,--pack-dyn-relocs=relr",  # 1.6 MB less
    "-fuse-ld=lld",
    "-Wl,--gc-sections",
    "-Wl,--icf=all",
    "-Wl,--build-id=sha1",  # of its content: entries of the cache tell compilers apart by it
    "-Wl,--fatal-warnings",
    "-s",
)

# Tags whose bitcode the tests compile, by target.
TESTED = {"x86-64-v2": ("x86-64-v2", "x86-64-v3"), "i686": ("i686",)}


@dataclass(frozen=True)
class Llvm:
    """LLVM's static libraries."""

    version: str
    headers: str  # folder
    libraries: tuple[str, ...]  # arguments of the linker, in order


def _config(*arguments: str) -> list[str]:
    done = subprocess.run([CONFIG, *arguments], capture_output=True, text=True)
    return done.stdout.split()


def missing(compiler: str) -> list[str]:
    """What jit.elf needs and is not installed."""
    if not shutil.which(CONFIG):
        return [CONFIG]
    (headers,), (folder,) = _config("--includedir"), _config("--libdir")
    needed = [Path(headers) / HEADER, Path(folder) / "libLLVMX86CodeGen.a"]
    found = [str(path) for path in needed if not path.is_file()]
    for archive in ARCHIVES:
        query = [compiler, f"--target={TRIPLE}", f"-print-file-name={archive}"]
        answer = subprocess.run(query, capture_output=True, text=True, check=False).stdout.strip()
        found += [] if Path(answer).is_absolute() else [archive]
    return found


def find_llvm() -> Llvm:
    """To be asked when nothing is missing."""
    (version,), (headers,), (folder,) = map(_config, ("--version", "--includedir", "--libdir"))
    names = _config("--link-static", "--libs", *COMPONENTS)
    return Llvm(version, headers, (f"-L{folder}", *names, "-lz", "-lzstd"))


def refuse(absent: Sequence[str]) -> None:
    """Raises E-JIT-32."""
    raise FluidError(
        "E-JIT-32",
        f"LLVM 19's static libraries were expected for jit.elf, found no {', no '.join(absent)}; "
        f"install them (Debian: {PACKAGES}) or build without jit=1",
    )


def sources(top: Path) -> list[str]:
    """The program's files, relative to `top`, in a fixed order."""
    return [path.relative_to(top).as_posix() for path in sorted((top / SOURCES).glob("*.cpp"))]


def write_flags(headers: str, path: str) -> None:
    """The response file of the compiler. LLVM's headers are not ours to mend."""
    write_response([*COMPILE, "-isystem", headers], path)


def write_link_flags(path: str) -> None:
    """The response file of the linker."""
    write_response(list(LINK), path)


def bitcode_flags(module_flags: Sequence[str]) -> list[str]:
    """From flags of a module's variant to those of its bitcode: simplified as far as that goes by
    the code alone, which spares the machine half of the time. What depends on the processor or on
    values that become known (vectors, unrolled loops) is left to the machine."""
    others = [flag for flag in module_flags if not flag.startswith("-O")]
    return [*others, "-O2", "-emit-llvm", "-flto=thin"]
