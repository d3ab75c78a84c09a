"""Which files of this package a build step runs: the modules it names and all that they import."""

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
def closure(*names: str) -> tuple[Path, ...]:
    """Files of these modules and of all here that they import, directly or not, sorted."""
    found: set[Path] = set()
    waiting = list(names)
    while waiting:
        path = PACKAGE / f"{waiting.pop()}.py"
        if path not in found and path.is_file():
            found.add(path)
            waiting.extend(_imports(path))
    return tuple(sorted(found))
