"""Synthetic models, and what bench peers= needs of them, in the graph."""

from __future__ import annotations

import pytest

from fluid.synthetic_shapes import model_path
from graph_tree import OUT, Tree

PEERS = ("-n", "bench", "runner=host")


@pytest.mark.parametrize(
    ("value", "kinds"), [("1", ("q4_0",)), ("all", ("q4_0", "q8_0", "q4_k", "q2_k"))]
)
def test_an_image_for_each_model(tree: Tree, value: str, kinds: tuple[str, ...]) -> None:
    text = tree.scons(*PEERS, f"peers={value}", "model=", ok=True).text
    made = {word for word in text.split() if word.startswith("build/models/")}
    assert made == {f"build/models/tinyllama-{kind}.gguf" for kind in kinds}
    for kind in kinds:
        assert f"IMAGE   {OUT}/peers/tinyllama-{kind}.img" in text
    assert f"{OUT}/peers/read_bandwidth" in text and f"{OUT}/fluid-host" in text


def test_a_model_of_ones_own(tree: Tree) -> None:
    """Alone, in the image that it has anyway."""
    text = tree.scons(*PEERS, "peers=1", ok=True).text
    assert "build/models" not in text and f"PEERS {OUT}/peers-host.json" in text


def test_a_synthetic_model(tree: Tree) -> None:
    """Once, by its alias or its path; another type is another file."""
    path = model_path("tiny", "Q4_K")
    given = ("synthetic", "shape=tiny", "type=Q4_K")
    tree.scons(*given, ok=True)
    first = (tree.top / path).read_bytes()
    assert "up to date" in tree.scons(*given, ok=True).text
    assert "up to date" in tree.scons(path, ok=True).text
    assert "MODEL" in tree.scons("-n", "synthetic", "shape=tiny", ok=True).text
    assert first.startswith(b"GGUF")
