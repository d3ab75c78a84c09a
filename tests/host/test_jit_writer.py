"""jit.elf's writer of .mod files against the build's: equal bytes for equal objects."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from fluid import jit, modfile
from fluid.cpufeatures import feature_bits
from fluid.elfobject import read_object
from fluid.errors import FluidError
from fluid.jitlayout import INPUT_OBJECT, Request
from fluid.modlayout import MACHINE_I386, MACHINE_X86_64, Module
from hostcc import ROOT
from jit_modules import require
from module_build import CXX_RUNTIME, SAMPLE, compile_object
from qemu_images import BUILD

MACHINE = {"i686": MACHINE_I386, "x86_64": MACHINE_X86_64}
FEATURES = ("sse", "sse2", "avx2")
ARCHES = tuple(MACHINE)
OBJECTS = ROOT / "tests/host/sample/objects.cpp"


def request(path: Path, machine: int) -> Request:
    return Request(
        payload=path.read_bytes(),
        name="sample",
        target="x86-64-v3",
        machine=machine,
        features=FEATURES,
        entries=(),
        rank=7,
        input=INPUT_OBJECT,
        source=bytes(range(16)),
    )


def expected(path: Path) -> bytes:
    """What modfile.py writes of the same object."""
    obj = read_object(path)
    module = Module(
        name="sample",
        target="x86-64-v3",
        rank=7,
        machine=obj.machine,
        cpu_bits=feature_bits(FEATURES),
        sections=obj.sections,
        relocs=obj.relocs,
        exports=obj.exports,
        imports=obj.imports,
        symbols=obj.symbols,
        source=bytes(range(16)),
    )
    return modfile.pack(module)


@pytest.mark.parametrize("arch", ARCHES)
@pytest.mark.parametrize("flags", [["-O2", "-DWITH_INITIALISER"], ["-O0", "-ffunction-sections"]])
def test_every_kind_of_section(arch: str, flags: list[str], tmp_path: Path) -> None:
    """Data, .bss, initialisers, imports, page alignment, integer helpers of the compiler."""
    path = compile_object(SAMPLE, tmp_path / "s.o", arch=arch, flags=flags)
    assert jit.compile_module(require(), request(path, MACHINE[arch])).mod == expected(path)


@pytest.mark.parametrize("arch", ARCHES)
def test_objects_in_cxx(arch: str, tmp_path: Path) -> None:
    """Initialisers with and without numbers, virtual functions, merged sections."""
    path = compile_object([OBJECTS, CXX_RUNTIME], tmp_path / "o.o", arch=arch)
    assert jit.compile_module(require(), request(path, MACHINE[arch])).mod == expected(path)


@pytest.mark.parametrize(("target", "arch"), [("x86-64-v2", "x86_64"), ("i686", "i686")])
def test_every_module_of_an_image(target: str, arch: str) -> None:
    program = require()
    names = [path.name.removesuffix(".mod") for path in (BUILD / target / "modules").glob("*.mod")]
    objects = [BUILD / target / f"obj/{target}/{name}.o" for name in sorted(names)]
    objects = [path for path in objects if path.is_file()]
    assert len(objects) > 25
    for path in objects:
        made = jit.compile_module(program, request(path, MACHINE[arch])).mod
        assert made == expected(path), path


C_OBJECTS = {
    "common": "int shared; FLUID_EXPORT int get(void) { return shared; }",
    "thread-local": "_Thread_local int own; FLUID_EXPORT int get(void) { return own; }",
    "no export": "int get(void) { return 1; }",
    "global offset table": "extern int far; FLUID_EXPORT int get(void) { return far; }",
    "alignment": "_Alignas(8192) static int x; FLUID_EXPORT int *get(void) { return &x; }",
}
FLAGS = {"common": ["-fcommon"], "global offset table": ["-fPIC"]}


@pytest.mark.parametrize("kind", C_OBJECTS)
def test_what_no_module_may_have(kind: str, tmp_path: Path) -> None:
    """Both refuse it."""
    source = tmp_path / "a.c"
    source.write_text(f'#include "fluid/module.h"\n{C_OBJECTS[kind]}\n')
    path = compile_object([source], tmp_path / "a.o", flags=FLAGS.get(kind, []))
    with pytest.raises(FluidError, match="E-MOD-2"):
        read_object(path)
    with pytest.raises(FluidError, match="E-JIT-13"):
        jit.compile_module(require(), request(path, MACHINE_X86_64))


def test_what_is_no_object(tmp_path: Path) -> None:
    path = compile_object(SAMPLE, tmp_path / "s.o")
    with pytest.raises(FluidError, match="E-JIT-13"):
        jit.compile_module(require(), request(path, MACHINE_I386))
    linked = tmp_path / "linked"
    subprocess.run(
        ["ld.lld-19", "-e0", "-unresolved-symbols=ignore-all", str(path), "-o", str(linked)],
        check=True,
    )
    junk = tmp_path / "junk"
    for content in (b"", b"\x7fELF", path.read_bytes()[:1000], linked.read_bytes()):
        junk.write_bytes(content)
        with pytest.raises(FluidError, match="E-JIT-13"):
            jit.compile_module(require(), request(junk, MACHINE_X86_64))
