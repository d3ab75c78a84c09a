"""The cache partition's size is the image's alone, and what shows and replaces it."""

from __future__ import annotations

from cache_images import cache_of, filled
from fluid.image import MIB, read_layout
from graph_tree import OUT, Tree


def test_size_of_the_cache(tree: Tree) -> None:
    """Another size: the image, and nothing else; none: one partition."""
    image = tree.top / OUT / "fluid.img"
    default = image.stat().st_size
    assert [p.type for p in read_layout(image).partitions] == [0x0E, 0x7F]
    assert tree.scons("cache=4", ok=True).built == {"fluid.img"}
    assert image.stat().st_size == default - 12 * MIB
    assert tree.scons("cache=0", ok=True).built == {"fluid.img"}
    assert [p.type for p in read_layout(image).partitions] == [0x0E]
    refused = tree.scons("cache-show", "cache=0")
    assert refused.status == 2 and "E-CACHE-50" in refused.text
    assert tree.scons("cache=").status == 2


def test_show_pull_and_push(tree: Tree) -> None:
    """With the built image and a file beside it, or with named ones."""
    image = tree.top / OUT / "fluid.img"
    shown = tree.scons("cache-show", ok=True)
    assert "0 entries (blank)" in shown.text and shown.built == set()
    (tree.top / "mine.bin").write_bytes(filled(16 * MIB // 512))
    tree.scons("cache-push", "cachefile=mine.bin", ok=True)
    assert "4 entries, 4 records" in tree.scons("cache-show", ok=True).text
    with (tree.top / "src/kernel/main.c").open("a") as source:
        source.write("/* more */\n")
    pulled = tree.scons("cache-pull", ok=True)
    assert pulled.built == set(), "a new image would have an empty cache"
    assert (tree.top / OUT / "cache.bin").read_bytes() == (tree.top / "mine.bin").read_bytes()
    image.rename(tree.top / "copy.img")
    text = tree.scons("cache-show", "image=copy.img", ok=True).text
    assert "4 entries" in text and not image.exists(), "nothing is built for a named image"
    assert len(cache_of(tree.top / "copy.img").rows) == 4
