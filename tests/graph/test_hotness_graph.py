"""What a change of measurements rebuilds."""

from __future__ import annotations

import json
from pathlib import Path

from fluid import sources
from fluid.planner import THRESHOLDS
from fluid.targets import DEFAULT_TARGET, TARGETS, module_variants
from graph_tree import Tree
from test_rebuild import ABOVE_MODS, LINKED, MODS, MODULE, OBJECTS, OWN

OTHER = "tensor_act"


def hotness(tree: Tree, **cycles: int) -> str:
    """The option that names a file in which these modules took so many cycles in 2000 calls."""
    functions = []
    for name, count in cycles.items():
        [variant] = [
            v for v in module_variants(TARGETS[DEFAULT_TARGET], tree.top, "base") if v.name == name
        ]
        files = sources.of_module(tree.top, variant.sources)
        functions.append(
            {
                **{"module": name, "source": sources.digest(tree.top, files).hex()},
                **{"name": "f", "caller": "kernel", "rows": 0, "cols": 0},
                **{"calls": 2000, "cycles": count, "min": 1, "median": 2, "max": 3},
            }
        )
    run = {"build": "0" * 32, "cpu": "test", "runner": "host", "hz": 1}
    content = {"schema": 1, "target": DEFAULT_TARGET, "runs": [run], "functions": functions}
    (tree.top / "hotness.json").write_text(json.dumps(content))
    return "hotness=hotness.json"


def test_hotness_across_a_threshold(tree: Tree) -> None:
    """It rebuilds what that module is in, and nothing of another one; inside a level only the plan
    is made again."""
    hot, cold = THRESHOLDS["tensor"].cycles, THRESHOLDS["tensor"].cycles - 1
    tree.scons(hotness(tree, **{MODULE: cold, OTHER: hot}), ok=True)
    assert b"-O2" in tree.read(f"flags/{MODULE}.{OWN}.rsp")
    flags = {f"flags/{MODULE}.{Path(path).parts[1]}.rsp" for path in OBJECTS}
    assert len(flags) == len(OBJECTS)
    built = tree.scons(hotness(tree, **{MODULE: hot, OTHER: hot}), ok=True).built
    assert built == {"plan.json"} | flags | OBJECTS | LINKED | MODS | ABOVE_MODS
    assert b"-O3" in tree.read(f"flags/{MODULE}.{OWN}.rsp")
    built = tree.scons(hotness(tree, **{MODULE: 2 * hot, OTHER: 9 * hot}), ok=True).built
    assert built == {"plan.json"}


def test_hotness_of_other_sources(tree: Tree) -> None:
    """A module that has changed since keeps the baseline, and only that one."""
    hot = THRESHOLDS["tensor"].cycles
    option = hotness(tree, **{MODULE: hot, OTHER: hot})
    tree.append(f"src/modules/tensor/{MODULE}.c", "\n/* changed */\n")
    tree.scons(option, ok=True)
    assert b"-O2" in tree.read(f"flags/{MODULE}.{OWN}.rsp")
    assert b"-O3" in tree.read(f"flags/{OTHER}.{OWN}.rsp")
    assert b"other sources" in tree.read("plan.json")


def test_damaged_hotness(tree: Tree) -> None:
    """Nothing is decided by it, and the image stays as it was."""
    option = hotness(tree, **{MODULE: 1})
    before = tree.read("fluid.img")
    path = tree.top / "hotness.json"
    path.write_text(path.read_text().replace('"calls": 2000', '"calls": NaN'))
    result = tree.scons(option)
    assert result.status == 2 and "E-HOT-01" in result.text and "NaN" in result.text
    assert tree.read("fluid.img") == before
