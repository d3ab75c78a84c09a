"""CPU profiles in the graph: what a change in one rebuilds, and that equal features are equal
images, whoever they come from."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fluid.cpu import load_profile
from fluid.cpufeatures import LEVELS
from graph_tree import OUT, Tree, copied, copy_sources

V2 = list(LEVELS["x86-64-v2"].features)
KITCHEN: dict[str, Any] = {
    "schema": 1,
    "tag": "kitchen",
    "march": "x86-64",
    "features": [*V2, "movbe", "bmi"],
    "processor": {"vendor": "GenuineIntel", "family": 6, "cores": 2, "l2": 262144, "line": 64},
}
OUT_KITCHEN = "build/kitchen"


def give(tree: Tree, name: str, **changes: Any) -> str:
    """Writes a profile into the tree; its name as target=."""
    (tree.top / name).write_text(json.dumps(KITCHEN | changes))
    return f"target={name}"


@pytest.fixture(scope="module")
def kitchen_built(built: Tree, tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """The tree built for the default target and, once for all tests, for KITCHEN."""
    tree = Tree(shutil.copytree(built.top, tmp_path_factory.mktemp("kitchen") / "tree"))
    first = tree.scons(give(tree, "kitchen.json"), ok=True).built
    assert first and all(path.startswith(f"{OUT_KITCHEN}/") for path in first)
    return tree


@pytest.fixture
def kitchen(kitchen_built: Tree, tmp_path: Path) -> Iterator[Tree]:
    """A copy of that tree."""
    yield from copied(kitchen_built, tmp_path / "tree")


def lacking(tree: Tree, feature: str) -> None:
    """The building machine is taken to lack something from now on."""
    tree.scons("profile-cpu", ok=True)
    stored = tree.top / "build/cpu/native.json"
    profile = json.loads(stored.read_text())
    profile["features"].remove(feature)
    profile["tag"] = "less"
    stored.write_text(json.dumps(profile))


def image(tree: Tree, folder: str) -> bytes:
    return (tree.top / "build" / folder / "fluid.img").read_bytes()


def of(built: set[str], folder: str) -> set[str]:
    """What was built below a folder."""
    return {path.removeprefix(f"{folder}/") for path in built if path.startswith(f"{folder}/")}


def test_one_feature_rebuilds_the_variant_that_has_it(kitchen: Tree) -> None:
    """And the level's variant, other targets and what has no CPU in it stay as they are."""
    tree = kitchen
    tags = {b"x86-64-v2", load_profile(tree.top / "kitchen.json").image_tag.encode()}
    assert len(tags) == 2
    registry = (tree.top / OUT_KITCHEN / "registry.bin").read_bytes()
    assert all(tag in registry for tag in tags)

    target = give(tree, "kitchen.json", features=[*V2, "movbe"])
    built = of(tree.scons(target, ok=True).built, OUT_KITCHEN)
    objects = {path for path in built if path.endswith(".o")}
    assert "obj/own/modules/tensor/tensor_q4_1.c.o" in objects
    kernel = {path for path in objects if not path.startswith("obj/own/")}
    assert kernel == {"obj/kernel/arch/x86/target.c.o"}
    assert {"modules/tensor_q4_1.mod", "registry.bin", "fluid.img"} <= built
    assert not {"fat.img", "obj/boot/stage1.S.o"} & built
    assert tree.scons(target, ok=True).built == set()
    assert tree.scons(ok=True).built == set()


def test_what_is_known_of_the_machine_rebuilds_no_object(kitchen: Tree) -> None:
    tree = kitchen
    before = image(tree, "kitchen")
    target = give(tree, "kitchen.json", processor={"cores": 64, "l3": 1 << 25})
    built = of(tree.scons(target, ok=True).built, OUT_KITCHEN)
    assert "cpu_profile.json" in built
    assert not {path for path in built if path.endswith((".o", ".elf", ".bin", ".img"))}
    assert image(tree, "kitchen") == before


def test_equal_features_make_equal_images(kitchen: Tree) -> None:
    """Whatever the profile is called, in whatever order it says them, on whatever machine."""
    tree = kitchen
    first = image(tree, "kitchen")
    other = give(tree, "other.json", tag="other", features=KITCHEN["features"][::-1], processor={})
    assert tree.scons(other, ok=True).built
    assert image(tree, "other") == first
    less = give(tree, "kitchen.json", features=[*V2, "bmi"])
    tree.scons(less, ok=True)
    assert image(tree, "kitchen") != first


@pytest.mark.full
@pytest.mark.parametrize("less", [False, True], ids=["all of it", "less"])
def test_native_is_the_same_as_its_profile(tree: Tree, less: bool) -> None:
    """Also where the machine is no level; here it is taken to lack something."""
    if less:
        lacking(tree, "cx16")
    else:
        tree.scons("profile-cpu", ok=True)
    stored = tree.top / "build/cpu/native.json"
    profile = json.loads(stored.read_text())
    tree.scons("target=native", ok=True)
    assert json.loads(stored.read_text()) == profile  # not scanned again
    profile["tag"] = "another-name"
    (tree.top / "copy.json").write_text(json.dumps(profile))
    tree.scons("target=copy.json", ok=True)
    assert image(tree, "native") == image(tree, "another-name")
    for flags in (tree.top / "build/native/flags").iterdir():
        assert b"native" not in flags.read_bytes()
    assert b"native\0" not in (tree.top / "build/native/boot.bin").read_bytes()  # as a tag
    assert tree.scons("target=native", ok=True).built == set()


def test_a_profile_that_is_a_level(tree: Tree) -> None:
    """It is that level's image; under the level's own name it is the level's build."""
    tree.scons(give(tree, "named.json", features=V2), ok=True)
    assert image(tree, "kitchen") == tree.read("fluid.img")
    same = give(tree, "same.json", tag="x86-64-v2", features=V2)
    assert tree.scons(same, ok=True).built == set()


@pytest.mark.parametrize(
    "more",
    [[], pytest.param(["target=native", "target=i686"], marks=pytest.mark.full)],
    ids=["two", "four"],
)
def test_switching_targets_rebuilds_nothing(kitchen: Tree, more: list[str]) -> None:
    for target in more:
        assert kitchen.scons(target, ok=True).built
    for target in ["target=kitchen.json", *more, "target=x86-64-v2"] * 2:
        assert kitchen.scons(target, ok=True).built == set(), target


def test_a_32_bit_machine(tree: Tree) -> None:
    features = ["sse", "sse2", "sse3"]
    give(tree, "old.json", tag="old", march="i686", features=features)
    tree.scons("target=old.json", "build/old/cpu_profile.json", ok=True)
    old = json.loads((tree.top / "build/old/cpu_profile.json").read_text())
    assert (old["kernel"], [p["features"] for p in old["profiles"]]) == (
        "i686",
        [features[:2], features],
    )


@pytest.mark.full
def test_a_native_build_poisons_no_other_machine(tree: Tree, tmp_path: Path) -> None:
    """Two machines with one cachedir= and one name for what they build: what the second takes from
    there is what it would have made itself."""
    cache = f"cachedir={tmp_path / 'cache'}"
    one, other = copy_sources(tmp_path / "first"), copy_sources(tmp_path / "second")
    one.scons("target=native", cache, ok=True)
    lacking(other, "cx16")
    found = other.scons("target=native", cache, ok=True)
    assert "Retrieved" in found.text  # what has no CPU in it
    lacking(tree, "cx16")
    tree.scons("target=native", ok=True)
    assert image(other, "native") == image(tree, "native") != image(one, "native")


@pytest.mark.parametrize(
    ("changes", "path", "expected"),
    [
        ({"features": [*V2, "mmx2"]}, "$.features[9]", "one of sse sse2"),
        ({"tag": "x86-64-v3"}, "$.features", "avx f16c fma avx2 bmi2 lzcnt too with tag x86-64-v3"),
        ({"march": 64}, "$.march", "one of i686 x86-64"),
    ],
)
def test_a_malformed_profile(
    built: Tree, tmp_path: Path, changes: dict[str, Any], path: str, expected: str
) -> None:
    """Status 2 with the file, the key, and what was expected; before anything is built."""
    file = tmp_path / "cpu.json"
    file.write_text(json.dumps(KITCHEN | changes))
    result = built.scons(f"target={file}")
    assert result.status == 2
    assert f"E-CPU-20 {file}: {path}: {expected}" in result.text
    assert "Traceback" not in result.text and result.built == set()


def test_a_malformed_profile_of_a_level(tree: Tree) -> None:
    """The same where a committed profile was damaged."""
    file = tree.top / "profiles/cpu/x86-64-v3.json"
    profile = json.loads(file.read_text())
    profile["features"].remove("avx2")
    file.write_text(json.dumps(profile))
    result = tree.scons()
    assert result.status == 2
    assert "E-CPU-20 profiles/cpu/x86-64-v3.json: $.features: avx2 too" in result.text
    assert "Traceback" not in result.text
    assert not any(path.startswith(f"{OUT}/obj") for path in result.built)


def test_code_beyond_its_tag(tree: Tree) -> None:
    """A module that goes further than its variant may ends the build, and no .mod is left."""
    source = "src/modules/tensor/tensor_rope.c"
    tree.append(
        source,
        'FLUID_EXPORT __attribute__((target("avx2"))) void beyond(int *a);\n'
        "void beyond(int *a) {\n    for (int i = 0; i < 8; i++)\n        a[i] += i;\n}\n",
    )
    result = tree.scons(ok=False)
    assert result.status == 2 and "Traceback" not in result.text
    assert "E-CPU-23 .text" in result.text and "(beyond+0x" in result.text
    assert "an instruction of x86-64-v2 expected, found one of avx" in result.text
    assert f"{OUT}/modules/tensor_rope.mod" not in tree.products()


def test_kernel_code_beyond_its_target(tree: Tree) -> None:
    tree.append(
        "src/kernel/main.c",
        "unsigned beyond(unsigned a);\n"
        "unsigned beyond(unsigned a) {\n"
        '    __asm__("andn %0, %0, %0" : "+r"(a));\n    return a;\n}\n',
    )
    result = tree.scons(ok=False)
    assert result.status == 2
    assert "E-CPU-23 kernel.elf 0x1" in result.text and "(beyond+0x" in result.text
    assert "an instruction of the kernel for x86-64-v2 expected, found one of bmi" in result.text
