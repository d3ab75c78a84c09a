"""What SCons says to arguments: status 2 with the valid ones for what it does not know."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fluid.needs import TESTS_OF_JIT
from fluid.options import ALIASES, OPTIONS
from fluid.suites import BY_TARGET
from graph_tree import Tree, copy_sources


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """A tree that is not built."""
    return copy_sources(tmp_path_factory.mktemp("options") / "tree")


def test_unknown_option(sources: Tree) -> None:
    """A misspelt option is not ignored."""
    result = sources.scons("tagret=i686")
    assert result.status == 2
    assert "E-OPT-01" in result.text
    assert "tagret" in result.text and "did you mean target?" in result.text
    assert all(option.name in result.text for option in OPTIONS)


@pytest.mark.parametrize(
    ("argument", "valid"),
    [
        ("target=i486", "i686|x86-64|x86-64-v2|x86-64-v3|x86-64-v4"),
        ("variants=most", "all|base"),
        ("runner=vmware", "auto|tcg|kvm|bochs|host"),
        ("check=thread", "none|address|coverage"),
        ("mem=lots", "128.."),
        ("mem=1", "128.."),
        ("smp=0", "1..32"),
        ("smp=33", "1..32"),
        ("peers=2", "0|1|all"),
        ("verbose=yes", "0|1"),
        ("full=2", "0|1"),
        ("model=nowhere.gguf", "existing GGUF file"),
        ("model=SConstruct", "existing GGUF file"),
        ("hotness=none.json", "; ./sconsw profile writes"),
        ("keep=2", "0|1"),
    ],
)
def test_bad_value(sources: Tree, argument: str, valid: str) -> None:
    """A bad value is refused with the valid ones."""
    result = sources.scons(argument)
    assert result.status == 2
    assert f"E-OPT-02 {argument} " in result.text
    assert valid in result.text


def test_unknown_alias(sources: Tree) -> None:
    """A misspelt alias is answered with the list of aliases."""
    result = sources.scons("imgae")
    assert result.status == 2
    assert "E-OPT-03" in result.text
    assert all(alias in result.text for alias in ALIASES)


def test_values_that_do_not_fit(sources: Tree) -> None:
    """Instrumented modules cannot run in an emulator: said before anything is built."""
    result = sources.scons("run", "check=address")
    assert result.status == 2
    assert "E-OPT-05" in result.text
    assert result.built == set()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["check=1"], "E-OPT-05 check=1 is expected with the goal bench alone, found none"),
        (["run", "check=1"], "E-OPT-05 check=1 is expected with the goal bench alone, found run"),
        (["image", "check=write"], "E-OPT-05 check=write is expected with the goal bench alone"),
        (["bench", "check=1", "runner=host"], "E-OPT-05 check=1 is expected with runner=auto|tcg"),
        (["run", "peers=1"], "E-OPT-05 peers=1 is expected with the goal bench alone, found run"),
        (["bench", "peers=1", "runner=host", "pgo=1"], "E-OPT-05 peers=1 is expected with pgo=0"),
        (["bench", "check=1", "target=x86-64-v4"], "E-BENCH-50 a target with baselines expected"),
        (["bench", "check=1", "target=native"], "E-BENCH-50 a target with baselines expected"),
    ],
)
def test_measurements_are_for_bench_alone(
    sources: Tree, arguments: list[str], sentence: str
) -> None:
    """Said before anything is built."""
    result = sources.scons(*arguments)
    assert result.status == 2
    assert sentence in result.text
    assert result.built == set()


def test_the_gate_builds_the_plain_image(sources: Tree) -> None:
    """check=1 is no build of its own (-n: told, not done)."""
    result = sources.scons("-n", "bench", "check=1", "target=i686", ok=True)
    assert "build/i686/fluid.img" in result.built
    assert {path.split("/")[1] for path in result.built} == {"i686"}
    assert "  BENCH   build/i686/fluid.img" in result.text


def test_tests_by_target_know_levels_only(sources: Tree) -> None:
    """There are no tests of a machine of one's own."""
    result = sources.scons("test-qemu", "target=native")
    assert result.status == 2
    assert "E-OPT-05 test-qemu is expected with target=i686|x86-64|" in result.text
    assert result.built == set()


@pytest.mark.parametrize("alias", sorted(BY_TARGET))
def test_tests_of_one_target_build_that_one(sources: Tree, alias: str) -> None:
    """target= on the command line leaves out the images of the others (-n: told, not done).
    jit.elf, which tests in QEMU run, is the same for all."""
    result = sources.scons("-n", alias, "target=x86-64-v3", ok=True)
    assert "build/x86-64-v3/boot.bin" in result.built
    folders = {"x86-64-v3", *(["jit"] if alias in TESTS_OF_JIT else [])}
    assert {path.split("/")[1] for path in result.built} == folders
    assert "  TEST    tests/qemu" in result.text


def test_help(sources: Tree) -> None:
    """-h explains every option and alias and builds nothing."""
    result = sources.scons("-h", ok=True)
    for name in (*ALIASES, *(option.name for option in OPTIONS)):
        assert f"\n  {name} " in result.text
    assert result.built == set()


def test_no_compiler(sources: Tree, tmp_path: Path) -> None:
    """Without the tools the remedy is named."""
    result = sources.scons(PATH=str(tmp_path))
    assert result.status == 2
    assert "E-TOOL-01" in result.text
    assert "clang-19" in result.text
    assert "sconsw" in result.text


def test_another_compiler(sources: Tree, tmp_path: Path) -> None:
    """A program that names no version would be used without noticing its changes."""
    fake = tmp_path / "ld.lld-19"
    fake.write_text("#!/bin/sh\necho a linker\n")
    fake.chmod(0o755)
    result = sources.scons(PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert result.status == 2
    assert "E-TOOL-02" in result.text
    assert "'a linker" in result.text
