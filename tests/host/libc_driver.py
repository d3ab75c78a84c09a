"""The image's C library in a Linux process: links libc_host with the objects that the build made
for a target, under names of their own."""

from __future__ import annotations

import functools
import hashlib
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fluid import libc_manifest
from fluid.hosted import can_link
from fluid.targets import TARGETS
from host_features import lacking
from hostcc import CC, ROOT, WARNINGS, compiler_version
from qemu_images import BUILD, artifact

HOST = Path(__file__).parent
SOURCES = sorted(HOST.glob("libc_host*.c"))
HEADERS = [*sorted(HOST.glob("libc_*.h")), ROOT / "src/llvmlibc_subset/printf/format.h"]
MANIFEST = libc_manifest.load(ROOT / libc_manifest.MANIFEST)

Array = NDArray[Any]


def unfit(target: str) -> str:
    """Why the target's code cannot run here; "" when it can."""
    machine = TARGETS[target]
    missing = lacking(target)
    if missing:
        return f"this machine cannot run {target} code: no {' '.join(missing)}"
    return "" if can_link(CC, machine.host_triple) else f"no C library for {target} here"


def library(target: str, unit: str) -> list[str]:
    """The objects that the build has made of the unit's library, "kernel" or "modules"."""
    if unit == "modules":
        return [str(artifact(target, "libc.o"))]
    folder = BUILD / target / "obj"
    theirs = [folder / f"llvm-libc/kernel.{target}/src/{s}.o" for s in MANIFEST.sources(unit)]
    theirs.append(folder / f"llvm-libc/kernel.{target}/printf/format.o")
    ours = [folder / f"{Path(s).relative_to('src')}.o" for s in MANIFEST.supply(unit)]
    return [str(path) for path in (*theirs, *ours)]


def _builtins(triple: str) -> str:
    query = [CC, f"--target={triple}", "-rtlib=compiler-rt", "-print-libgcc-file-name"]
    return subprocess.run(query, check=True, capture_output=True, text=True).stdout.strip()


@functools.cache
def program(target: str, unit: str) -> Path:
    """libc_host with the library of `unit` ("kernel" or "modules"); skips where it cannot run."""
    if unfit(target):
        pytest.skip(unfit(target))
    triple = TARGETS[target].host_triple
    objects = library(target, unit)
    flags = [f"--target={triple}", "-std=c17", "-D_GNU_SOURCE", "-O1", "-g", *WARNINGS, "-no-pie"]
    flags += ["-fno-builtin", "-fsanitize=undefined", "-fno-sanitize-recover=all", "-fuse-ld=lld"]
    flags += ["-Isrc/llvmlibc_subset", *(["-DKERNEL_UNIT"] if unit == "kernel" else [])]
    state = hashlib.sha256(repr([compiler_version(), flags, objects]).encode())
    for path in [*map(Path, objects), *SOURCES, *HEADERS]:
        state.update(path.read_bytes())
    out = ROOT / "build/host" / f"libc_host.{unit}.{target}.{state.hexdigest()[:16]}"
    if out.exists():
        return out
    out.parent.mkdir(parents=True, exist_ok=True)
    merged, fresh = out.with_suffix(f".{os.getpid()}.o"), out.with_suffix(f".{os.getpid()}.new")
    emulation = {"i686": "elf_i386"}.get(target, "elf_x86_64")
    link = ["ld.lld-19", "-r", "-m", emulation, *objects, _builtins(triple), "-o", str(merged)]
    subprocess.run(link, check=True)
    subprocess.run(["llvm-objcopy-19", "--prefix-symbols=libc_", str(merged)], check=True)
    sources = [str(path.relative_to(ROOT)) for path in SOURCES]
    command = [CC, *flags, *sources, str(merged), "-o", str(fresh)]
    subprocess.run(command, check=True, cwd=ROOT)
    merged.unlink()
    fresh.replace(out)
    return out


def evaluate(target: str, name: str, arguments: Array) -> Array:
    """Results of a function, element by element; arguments of shape (n,) or (n, 2), of the
    function's own type."""
    done = subprocess.run(
        [str(program(target, "modules")), "math", name],
        input=np.ascontiguousarray(arguments).tobytes(), check=True, capture_output=True,
    )  # fmt: skip
    return np.frombuffer(done.stdout, arguments.dtype)


def differ(target: str, unit: str, group: str, seed: int, rounds: int) -> str:
    """What random calls of one group found to be different from this system's; "" for nothing."""
    command = [str(program(target, unit)), "differ", group, str(seed), str(rounds)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout
