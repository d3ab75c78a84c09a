"""scons report: what it needs, and that it is made again when there is news; times of steps."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from fluid import history, timing
from fluid.hosted import LEVEL_BUILDS
from fluid.targets import DEFAULT_TARGET
from graph_tree import MODEL, OUT, Tree
from models import tiny_maker

FOLDER = f"build/{DEFAULT_TARGET}"


def steps(tree: Tree, *arguments: str) -> list[str]:
    """What would be made, in order."""
    text = tree.scons("-n", *arguments, ok=True).text
    return re.findall(r"^  [A-Z-]+ +(build/\S+)$", text, re.M)


def test_everything_is_measured_first(tree: Tree) -> None:
    """One measurement with a clock after the other, and nothing compiled beside them."""
    paths = steps(tree, "-j1", "report")
    hotness, compared = f"{FOLDER}-base/hotness.json", f"{FOLDER}-trial/compare.json"
    levels, plan = f"{FOLDER}/levels.json", f"{FOLDER}/plan.json"
    page = f"{FOLDER}/report/index.html"
    first, second = sorted((paths.index(compared), paths.index(levels)))
    assert paths.index(hotness) < first < second < paths.index(plan) < paths.index(page)
    made = paths[first + 1 : second] + paths[second + 1 : paths.index(plan)]
    assert not [path for path in made if path.endswith(".c.o")]
    images = {f"{FOLDER}-{form}/fluid.img" for form in ("base", "trial", *LEVEL_BUILDS)}
    assert images <= set(paths[:first])
    assert f"{FOLDER}/report/stacks.speedscope.json" in paths


def test_a_part_by_its_path(tree: Tree) -> None:
    assert steps(tree, f"{FOLDER}/report/index.html")[-1] == f"{FOLDER}/report/index.html"


def test_samples_of_a_training_of_ones_own(tree: Tree) -> None:
    """They are shown with the hotness that they belong to; no other training is needed."""
    (tree.top / "mine.json").write_text("{}")
    given = ("report", "hotness=mine.json")
    assert f"{FOLDER}-base/hotness.json" in steps(tree, *given)  # for its samples
    (tree.top / OUT / "samples.json").write_text("{}")
    assert f"{FOLDER}-base/hotness.json" not in steps(tree, *given)


@pytest.mark.parametrize(
    "path", ["peers-host.json", "quality-host.json", "tiers-host.json", "warmup.json"]
)
def test_what_somebody_asked_for_is_shown(tree: Tree, path: str) -> None:
    """It is no reason to measure, and a new measurement makes a new page."""
    page = f"{FOLDER}/report/index.html"
    needs = tree.scons("-n", "--tree=derived,prune", "report", ok=True).text
    assert path not in needs
    (tree.top / OUT / path).write_text("{}")
    text = tree.scons("-n", "--tree=all,prune", page, ok=True).text
    (tree.top / OUT / path).unlink()
    assert path in text


def test_measured_must_be_what_is_used(tree: Tree) -> None:
    result = tree.scons("report", "check=undefined")
    assert result.status == 2 and "E-OPT-05 pgo=1" in result.text


def test_times_of_steps(tree: Tree) -> None:
    """A record for each step with what it needs; a null build leaves none, and no product has a
    clock in it (test_products.py compares those of two builds)."""
    log = tree.top / "build" / timing.FILE
    made, problems = timing.read_timing(log)
    assert problems == [] and len({step.run for step in made}) == 1
    products = {path for step in made for path in step.targets}
    assert products == {path for path in tree.products() if not path.endswith("rsp.none")}
    image = next(step for step in made if step.name == f"{OUT}/fluid.img")
    assert (image.verb, set(image.needs)) == ("IMAGE", {f"{OUT}/boot.bin", f"{OUT}/fat.img"})
    assert timing.critical_path(made)[-1] == image
    starts = {step.name: step for step in made}
    for step in made:
        assert all(starts[need].end <= step.start for need in step.needs if need in starts), step
    before = log.read_bytes()
    tree.scons(ok=True)
    assert log.read_bytes() == before


def test_a_failed_step_leaves_no_time(tree: Tree) -> None:
    tree.append("src/kernel/main.c", "what is this?\n")
    tree.scons("verbose=1", ok=False)
    made, problems = timing.read_timing(tree.top / "build" / timing.FILE)
    [first] = [step for step in made if step.name == f"{OUT}/obj/kernel/main.c.o"]
    assert problems == [] and first.run == made[0].run


def test_a_log_that_cannot_be_written_stops_no_build(tree: Tree) -> None:
    log = tree.top / "build" / timing.FILE
    log.unlink()
    log.mkdir()
    tree.append("src/kernel/main.c", "int graph_test(void);\nint graph_test(void) { return 7; }\n")
    result = tree.scons(ok=True)
    assert "kernel.elf" in result.built
    assert result.text.count("warning E-RPT-02") == 1


@pytest.mark.full
def test_from_nothing_to_the_page(tree: Tree, tmp_path: Path) -> None:
    """With a tiny model. A second call does nothing; news in the history is shown, and what is
    wrong there, and -c leaves the history alone."""
    shutil.copy(tiny_maker(tmp_path)("Q4_1"), tree.top / MODEL)
    tree.scons("report", ok=True)
    page = tree.read("report/index.html").decode()
    assert 'id="flame-icicle"' in page and 'id="history-cycles"' in page
    second = tree.scons("report", ok=True)
    assert second.built == set() and "up to date" in second.text
    log = tree.top / "build" / history.FILE
    log.write_bytes(log.read_bytes() + b"no record\n")
    third = tree.scons("report", ok=True)
    assert third.built == {"report/index.html"} and "warning E-RPT-01" in third.text
    assert "E-RPT-01 history.jsonl, line" in tree.read("report/index.html").decode()
    tree.scons("-c", "report", ok=True)
    assert log.is_file() and not (tree.top / OUT / "report/index.html").exists()
