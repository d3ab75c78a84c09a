"""A built copy of the tree to change things in: each graph test gets its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from graph_tree import Tree, copied, copy_sources

NO_APT = '#!/bin/sh\necho "E: no network" >&2\nexit 100\n'


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


@pytest.fixture
def offline(tmp_path: Path) -> dict[str, str]:
    """Variables of a user without the source on a machine without network."""
    folder = tmp_path / "tools"
    folder.mkdir()
    (folder / "apt-get").write_text(NO_APT)
    (folder / "apt-get").chmod(0o755)
    cache = tmp_path / "empty cache"
    return {"PATH": f"{folder}:{os.environ['PATH']}", "XDG_CACHE_HOME": str(cache)}
