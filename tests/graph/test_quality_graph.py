"""The measurement of quality in the graph: what is converted and scored, and when it is again."""

from __future__ import annotations

from pathlib import Path

from fluid.quality_formats import FORMATS, model_path
from fluid.quality_texts import DOCUMENTS
from graph_tree import MODEL, OUT, Tree
from models import make_tiny

SCORES = f"{OUT}/quality/q8_0.json"


def test_every_format_is_converted_and_scored(tree: Tree) -> None:
    """Scores come when all models are there, one after the other."""
    text = tree.scons("-n", "-j1", "quality", ok=True).text
    places = {path: text.index(path) for path in map(model_path, FORMATS)}
    for kind in FORMATS:
        at = text.index(f"SCORE   {OUT}/quality/{kind.lower()}.json")
        assert max(places.values()) < at < text.index(f"QUALITY {OUT}/quality-host.json")
    assert f"{OUT}/fluid-host" in text


def test_no_model(tree: Tree) -> None:
    assert "CONVERT" not in tree.scons("-n", "image", ok=True).text


def test_scores_of_one_format(tree: Tree, tmp_path: Path) -> None:
    """Measured once, and again when a text changes where it is read, not further down."""
    make_tiny(tree.top / MODEL, "F32", "spm", ctx=2048)
    first = tree.scons(SCORES, ok=True)
    assert "quality/q8_0.json" in first.built and model_path("Q4_K") in first.built
    assert "up to date" in tree.scons(SCORES, ok=True).text
    tree.append(DOCUMENTS[0], "\nOne more sentence.\n")
    assert tree.scons(SCORES, ok=True).built == set()
    tree.prepend(DOCUMENTS[0], "Another beginning. ")
    assert tree.scons(SCORES, ok=True).built == {"quality/q8_0.json"}


def test_a_file_that_is_no_model(tree: Tree) -> None:
    """The stand-in of these trees; nothing is left of the attempt."""
    result = tree.scons(model_path("Q4_0"), ok=False)
    assert "E-QUAL-01" in result.text and not (tree.top / model_path("Q4_0")).exists()
