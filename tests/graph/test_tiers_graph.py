"""warmup and bench tiers=1 in the graph: what they need, and that nobody else needs it."""

from __future__ import annotations

import json
import re

import pytest

from fluid import jitbuild
from fluid.modread import read_mod
from fluid.options import default_model
from fluid.registry import unpack
from fluid.targets import DEFAULT_TARGET, TARGETS
from graph_tree import OUT, Tree

OWN, *HIGHER = TARGETS[DEFAULT_TARGET].variants
MODULE = "tensor_q4_1"
MADE = re.compile(r"^  [A-Z0-9-]+ +(build/\S+)$", re.M)
TIERS = ("bench", "tiers=1", "runner=host")


@pytest.fixture(autouse=True)
def llvm() -> None:
    if absent := jitbuild.missing("clang-19"):
        pytest.fail(f"{absent} expected; apt-get install {jitbuild.PACKAGES}", pytrace=False)


def made(tree: Tree, *arguments: str) -> list[str]:
    """What would be made, in order."""
    return MADE.findall(tree.scons("-n", *arguments, ok=True).text)


def test_a_warm_up_implies_the_compiler(tree: Tree) -> None:
    """It is the image of jit=1; with runner=host it runs in the program of this target."""
    paths = set(made(tree, "warmup", "variants=base"))
    assert {"build/jit/jit.elf", f"{OUT}/fat.img", f"{OUT}/modules/{MODULE}.mod"} <= paths
    assert {f"{OUT}/modules/{MODULE}.{tag}.bc" for tag in HIGHER} <= paths
    assert not [path for path in paths if path.startswith(f"{OUT}/tiers/")]
    assert f"{OUT}/fluid-host" not in paths
    text = tree.scons("-n", "warmup", "variants=base", "runner=host", ok=True).text
    assert f"{OUT}/fluid-host" in MADE.findall(text)
    assert f"WARMUP {OUT}/warmup.json" in " ".join(text.split())
    refused = tree.scons("warmup", "cache=0", ok=False)
    assert refused.status == 2 and "E-OPT-05 warmup" in refused.text


def test_tiers_are_images_of_one_build(tree: Tree) -> None:
    """Nothing is compiled twice; variants without code are written once more."""
    paths = made(tree, *TIERS)
    assert len(paths) == len(set(paths))
    own = {path for path in paths if path.startswith(f"{OUT}/tiers/")}
    images = {f"{OUT}/tiers/{name}.img" for name in ("base", "variants", "base-jit")}
    boots = {
        f"{OUT}/tiers/{name}-{part}.bin"
        for name in ("base", "base-jit")
        for part in ("registry", "boot")
    }
    mods = own - images - boots - {f"{OUT}/tiers/fat.img"}
    assert own >= images | boots
    assert f"{OUT}/tiers/{MODULE}.{HIGHER[0]}.mod" in mods
    assert all(path.endswith(tuple(f".{tag}.mod" for tag in HIGHER)) for path in mods)
    assert {f"{OUT}/fat.img", f"{OUT}/fluid-host", "build/jit/jit.elf"} <= set(paths)


def test_others_do_without(tree: Tree) -> None:
    """Neither what the image needs nor what is built for another goal has to do with them."""
    assert made(tree) == made(tree, "image") == []
    assert made(tree, "bench") == [f"{OUT}/fluid.img"]  # the line of what is measured
    hosted = made(tree, "bench", "runner=host")
    assert f"{OUT}/fluid-host" in hosted
    assert not [p for p in hosted if p.startswith((f"{OUT}/tiers/", "build/jit/"))]
    text = tree.scons("-n", "--tree=derived,prune", "image", ok=True).text
    assert not [word for word in ("/tiers/", "jit.elf", "warmup.json") if word in text]


def test_a_warm_image(tree: Tree) -> None:
    """The machine compiles between image and image; nobody else has to do with that."""
    paths = made(tree, "jit=1", "cache=warm", "image")
    warm = paths.index(f"{OUT}/warm.bin")
    before = {f"{OUT}/registry.bin", f"{OUT}/fat.img", f"{OUT}/fluid-host", "build/jit/jit.elf"}
    assert before <= set(paths[:warm]) and paths[warm + 1 :] == [f"{OUT}/fluid.img"]
    assert f"{OUT}/warm.bin" not in made(tree, "jit=1", "image")


def test_images_without_code(tree: Tree) -> None:
    """Modules with bitcode are written again, the engine is not."""
    paths = set(made(tree, "jit=1", "variants=none", "image"))
    assert {f"{OUT}/modules/{MODULE}.{kind}" for kind in ("bc", "mod")} <= paths
    assert f"{OUT}/modules/llama.mod" not in paths
    assert not [path for path in paths if path.startswith(f"{OUT}/obj/kernel/")]


@pytest.mark.full
def test_from_nothing_to_numbers(tree: Tree) -> None:
    """With the default model: a tiny one ends before anything is compiled."""
    model = f"model={default_model()}"
    text = tree.scons(model, "warmup", "variants=base", "runner=host", ok=True).text
    assert "equal in both" in text and (tree.top / OUT / "warmup.html").is_file()
    tree.scons(model, *TIERS, ok=True)
    builds = json.loads(tree.read("tiers-host.json"))["builds"]
    assert [build["name"] for build in builds] == [
        *("base", "variants", "base-jit", "variants-jit"),
    ]
    assert builds[0]["variant"] != builds[1]["variant"] and builds[2]["used"] > 0
    lowest = unpack(tree.read("tiers/base-registry.bin")).entries
    assert {entry.target for entry in lowest} == {OWN}
    bare = read_mod(tree.top / OUT / f"tiers/{MODULE}.{HIGHER[0]}.mod")
    assert bare.sections == [] and bare.bitcode == tree.read(f"modules/{MODULE}.{HIGHER[0]}.bc")
    with_it, without = (tree.read(f"{part}fat.img") for part in ("", "tiers/"))
    assert [b"JIT     ELF" in partition for partition in (with_it, without)] == [True, False]
