"""Tensor modules that jit.elf makes of the build's bitcode, in a process with the kernel's loader.

jit.elf and the bitcode are artifacts of `scons test-host`; fluid.jitbuild.TESTED has their tags.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from fluid import jit
from fluid.coverage import FOLDER
from fluid.jitbuild import PACKAGES, TESTED
from fluid.jitlayout import Request, Response
from fluid.modlayout import Module
from fluid.modread import read_mod
from host_features import features
from hostcc import FAIL, ROOT, build
from qemu_images import BUILD, artifact
from tensor_driver import TensorProcess, Variant

LOAD = ROOT / "src/kernel/load"
SOURCES = [
    *(ROOT / f"tests/host/{name}.c" for name in ("tensor_host", "tensor_modules", "loader_env")),
    *(LOAD / f"{name}.c" for name in ("guard", "ksyms", "module", "module_file", "module_list")),
    *(LOAD / f"{name}.c" for name in ("module_place", "module_run", "relocate", "sha256", "slot")),
    *(ROOT / f"src/kernel/mm/{name}.c" for name in ("heap_account", "pool")),
    *(FAIL, ROOT / "src/kernel/prof/profile.c", ROOT / "src/kernel/arch/x86/call_context.S"),
]
ARCH_FLAGS = {"x86-64-v2": (), "i686": ("-m32",)}
TAGS = [(target, tag) for target, tags in TESTED.items() for tag in tags]
NAMES = sorted(path.stem for path in (ROOT / "src/modules/tensor").glob("tensor_*.c"))


def require() -> Path:
    """jit.elf; the test fails without it, and is left out where lines are counted."""
    if FOLDER in os.environ:
        pytest.skip("jit.elf counts no lines")
    program = BUILD / "jit/jit.elf"
    if not program.is_file():
        pytest.fail(
            f"{program} expected, none found; run: scons jit (Debian: apt-get install {PACKAGES})",
            pytrace=False,
        )
    return program


def _file(name: str, target: str, tag: str, suffix: str) -> Path:
    stem = name if tag == target else f"{name}.{tag}"
    return artifact(target, f"modules/{stem}.{suffix}")


def ahead(name: str, target: str, tag: str) -> Path:
    """The module that the build compiled."""
    return _file(name, target, tag, "mod")


@functools.cache
def ahead_module(name: str, target: str, tag: str) -> Module:
    return read_mod(ahead(name, target, tag))


def request(name: str, target: str, tag: str, **changes: object) -> Request:
    """For what the module exports, with the features of its tag."""
    bitcode = _file(name, target, tag, "bc").read_bytes()
    return jit.request_of(ahead_module(name, target, tag), bitcode, features(tag), **changes)


def compiled(name: str, target: str, tag: str, **changes: object) -> Response:
    """What jit.elf makes of it."""
    return jit.compile_module(require(), request(name, target, tag, **changes))


@functools.cache
def plain(name: str, target: str, tag: str, level: int) -> Response:
    """The same with nothing special, once."""
    return compiled(name, target, tag, level=level)


def process(name: str, target: str, modules: Iterable[Path]) -> TensorProcess:
    """The operations of these .mod files, under a name for messages."""
    program = build(
        f"tensor_modules.{target}",
        SOURCES,
        flags=["-fno-pie", "-no-pie", "-D_GNU_SOURCE", "-Itests/host", *ARCH_FLAGS[target]],
        sanitize=False,
    )
    return TensorProcess(Variant(name, (), False), [str(program), *map(str, modules)])


def written(folder: Path, responses: Sequence[Response]) -> list[Path]:
    """The modules as files."""
    folder.mkdir()
    paths = [folder / f"{number}.mod" for number in range(len(responses))]
    for path, response in zip(paths, responses, strict=True):
        path.write_bytes(response.mod)
    return paths
