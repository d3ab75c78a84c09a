"""Options and goals of the build: valid values and messages."""

from __future__ import annotations

from pathlib import Path

import pytest

from fluid import options
from fluid.emulator import EMULATED
from fluid.targets import DEFAULT_TARGET, TARGETS


def test_defaults_are_valid() -> None:
    """Every default passes its own check."""
    assert options.problems({o.name: o.default for o in options.OPTIONS}) == []


def test_every_target_can_be_emulated() -> None:
    """`scons run` and the tests that boot cover all targets."""
    assert list(EMULATED) == list(TARGETS)


def test_each_problem_is_reported() -> None:
    """One sentence per wrong argument, not only for the first."""
    found = options.problems({"target": "i386", "nme": "1", "mem": "512"})
    assert len(found) == 2
    assert found[0].startswith("E-OPT-02 target=i386")
    assert found[1].startswith("E-OPT-01 option 'nme'")


@pytest.mark.parametrize("value", ["", "-1", "1.5", "0x100", "127", "65537", "²"])
def test_memory_out_of_range(value: str) -> None:
    """mem is a whole number of MiB in a range."""
    assert options.problems({"mem": value})


def test_model_must_exist(tmp_path: Path) -> None:
    """model= names a file, not a folder."""
    file = tmp_path / "model.gguf"
    file.write_bytes(b"GGUF")
    assert options.problems({"model": str(file)}) == []
    assert options.problems({"model": str(tmp_path)})


def test_goals() -> None:
    """Aliases and paths are goals; anything else is a misspelling."""
    assert options.unknown_goals(["image", "build/i686/kernel.elf", "src"]) == []
    assert "E-OPT-03 'tset'" in options.unknown_goals(["tset"])[0]


def test_wanted_targets() -> None:
    """The chosen target, those named by path, and all of them for tests that boot."""
    assert options.wanted_targets(DEFAULT_TARGET, []) == [DEFAULT_TARGET]
    assert options.wanted_targets("i686", ["run"]) == ["i686"]
    assert options.wanted_targets("i686", ["test"]) == list(TARGETS)
    assert options.wanted_targets("i686", ["test-qemu"]) == list(TARGETS)
    assert options.wanted_targets("x86-64-v2", ["build/i686/kernel.elf"]) == ["i686", "x86-64-v2"]


def test_default_model_is_found() -> None:
    """The package of the locked requirements holds one GGUF file."""
    model = options.default_model()
    assert model is not None
    assert model.read_bytes()[:4] == b"GGUF"


def test_help_names_everything() -> None:
    """The help text has a line for every alias and option."""
    text = options.help_text()
    assert all(f"\n  {name} " in text for name in options.ALIASES)
    assert all(f"\n  {option.name} " in text for option in options.OPTIONS)
