"""Which files of this package a build step runs: the module it names and all that it imports."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parent


@cache
def _imports(path: Path) -> frozenset[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_bytes(), str(path))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
    return frozenset(n.removeprefix("fluid.") for n in names if n.startswith("fluid."))


@cache
def closure(name: str) -> tuple[Path, ...]:
    """Files of fluid.<name> and of every fluid module that it imports, directly or not, sorted."""
    found: set[Path] = set()
    waiting = [name]
    while waiting:
        path = PACKAGE / f"{waiting.pop()}.py"
        if path not in found and path.is_file():
            found.add(path)
            waiting.extend(_imports(path))
    return tuple(sorted(found))
