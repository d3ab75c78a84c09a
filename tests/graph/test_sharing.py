"""Building with a shared cache, a compiler cache, and locked tools."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from graph_tree import OUT, Tree, copy_sources


def _retrieved(text: str) -> set[str]:
    """Products that came from the cache."""
    lines = [line.split("`")[1].split("'")[0] for line in text.splitlines() if "Retrieved" in line]
    return {path.removeprefix(f"{OUT}/") for path in lines}


def _entries(cache: Path) -> list[Path]:
    """The cached files, without their seals and SCons' own."""
    files = sorted(p for p in cache.glob("??/*") if p.suffix != ".sha256")
    assert files
    return files


def test_a_second_clone_takes_all_but_the_image(tmp_path: Path, offline: dict[str, str]) -> None:
    """The same bytes, and nothing compiled, so that not even llvm-libc's source is asked for;
    damaged entries are found and made again."""
    cache = tmp_path / "cache"
    one = copy_sources(tmp_path / "one")
    first = one.scons(f"cachedir={cache}", ok=True)
    other = copy_sources(tmp_path / "other folder")
    second = other.scons(f"cachedir={cache}", ok=True, **offline)
    assert not Path(offline["XDG_CACHE_HOME"]).exists()
    assert second.built == {"fluid.img"}
    assert _retrieved(second.text) >= first.built - {"fluid.img"}
    assert one.products() == other.products()
    assert one.read("fluid.img") == other.read("fluid.img")

    entries = _entries(cache)
    for number, entry in enumerate(entries):
        content = entry.read_bytes()
        if number % 3 == 0:
            entry.write_bytes(content[: len(content) // 2])
        elif number % 3 == 1:
            entry.with_name(entry.name + ".sha256").unlink()
        else:
            entry.write_bytes(content + b"x")
    third = copy_sources(tmp_path / "third")
    result = third.scons(f"cachedir={cache}", ok=True)
    assert result.text.count("E-CDIR-01") == len(entries)
    assert _retrieved(result.text) == set()
    assert third.read("fluid.img") == one.read("fluid.img")
    fourth = copy_sources(tmp_path / "fourth")
    assert fourth.scons(f"cachedir={cache}", ok=True).built == {"fluid.img"}


@pytest.mark.full
def test_a_launcher_runs_the_compiler_and_changes_nothing(built: Tree, tree: Tree) -> None:
    """Other objects are not made for its sake; what it makes is the same."""
    folder = tree.top / "tools"
    folder.mkdir()
    log = tree.top / "launched"
    launcher = folder / "ccache"
    launcher.write_text(f'#!/bin/sh\necho "$1" >>"{log}"\nexec "$@"\n')
    launcher.chmod(0o755)
    path = f"{folder}:{os.environ['PATH']}"
    assert tree.scons("launcher=ccache", ok=True, PATH=path).built == set()
    tree.scons("-c", ok=True)
    tree.scons("launcher=ccache", ok=True, PATH=path)
    assert set(log.read_text().split()) == {"clang-19"}
    assert tree.read("fluid.img") == built.read("fluid.img")
    refused = tree.scons("launcher=distcc", ok=False)
    assert refused.status == 2
    assert "ccache|sccache" in refused.text


def test_locked_tools(tree: Tree) -> None:
    """Another tool is a warning, with locked=1 an error; a damaged lock is always one."""
    lock = tree.top / "toolchain.lock.json"
    data = json.loads(lock.read_text())
    data["tools"]["clang"]["version"] = "clang version 18.0.0"
    lock.write_text(json.dumps(data))
    warned = tree.scons(ok=True)
    assert "warning E-TOOL-03" in warned.text
    assert "'clang version 18.0.0' expected" in warned.text
    refused = tree.scons("locked=1", ok=False)
    assert refused.status == 2
    assert "E-TOOL-03" in refused.text
    table = tree.scons("toolchain", ok=True).text
    assert "clang               DIFFERS" in table
    for damage in ("", "[]", '{"schema": 2}', '{"schema": 1, "tools": {"clang": {"version": 1}}}'):
        lock.write_text(damage)
        refused = tree.scons(ok=False)
        assert refused.status == 2, damage
        assert "E-TOOL-04" in refused.text
