"""A built copy of the tree to change things in: each graph test gets its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from graph_tree import Tree, copied, copy_sources


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """The tree built once for the default target; not to be changed."""
    tree = copy_sources(tmp_path_factory.mktemp("graph") / "tree")
    tree.scons(ok=True)
    return tree


@pytest.fixture
def tree(built: Tree, tmp_path: Path) -> Iterator[Tree]:
    """A copy of the tree built for the default target."""
    yield from copied(built, tmp_path / "tree")
