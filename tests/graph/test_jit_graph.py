"""jit.elf and bitcode in the graph: what builds them, what changes them, and who does without."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from fluid import jitbuild
from fluid.modread import read_mod
from graph_tree import OUT, Tree, copied, copy_sources

NAME = "tensor_act"
PROGRAM = "build/jit/jit.elf"
TAGS = ("", ".x86-64-v3", ".x86-64-v4")
MODS = [f"{OUT}/modules/{NAME}{tag}.mod" for tag in TAGS]
CONFIG = jitbuild.CONFIG


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """Built with jit=1; not to be changed."""
    if absent := jitbuild.missing("clang-19"):
        pytest.fail(f"{absent} expected; apt-get install {jitbuild.PACKAGES}", pytrace=False)
    tree = copy_sources(tmp_path_factory.mktemp("jit") / "tree")
    tree.scons("jit=1", "jit", *MODS, ok=True)
    return tree


@pytest.fixture
def tree(made: Tree, tmp_path: Path) -> Iterator[Tree]:
    yield from copied(made, tmp_path / "tree")


def scons(tree: Tree) -> set[str]:
    """What jit=1 builds."""
    return tree.scons("jit=1", "jit", *MODS, ok=True).built


def test_nothing_changed(tree: Tree) -> None:
    assert scons(tree) == set()


def test_without_it(tree: Tree) -> None:
    """jit=0 has no part of it: its modules are those of a tree that has never heard of jit=1."""
    with_it = read_mod(tree.top / OUT / f"modules/{NAME}.mod")
    assert with_it.bitcode == tree.read(f"modules/{NAME}.bc")
    built = tree.scons(*MODS, ok=True).built
    assert not {path for path in built if path.endswith(".bc") or path.startswith("build/jit/")}
    assert {path for path in built if path.endswith(".mod")} >= {f"modules/{NAME}.mod"}
    assert not {path for path in built if path.endswith((".o", ".elf"))}
    without = read_mod(tree.top / OUT / f"modules/{NAME}.mod")
    assert without.bitcode == b"" and without.sections == with_it.sections


def test_a_source_of_the_compiler(tree: Tree) -> None:
    """Its object and the program; of the image nothing. A comment ends at the object."""
    tree.append("src/jit/mod_writer.cpp", "// a comment\n")
    assert scons(tree) == {"build/jit/obj/jit/mod_writer.cpp.o"}
    tree.append("src/jit/main.cpp", 'extern "C" int more() {\n    return 7;\n}\n')
    assert scons(tree) == {"build/jit/obj/jit/main.cpp.o", PROGRAM}


def test_a_header_of_the_compiler(tree: Tree) -> None:
    tree.append("src/jit/specialise.h", "// a comment\n")
    assert scons(tree) == {
        "build/jit/obj/jit/main.cpp.o",
        "build/jit/obj/jit/specialise.cpp.o",
    }


def test_a_module(tree: Tree) -> None:
    """Another operation is in bitcode, object and .mod of each variant; the compiler stays."""
    before = tree.read(f"modules/{NAME}.bc")
    source = f"src/modules/tensor/{NAME}.c"
    tree.append(source, '__attribute__((visibility("default"), used)) int x(void) { return 7; }\n')
    made = {f"modules/{NAME}{tag}.{kind}" for tag in TAGS for kind in ("bc", "mod")}
    built = scons(tree)
    objects = {path for path in built if path.startswith("obj/")}
    assert built - objects == made and len(objects) == 2 * len(TAGS)
    assert tree.read(f"modules/{NAME}.bc") != before


def test_bitcode_alone(tree: Tree) -> None:
    """By its path, without jit=1; nothing is left to do for it."""
    path = f"{OUT}/modules/{NAME}.bc"
    assert tree.scons(path, ok=True).built == set()
    (tree.top / path).unlink()
    assert tree.scons(path, ok=True).built == {f"modules/{NAME}.bc"}


@pytest.mark.full
def test_equal_in_another_folder(made: Tree, tmp_path: Path) -> None:
    """No path gets into bitcode or program."""
    other = copy_sources(tmp_path / "elsewhere" / "a tree")
    path = f"{OUT}/modules/{NAME}.bc"
    other.scons(path, "jit", ok=True)
    assert other.read(f"modules/{NAME}.bc") == made.read(f"modules/{NAME}.bc")
    assert (other.top / PROGRAM).read_bytes() == (made.top / PROGRAM).read_bytes()
    assert str(made.top).encode() not in (made.top / PROGRAM).read_bytes()


def test_without_llvm(tmp_path: Path) -> None:
    """Who asks for it is told what to install; others build as ever."""
    tree = copy_sources(tmp_path / "tree")
    kept = tmp_path / "kept"
    kept.mkdir()
    folders = [Path(folder) for folder in os.environ["PATH"].split(":")]
    for folder in (f for f in folders if (f / CONFIG).exists()):
        for file in folder.iterdir():
            if file.name != CONFIG and not (kept / file.name).exists():
                (kept / file.name).symlink_to(file)
    rest = [str(folder) for folder in folders if not (folder / CONFIG).exists()]
    path = ":".join([*rest, str(kept)])
    refused = tree.scons("jit", ok=False, PATH=path)
    assert refused.status == 2 and "E-JIT-32" in refused.text
    assert "llvm-19-dev" in refused.text and "Traceback" not in refused.text
    tree.scons("-n", ok=True, PATH=path)


def test_only_plain_builds(tree: Tree) -> None:
    refused = tree.scons("jit=1", "check=address", ok=False)
    assert refused.status == 2 and "E-OPT-05" in refused.text
