"""fluid-host in the graph: built when asked for, apart from the image; instrumented apart again."""

from __future__ import annotations

from graph_tree import OUT, Tree

HOST = f"{OUT}/fluid-host"
SYMBOLS = f"{OUT}/fluid-host.ksyms"
LINKED = {"fluid-host", "fluid-host.ksyms"}
CODE = "int graph_test_{0}(void);\nint graph_test_{0}(void) {{ return 7; }}\n"


def test_built_only_when_asked_for(tree: Tree) -> None:
    """A plain build leaves it out; building it builds nothing of the image again."""
    assert not any("host" in path for path in tree.products())
    built = tree.scons(SYMBOLS, ok=True).built
    assert built >= LINKED | {"flags/host.rsp", "flags/host-link.rsp"}
    assert all(path.startswith(("obj/host/", "flags/host", "fluid-host")) for path in built)
    assert tree.scons(SYMBOLS, ok=True).built == set()
    assert tree.scons(ok=True).built == set()


def test_sources(tree: Tree) -> None:
    """Kernel code is compiled for both, the machine's stand-in only for the process."""
    tree.scons(SYMBOLS, ok=True)
    tree.append("src/kernel/arch/hosted/absent.c", CODE.format("one"))
    assert tree.scons(ok=True).built == set()
    hosted = {"obj/host/kernel/arch/hosted/absent.c.o"}
    assert tree.scons(SYMBOLS, ok=True).built == hosted | LINKED
    tree.append("src/kernel/console/utf8.c", CODE.format("other"))
    assert "obj/kernel/console/utf8.c.o" in tree.scons(ok=True).built
    assert tree.scons(SYMBOLS, ok=True).built == {"obj/host/kernel/console/utf8.c.o"} | LINKED


def test_instrumented_builds_lie_apart(tree: Tree) -> None:
    """Switching check= back and forth rebuilds nothing."""
    target = f"{OUT}-address/modules/tensor_f32.mod"
    assert tree.scons("check=address", target, ok=True).built >= {target}
    assert tree.scons(ok=True).built == set()
    assert tree.scons("check=address", target, ok=True).built == set()
    assert tree.scons(target, ok=True).built == set()  # the path says as much as the option
