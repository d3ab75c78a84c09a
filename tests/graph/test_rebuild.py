"""What each change rebuilds, and what it must leave alone."""

from __future__ import annotations

import os
import shutil

import pytest

from fluid.modlayout import SECTION_FINI, SECTION_INIT
from fluid.modread import read_mod
from fluid.registry import unpack
from fluid.targets import DEFAULT_TARGET, TARGETS
from graph_tree import MODEL, OUT, Tree

MODULE = "tensor_q4_1"
SOURCE = f"src/modules/tensor/{MODULE}.c"
OWN, *HIGHER = TARGETS[DEFAULT_TARGET].variants
OBJECTS = {f"obj/{tag}/modules/tensor/{MODULE}.c.o" for tag in (OWN, *HIGHER)}
LINKED = {f"obj/{tag}/{MODULE}.o" for tag in (OWN, *HIGHER)}
MODS = {f"modules/{MODULE}.mod", *(f"modules/{MODULE}.{tag}.mod" for tag in HIGHER)}
ABOVE_MODS = {"registry.bin", "boot.bin", "fluid.img"}
NULL_BUILD_CALLS = 2_830_000  # in one thread, with all imports; some 2,270 for each of 1230 nodes
NEW_EXPORT = '__attribute__((visibility("default"), used)) int graph_test(void) { return 7; }\n'


def test_nothing_changed(tree: Tree) -> None:
    """The null build rebuilds no node, and its work stays what fits into a second of CPU."""
    result = tree.scons(ok=True)
    assert result.built == set()
    assert "up to date" in result.text
    assert tree.null_build_calls() < NULL_BUILD_CALLS


def test_module_source(tree: Tree) -> None:
    """Code of one tensor module: its objects and .mod files, the registry and what holds it."""
    tree.append(SOURCE, NEW_EXPORT)
    assert tree.scons(ok=True).built == OBJECTS | LINKED | MODS | ABOVE_MODS
    assert tree.scons(ok=True).built == set()


def test_module_with_a_source_in_cxx(tree: Tree) -> None:
    """It is compiled with flags of its own, and the module gets the runtime of C++."""
    path = tree.top / "src/modules/llama/more.cpp"
    path.write_text(
        "#include <new>\nnamespace {\nstruct Counted {\n    Counted() : count(new int) {}\n"
        "    ~Counted() { delete count; }\n    int *count;\n};\nCounted counted;\n}\n"
    )
    result = tree.scons(ok=True)
    objects = {"obj/x86-64-v2/modules/llama/more.cpp.o", "flags/llama.x86-64-v2.cxx.rsp"}
    assert objects <= result.built and "modules/llama.mod" in result.built
    runtime = "obj/x86-64-v2/llama/modules/cxx/runtime.cpp.o"
    assert runtime in result.built
    flags = {section.flags for section in read_mod(tree.top / OUT / "modules/llama.mod").sections}
    assert {SECTION_INIT, SECTION_FINI} <= flags
    tree.append("src/modules/cxx/runtime.cpp", "// more\n")
    assert runtime in tree.scons(ok=True).built
    path.unlink()
    assert "modules/llama.mod" in tree.scons(ok=True).built


def test_comment(tree: Tree) -> None:
    """A comment gives the same object even where it moves every line, so nothing is linked again;
    but .mod files carry a digest of the module's sources."""
    tree.prepend(SOURCE, "/* a comment\n * of two lines */\n")
    assert tree.scons(ok=True).built == OBJECTS | MODS | ABOVE_MODS


def test_model(tree: Tree) -> None:
    """Another model: the FAT partition and the image."""
    (tree.top / MODEL).write_bytes(b"GGUF, another model" * 1000)
    assert tree.scons(ok=True).built == {"fat.img", "fluid.img"}


def test_model_with_an_odd_name(tree: Tree) -> None:
    """The same content under any name is the same partition."""
    (tree.top / MODEL).rename(tree.top / "a $model, 100 %.gguf")
    before = tree.read("fat.img")
    assert tree.scons("model=a $model, 100 %.gguf", ok=True).built <= {"fat.img"}
    assert tree.read("fat.img") == before


def test_writer_with_same_result(tree: Tree) -> None:
    """A change in the writer of .mod files writes all of them; equal content goes no further."""
    tree.append("site_scons/fluid/modfile.py", "\n# a comment\n")
    expected = {path.name for path in (tree.top / "build/x86-64-v2/modules").iterdir()}
    result = tree.scons(ok=True)
    assert {p.removeprefix("modules/") for p in result.built} == expected


def test_writer_with_other_result(tree: Tree) -> None:
    """A change in the writer that shows in its files goes through to the image."""
    tree.append("site_scons/fluid/modlayout.py", "\nVERSION_MINOR = 99\n")
    built = tree.scons(ok=True).built
    assert built >= MODS | ABOVE_MODS
    assert not any(path.endswith(".o") for path in built)


def test_imported_helper(tree: Tree) -> None:
    """A writer depends on what it imports, not only on its own file."""
    tree.append("site_scons/fluid/cpufeatures.py", "\n# a comment\n")
    assert tree.scons(ok=True).built >= MODS


def test_python_packages(tree: Tree) -> None:
    """Other versions of Python packages: all steps in Python again, and no further when equal."""
    tree.append("requirements.lock", "# a comment\n")
    built = tree.scons(ok=True).built
    assert built >= MODS | {"fat.img", "registry.bin"}
    assert not any(path.startswith("obj/") for path in built)


def test_step(tree: Tree) -> None:
    """A step in a tool is part of what it makes."""
    file = tree.top / "site_scons/site_tools/fluid_image.py"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace('"MODEL.GGUF"', '"OTHER.GGUF"'), encoding="utf-8")
    assert tree.scons(ok=True).built == {"fat.img", "fluid.img"}


def test_constant_of_a_step(tree: Tree) -> None:
    """So is a constant that it uses, and a function of the tool."""
    file = tree.top / "site_scons/site_tools/fluid_image.py"
    text = file.read_text(encoding="utf-8")
    at = text.index("def _fat_step")
    step = text[at:].replace('("MODEL.GGUF", "JIT.ELF")', "_names()", 1)
    names = 'MODEL = "{}.GGUF"\n\n\ndef _names():\n    return (MODEL, {!r})\n\n\n'
    for model, other in (("MODEL", "A"), ("OTHER", "A"), ("OTHER", "B")):
        file.write_text(text[:at] + names.format(model, other) + step, encoding="utf-8")
        built = tree.scons(ok=True).built
        assert "fat.img" in built, (model, other)
        assert ("fluid.img" in built) == (model == "OTHER" and other == "A")


def test_partition_programs(tree: Tree) -> None:
    """Another mtools makes the partition again."""
    folder = tree.top / "tools"
    folder.mkdir()
    (folder / "mcopy").write_text(f'#!/bin/sh\nexec {shutil.which("mcopy")} "$@"\n')
    (folder / "mcopy").chmod(0o755)
    built = tree.scons(ok=True, PATH=f"{folder}:{os.environ['PATH']}").built
    assert built == {"fat.img"}


def test_variants(tree: Tree) -> None:
    """variants=base and back: only the registry and what holds it, and the same bytes again."""
    before = tree.read("fluid.img"), tree.read("registry.bin")
    base = tree.scons("variants=base", ok=True)
    assert base.built == ABOVE_MODS
    assert "x86-64-v2" in base.text and "x86-64-v3" not in base.text
    smaller = unpack(tree.read("registry.bin"))
    assert {entry.target for entry in smaller.entries} == {OWN}
    assert tree.scons("variants=base", ok=True).built == set()
    every = tree.scons("variants=all", ok=True)
    assert every.built == ABOVE_MODS
    assert all(f"{tag} " in every.text for tag in (OWN, *HIGHER))  # with its size
    assert (tree.read("fluid.img"), tree.read("registry.bin")) == before
    assert tree.scons(ok=True).built == set()


def test_header(tree: Tree) -> None:
    """Headers are dependencies of C and of assembler sources; a comment in one stops there too."""
    tree.append("src/boot/layout.h", "/* a comment */\n")
    built = tree.scons(ok=True).built
    assert "obj/boot/stage1.S.o" in built
    assert all(path.startswith("obj/boot/") for path in built)


def test_kernel_source(tree: Tree) -> None:
    """Kernel code rebuilds no module."""
    tree.append("src/kernel/main.c", "int graph_test(void);\nint graph_test(void) { return 7; }\n")
    built = tree.scons(ok=True).built
    assert {"obj/kernel/main.c.o", "kernel.elf", "kernel.bin", "boot.bin", "fluid.img"} <= built
    assert not any(path.startswith(("modules/", "registry", "fat")) for path in built)


@pytest.mark.full
def test_compiler_version(tree: Tree) -> None:
    """Another compiler version compiles everything again, and stops where the objects are equal."""
    folder = tree.top / "tools"
    folder.mkdir()
    fake = folder / "clang-19"
    real = shutil.which("clang-19")
    fake.write_text(
        f'#!/bin/sh\n[ "$1" = --version ] || exec {real} "$@"\n'
        f'{real} --version | sed "1s/$/ other/"\n'
    )
    fake.chmod(0o755)
    built = tree.scons(ok=True, PATH=f"{folder}:{os.environ['PATH']}").built
    assert built >= OBJECTS
    assert {"boot.bin", "fluid.img"} <= built  # the build id covers the tools
    assert not {"kernel.bin", "registry.bin"} & built
