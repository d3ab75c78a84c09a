"""scons pgo=1: measure, plan, rebuild, measure again, in one command."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from fluid.hosted import LEVEL_BUILDS
from fluid.targets import COUNTED, DEFAULT_TARGET, NATIVE, TARGETS, module_variants
from graph_tree import MODEL, Tree
from models import tiny_maker

COUNTED_MODULES = {
    variant.name
    for variant in module_variants(TARGETS[DEFAULT_TARGET], Path(__file__).parents[2])
    if variant.category in COUNTED
}


def test_what_is_to_be_done(tree: Tree) -> None:
    """The kernel is shared by all four images; what is measured stands between them."""
    steps = re.findall(r"^  ([A-Z-]+) +(build/\S+)$", tree.scons("-n", "pgo=1", ok=True).text, re.M)
    paths = [path for _, path in steps]
    folder = f"build/{DEFAULT_TARGET}"
    order = [
        f"{folder}-base/fluid.img",
        f"{folder}-base/hotness.json",
        f"{folder}-trial/plan.json",
        f"{folder}-trial/fluid.img",
        f"{folder}-trial/compare.json",
        f"{folder}/plan.json",
    ]
    assert [path for path in paths if path in order] == order
    counted = next(i for i, (verb, _) in enumerate(steps) if verb == "COUNT")
    assert paths.index(f"{folder}-counters/fluid.img") < counted
    assert counted < paths.index(f"{folder}-trial/obj/x86-64-v2/modules/bench/sum.c.o")
    assert not [path for path in paths if re.search(r"-(base|counters|trial)/obj/kernel/", path)]
    again = {f"{folder}/obj/x86-64-v2/modules/bench/sum.c.o", f"{folder}/kernel.elf"}
    assert again & set(paths) == {f"{folder}/obj/x86-64-v2/modules/bench/sum.c.o"}


def test_levels(tree: Tree) -> None:
    """Every level has an image, and what is told of them comes last."""
    text = tree.scons("-n", "levels", ok=True).text
    steps = re.findall(r"^  ([A-Z-]+) +(build/\S+)$", text, re.M)
    images = {path for verb, path in steps if verb == "IMAGE"}
    folders = {*LEVEL_BUILDS, "base", "counters", "trial"}
    assert images == {f"build/{DEFAULT_TARGET}-{folder}/fluid.img" for folder in folders}
    assert steps[-1] == ("LEVELS", f"build/{DEFAULT_TARGET}/levels.json")


def test_given_hotness_is_not_measured(tree: Tree) -> None:
    (tree.top / "profiles/hotness").mkdir(exist_ok=True)
    kept = tree.top / f"profiles/hotness/{DEFAULT_TARGET}.json"
    kept.write_text("{}")
    assert "hotness.json" not in tree.scons("-n", "pgo=1", ok=True).text
    kept.unlink()
    (tree.top / "mine.json").write_text("{}")
    assert "/hotness.json" not in tree.scons("-n", "pgo=1", "hotness=mine.json", ok=True).text


def test_measured_must_be_what_is_used(tree: Tree) -> None:
    result = tree.scons("pgo=1", "check=undefined")
    assert result.status == 2 and "E-OPT-05 pgo=1" in result.text
    assert tree.scons("levels", "check=address").status == 2


def decided(tree: Tree, folder: str) -> dict[str, Any]:
    plan = json.loads((tree.top / "build" / folder / "plan.json").read_text())
    return dict(plan["modules"])


@pytest.mark.full
@pytest.mark.parametrize("target", ["i686", "x86-64-v2", NATIVE])
def test_from_nothing_to_the_table(tree: Tree, tmp_path: Path, target: str) -> None:
    """With a tiny model, so that it takes a minute or two; and the second call does nothing. What
    is for this machine is measured in it."""
    shutil.copy(tiny_maker(tmp_path)("Q4_1"), tree.top / MODEL)
    first = tree.scons("pgo=1", f"target={target}", ok=True)
    measured = json.loads((tree.top / f"build/{target}-base/hotness.json").read_text())
    assert {run["runner"] for run in measured["runs"]} == {"host" if target == NATIVE else "tcg"}
    trial, final = decided(tree, f"{target}-trial"), decided(tree, target)
    # Cycles of a real processor are fewer: not everything is hot there.
    hot = {"fft_1d", "matrix_mul"} if target == NATIVE else COUNTED_MODULES - {"llama"}
    assert {name for name, d in trial.items() if d["profile"]} >= hot
    table = (tree.top / f"build/{target}-trial/compare.txt").read_text()
    assert table in first.text
    for name, decision in trial.items():
        kept = final[name] == decision
        assert kept or final[name]["why"].startswith("kept: "), name
        used = "-fprofile-instr-use=" in flags_of(tree, target, name)
        assert used == final[name]["profile"], name
    second = tree.scons("pgo=1", f"target={target}", ok=True)
    assert second.built == set() and "up to date" in second.text


def flags_of(tree: Tree, target: str, module: str) -> str:
    """Of its sources in C, or C++, or both."""
    paths = sorted((tree.top / f"build/{target}/flags").glob(f"{module}.*.rsp"))
    assert paths
    return "".join(path.read_text() for path in paths)
