"""fluid-host in the graph: built when asked for, apart from the image; instrumented apart again."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fluid import coverage, coverage_export, coverage_lines, ksyms
from graph_tree import MODEL, OUT, Tree

HOST = f"{OUT}/fluid-host"
SYMBOLS = f"{OUT}/fluid-host.ksyms"
LINKED = {"obj/host/fluid-host", "obj/host/fluid-host.ksyms", "fluid-host"}
CODE = "int graph_test_{0}(void);\nint graph_test_{0}(void) {{ return 7; }}\n"


def test_built_only_when_asked_for(tree: Tree) -> None:
    """A plain build leaves it out; building it builds nothing of the image again."""
    assert not any("host" in path for path in tree.products())
    built = tree.scons(SYMBOLS, ok=True).built
    assert built >= LINKED | {"flags/host.rsp", "flags/host-link.rsp"}
    places = ("obj/host/", "obj/llvm-libc/host.", "flags/host", "flags/libc.host.", "fluid-host")
    assert all(path.startswith(places) for path in built)
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


def test_a_build_beside_a_session(tree: Tree) -> None:
    """What was built for it is noted when it begins, and what is built meanwhile stays so."""
    command = [sys.executable, "-m", "SCons", f"model={MODEL}", "run", "runner=host"]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd=tree.top, **pipes) as session:
        assert session.stdout and any(
            b"E-GGUF" in line for line in session.stdout
        )  # the machine runs
        assert tree.scons(HOST, ok=True).built == set()
        tree.append("src/kernel/console/utf8.c", CODE.format("beside"))
        assert "obj/host/kernel/console/utf8.c.o" in tree.scons(HOST, ok=True).built
        session.communicate(b"/off\n", timeout=60)
    assert session.returncode == 0
    assert tree.scons(HOST, ok=True).built == set()


@pytest.mark.parametrize("goal", [HOST, SYMBOLS])
def test_program_and_symbols_fit(tree: Tree, goal: str) -> None:
    """Whichever of the two is asked for by its path."""
    tree.scons(goal, ok=True)
    symbols = tree.read("fluid-host.ksyms")
    tree.append("src/kernel/main.c", CODE.format("moves_what_follows"))
    tree.scons(goal, ok=True)
    assert tree.read("fluid-host.ksyms") != symbols
    read = ksyms.read_symbols(tree.top / HOST)
    assert ksyms.unpack(tree.read("fluid-host.ksyms")) == read


def test_instrumented_builds_lie_apart(tree: Tree) -> None:
    """Switching check= back and forth rebuilds nothing."""
    target = f"{OUT}-address/modules/tensor_f32.mod"
    assert tree.scons("check=address", target, ok=True).built >= {target}
    assert tree.scons(ok=True).built == set()
    assert tree.scons("check=address", target, ok=True).built == set()
    assert tree.scons(target, ok=True).built == set()  # the path says as much as the option


def test_no_library_for_the_target(tree: Tree) -> None:
    """Asked for by name, a fluid-host that cannot be linked names what is missing."""
    folder = tree.top / "tools"
    folder.mkdir()
    fake = folder / "clang-19"
    fake.write_text(
        '#!/bin/sh\ncase "$*" in *-print-file-name=*) echo crt1.o ;; '
        f'*) exec {shutil.which("clang-19")} "$@" ;; esac\n'
    )
    fake.chmod(0o755)
    path = f"{folder}:{os.environ['PATH']}"
    result = tree.scons("target=i686", "build/i686/fluid-host", PATH=path)
    assert result.status == 2
    assert "E-TOOL-05" in result.text
    assert "libc6-dev-i386" in result.text
    assert "build/i686/fluid-host" not in tree.products()
    planned = tree.scons("-n", "test-qemu", "target=i686", PATH=path, ok=True).built
    assert "build/i686/boot.bin" in planned and "build/i686/fluid-host" not in planned  # skipped


def test_what_coverage_builds(tree: Tree) -> None:
    """Instrumented images and fluid-host of one target of each width, in folders of their own."""
    planned = tree.scons("-n", "coverage", ok=True).built
    for target in ("i686", "x86-64-v2"):
        of_target = {path for path in planned if path.startswith(f"build/{target}-coverage/")}
        names = {path.removeprefix(f"build/{target}-coverage/") for path in of_target}
        assert names >= {"kernel.elf", "registry.bin", "boot.bin", "fluid-host"}
        assert f"obj/{target}/llama.o" in names
    assert not any(path.startswith("build/x86-64-v2-address/") for path in planned)
    assert not planned & LINKED


@pytest.mark.full
def test_coverage_counts_kernel_and_modules(tree: Tree, tmp_path: Path) -> None:
    """One process leaves profiles of itself and of its modules, and both have lines that ran."""
    out = tree.top / f"{OUT}-coverage"
    tree.scons(f"{OUT}-coverage/fluid.img", f"{OUT}-coverage/fluid-host", ok=True)
    subprocess.run(
        [str(out / "fluid-host"), "--mem", "256", str(out / "fluid.img")],
        input=b"/selftest\n",
        capture_output=True,
        env={**os.environ, coverage.FOLDER: str(tmp_path)},
        timeout=120,
    )
    parts = coverage_export.host_parts(tmp_path, out)
    lines = coverage_export.lines_of(parts, tmp_path / "work", tree.top, lambda text: None)

    def percent(path: str) -> float:
        return coverage_lines.count({path: lines[path]}).percent

    assert percent("src/kernel/mm/heap.c") > 80
    assert percent("src/modules/llama/gguf.c") > 0  # refuses the stand-in
    assert percent("src/kernel/selftest/test_lib.c") > 80
