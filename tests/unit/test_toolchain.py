"""The toolchain lock."""

from pathlib import Path

import pytest

from fluid import libc_source, toolchain
from fluid.errors import FluidError
from fluid.toolchain import Tool

ROOT = Path(__file__).resolve().parents[2]
ONE = Tool("tool 1.0", "aa")


def test_the_lock_in_the_tree_names_every_tool() -> None:
    lock = toolchain.read_lock(ROOT / toolchain.LOCK_FILE)
    assert set(lock) == {*toolchain.PROGRAMS, *toolchain.PACKAGES, *toolchain.SOURCES}
    assert all(tool.version and len(tool.sha256 or "") == 64 for tool in lock.values())


def test_a_scan_can_be_locked(tmp_path: Path) -> None:
    found = toolchain.scan({})
    assert set(found) >= {"clang", "lld", "scons"}
    lock = tmp_path / "lock.json"
    lock.write_bytes(toolchain.lock_json(found))
    assert toolchain.read_lock(lock) == found
    assert toolchain.differences(found, found) == []


def test_version_lines() -> None:
    assert toolchain.version_line("llvm-objcopy, compatible\n  LLVM version 19.1.7\n") == (
        "LLVM version 19.1.7"
    )
    assert toolchain.version_line("no number") == ""


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        ({"a": ONE}, None),
        ({"a": Tool("tool 1.0", None)}, None),
        ({"a": Tool("tool 2.0", "aa")}, "a: 'tool 1.0' expected, 'tool 2.0' found"),
        ({"a": Tool("tool 1.0", "bb")}, "a: tool 1.0 with SHA-256 aa expected, bb found"),
        ({}, "a: 'tool 1.0' expected, none found"),
        ({"a": ONE, "b": ONE}, "b: none expected, 'tool 1.0' found"),
    ],
)
def test_differences(found: dict[str, Tool], sentence: str | None) -> None:
    assert toolchain.differences({"a": ONE}, found) == ([sentence] if sentence else [])
    shown = toolchain.table({"a": ONE}, found)
    assert ("DIFFERS" in shown) is (found != {"a": ONE})


def test_a_missing_lock_is_told(tmp_path: Path) -> None:
    with pytest.raises(FluidError, match="E-TOOL-04"):
        toolchain.read_lock(tmp_path / "absent.json")


def test_a_source_that_is_not_fetched_is_no_difference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is verified when it is fetched; its entry may not be missing, though."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    lock = toolchain.read_lock(ROOT / toolchain.LOCK_FILE)
    (name,) = toolchain.SOURCES
    source = toolchain.libc_source(lock)
    assert name not in toolchain.scan(lock)
    assert toolchain.differences({name: lock[name]}, {}) == []
    assert "locked" in toolchain.table({name: lock[name]}, {})
    source.folder.mkdir(parents=True)
    (source.folder / libc_source.SUMS).touch()
    assert toolchain.scan(lock)[name] == lock[name]
    with pytest.raises(FluidError, match="E-TOOL-04"):
        toolchain.libc_source({})


def test_a_packages_digest_is_the_same_in_every_tree() -> None:
    """pip writes the path of the environment into scripts."""
    own = "pkg/a.py,sha256=aaa,1"
    record = f"../../../bin/tool.py,sha256=xyz,9\n{own}\npkg/a.so,sha256=bbb,2\npkg/b.py,,\n"
    assert toolchain.own_files(record) == [own]
