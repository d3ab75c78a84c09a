"""Makes .mod files from C as the build does, for tests of the loader and of the writers."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from fluid import flags as build_flags
from fluid import modfile

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = [ROOT / "tests/host/sample/sample.c", ROOT / "tests/host/sample/other.c"]
FLAGS = [
    *("-std=c17", "-ffreestanding", "-O2", "-Wall", "-Wextra", "-Werror", "-fno-pic", "-fno-pie"),
    *("-mno-red-zone", "-fno-omit-frame-pointer", "-fno-stack-protector", "-fno-common"),
    *("-fno-asynchronous-unwind-tables", "-fvisibility=hidden", "-fno-math-errno"),
    *(f"-I{ROOT / 'src/include'}", f"-I{ROOT / 'tests/host'}"),
]
CXX_RUNTIME = ROOT / "src/modules/cxx/runtime.cpp"  # the last of a module's sources
CXX = [*build_flags.CXX, "-isystem", str(ROOT / "src/modules/cxx/include")]
ARCH = {"i686": "elf_i386", "x86_64": "elf_x86_64"}


def compile_object(
    sources: Sequence[Path],
    out: Path,
    *,
    arch: str = "x86_64",
    flags: Sequence[str] = (),
    library: Sequence[str] = (),
) -> Path:
    """One relocatable object of all sources and what they need of the objects of `library` and the
    compiler's integer helpers."""
    objects = []
    target = f"--target={arch}-unknown-none-elf"
    for source in sources:
        objects.append(out.with_name(f"{out.stem}.{source.stem}.o"))
        language = CXX if source.suffix == ".cpp" else []
        command = [
            "clang-19",
            target,
            *FLAGS,
            *language,
            *flags,
            "-c",
            str(source),
            "-o",
            str(objects[-1]),
        ]
        subprocess.run(command, check=True, timeout=60)
    query = ["clang-19", f"--target={arch}-linux-gnu", "-rtlib=compiler-rt"]
    builtins = subprocess.run(
        [*query, "--print-libgcc-file-name"], check=True, capture_output=True, text=True
    ).stdout.strip()
    link = ["ld.lld-19", "-r", "-m", ARCH[arch], "--start-lib", *library, "--end-lib"]
    link += [*map(str, objects), builtins, "-o", str(out)]
    subprocess.run(link, check=True, timeout=60)
    return out


def make_mod(
    out: Path,
    sources: Sequence[Path] = SAMPLE,
    *,
    arch: str = "x86_64",
    flags: Sequence[str] = (),
    library: Sequence[str] = (),
    name: str = "sample",
    target: str = "x86-64",
    features: Sequence[str] = ("sse", "sse2"),
    rank: int = 0,
) -> Path:
    """A .mod at `out`, made the way an image's modules are."""
    obj = compile_object(sources, out.with_suffix(".o"), arch=arch, flags=flags, library=library)
    modfile.build_mod(obj, out, name=name, target=target, features=list(features), rank=rank)
    return out
