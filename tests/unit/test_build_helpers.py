"""What a build step depends on: its helper files and all they import."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from fluid import helpers

FILES = sorted(helpers.PACKAGE.glob("*.py"))
TOOLS = sorted((helpers.PACKAGE.parent / "site_tools").glob("*.py"))


def _imports_by_ast(text: str) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(text)):
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
    assert helpers.imports(path) == _imports_by_ast(path.read_text(encoding="utf-8"))


def test_forms_of_import(tmp_path: Path) -> None:
    """Every way to write an import counts, also inside a function."""
    file = tmp_path / "file.py"
    file.write_text(
        "import fluid.a\nfrom fluid.b import x\nfrom fluid import c, d as e\n"
        "from fluid import (\n    f,  # why\n    g as h,\n)\n"
        "def step():\n    from fluid import i\n    from fluid.j import (\n        y,\n    )\n"
        "from fluidity import k\n"
    )
    assert helpers.imports(file) == _imports_by_ast(file.read_text()) == set("abcdfgij")


def test_closure_is_transitive() -> None:
    """modfile imports modlayout, which imports errors."""
    names = [path.name for path in helpers.closure("modfile")]
    assert {"modfile.py", "modlayout.py", "errors.py"} <= set(names)
    assert names == sorted(names)
    assert "plan.py" not in names


def test_closure_of_a_misspelling() -> None:
    """A name that is no module is an error, not a step without its dependency."""
    with pytest.raises(FileNotFoundError, match="modfiel"):
        helpers.closure("modfiel")


def test_steps_name_what_they_import() -> None:
    """Each PythonBuilder(name, verb, helpers, step) depends on all that its step imports."""
    checked = 0
    for tool in TOOLS:
        tree = ast.parse(tool.read_text(encoding="utf-8"))
        steps = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "env.PythonBuilder":
                named, step = ast.literal_eval(call.args[2]), steps[ast.unparse(call.args[3])]
                files = {path.stem for path in helpers.closure(*named)}
                imported = _imports_by_ast(ast.unparse(step))
                assert imported, step.name
                assert imported <= files, step.name
                checked += 1
    assert checked > 10
