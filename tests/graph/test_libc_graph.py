"""llvm-libc in the graph: fetched only to be compiled, and the place of its source is not in it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from fluid import libc_source, toolchain
from graph_tree import OUT, Tree, copy_sources


def _locked(tree: Tree) -> libc_source.LibcSource:
    return toolchain.libc_source(toolchain.read_lock(tree.top / toolchain.LOCK_FILE))


def _objects(built: set[str], unit: str) -> set[str]:
    return {path for path in built if path.startswith(f"obj/llvm-libc/{unit}.")}


def test_without_the_source(tmp_path: Path, offline: dict[str, str]) -> None:
    """Help and dry runs fetch nothing; a build says what it needs, and works once it is there."""
    tree = copy_sources(tmp_path / "tree")
    cache = Path(offline["XDG_CACHE_HOME"])
    tree.scons("-h", ok=True, **offline)
    tree.scons("-n", ok=True, **offline)
    assert "not fetched yet" in tree.scons("toolchain", ok=True, **offline).text
    assert not cache.exists()
    one = f"{OUT}/obj/llvm-libc/kernel.x86-64-v2/src/string/memcpy.cpp.o"
    refused = tree.scons(one, ok=False, **offline)
    assert refused.status == 2
    assert "E-LIBC-01" in refused.text and _locked(tree).archive in refused.text
    assert "Traceback" not in refused.text
    shutil.copytree(_locked(tree).folder, cache / "fluid-os" / _locked(tree).folder.name)
    tree.scons(one, ok=True, **offline)


def test_the_place_of_the_source(tree: Tree, tmp_path: Path) -> None:
    """Another folder, with a name that shells and SCons could mistake: the same bytes, and for what
    is built nothing to do."""
    source = _locked(tree)
    elsewhere = tmp_path / "a $cache, too"
    shutil.copytree(source.folder, elsewhere / "fluid-os" / source.folder.name)
    variables = {"XDG_CACHE_HOME": str(elsewhere)}
    assert tree.scons(ok=True, **variables).built == set()
    before = tree.read("kernel.elf"), tree.read("modules/llama.mod")
    shutil.rmtree(tree.top / "build/x86-64-v2/obj/llvm-libc")
    built = tree.scons(ok=True, **variables).built
    assert built == _objects(built, "kernel") | _objects(built, "llama")
    assert (tree.read("kernel.elf"), tree.read("modules/llama.mod")) == before


def test_another_source(tree: Tree, tmp_path: Path) -> None:
    """The digest stands for the source: with another, all of it is compiled and the build id
    changes; here the files are the same and nothing else does."""
    folder = _locked(tree).folder
    lock = tree.top / toolchain.LOCK_FILE
    data = json.loads(lock.read_text())
    data["tools"][libc_source.LOCK_NAME]["sha256"] = "0" * 64
    lock.write_text(json.dumps(data))
    cache = tmp_path / "cache"
    shutil.copytree(folder, cache / "fluid-os" / f"{folder.name[:-12]}{'0' * 12}")
    before = tree.read("boot.bin")
    built = tree.scons(ok=True, XDG_CACHE_HOME=str(cache)).built
    objects = _objects(built, "kernel") | _objects(built, "llama")
    assert built - objects == {"boot.bin", "fluid.img"}
    assert len(objects) > 40
    assert tree.read("boot.bin") != before


def test_manifest(tree: Tree) -> None:
    """What is taken more is compiled; without a use of it what is linked stays the same."""
    manifest = tree.top / "src/llvmlibc_subset/manifest.toml"
    text = manifest.read_text()
    manifest.write_text(
        text.replace('"erff", ', "").replace('["exp", "fabs"', '["erff", "exp", "fabs"')
    )
    assert tree.scons(ok=True).built == {
        "obj/llvm-libc/llama.x86-64-v2/src/math/generic/erff.cpp.o",
        "obj/x86-64-v2/llama.o",
    }
    manifest.write_text(text.replace('units = ["kernel"]', 'units = ["kernal"]'))
    refused = tree.scons(ok=False)
    assert refused.status == 2
    assert "E-LIBC-04" in refused.text and "kernal" in refused.text


def test_headers_of_the_subset(tree: Tree) -> None:
    """llvm-libc is compiled with our headers; a comment in one ends at its objects."""
    tree.append("src/llvmlibc_subset/config.h", "/* a comment */\n")
    built = tree.scons(ok=True).built
    assert built == _objects(built, "kernel") | _objects(built, "llama")
    assert len(built) > 40
