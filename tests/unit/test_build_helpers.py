"""What a build step depends on: its helper files and all they import."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from fluid import helpers

FILES = sorted(helpers.PACKAGE.glob("*.py"))


def _imports_by_ast(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "fluid":
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.update([node.module.removeprefix("fluid.")] * node.module.startswith("fluid."))
        elif isinstance(node, ast.Import):
            names.update(a.name[6:] for a in node.names if a.name.startswith("fluid."))
    return names


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_imports_are_what_python_sees(path: Path) -> None:
    """The patterns find the imports that the parser finds, in every file of the package."""
    assert helpers.imports(path) == _imports_by_ast(path)


def test_forms_of_import(tmp_path: Path) -> None:
    """Every way to write an import counts, also inside a function."""
    file = tmp_path / "file.py"
    file.write_text(
        "import fluid.a\nfrom fluid.b import x\nfrom fluid import c, d as e\n"
        "from fluid import (\n    f,  # why\n    g as h,\n)\n"
        "def step():\n    from fluid import i\n    from fluid.j import (\n        y,\n    )\n"
        "from fluidity import k\n"
    )
    assert helpers.imports(file) == _imports_by_ast(file) == set("abcdfgij")


def test_closure_is_transitive() -> None:
    """modfile imports modlayout, which imports errors."""
    names = [path.name for path in helpers.closure("modfile")]
    assert {"modfile.py", "modlayout.py", "errors.py"} <= set(names)
    assert names == sorted(names)
    assert "plan.py" not in names
