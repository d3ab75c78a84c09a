"""What a module is made from: its sources and every header of ours that they include, directly or
not. Their digest names a state of the module: measurements belong to it, whatever flags it is
compiled with."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from fluid.modlayout import SOURCE_SIZE
from fluid.targets import CXX_INCLUDES, CXX_RUNTIME, MODULE_INCLUDES

_INCLUDE = re.compile(rb'^\s*#\s*include\s+["<]([^">]+)[">]', re.MULTILINE)


@cache
def _includes(path: Path) -> tuple[str, ...]:
    return tuple(name.decode() for name in _INCLUDE.findall(path.read_bytes()))


@cache
def closure(top: Path, sources: Sequence[str], folders: Sequence[str]) -> tuple[str, ...]:
    """Paths relative to `top`, sorted. A header is looked for beside the file that includes it and
    then in `folders`; what is nowhere belongs to the compiler."""
    found: set[Path] = set()
    waiting = [top / source for source in sources]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.add(path)
        places = (path.parent, *(top / folder for folder in folders))
        for name in _includes(path):
            header = next((place / name for place in places if (place / name).is_file()), None)
            if header:
                waiting.append(header.resolve())
    return tuple(sorted(path.relative_to(top).as_posix() for path in found))


def of_module(top: Path, sources: Sequence[str]) -> tuple[str, ...]:
    """Everything of ours that a module is compiled from, the runtime of C++ included."""
    if any(source.endswith(".cpp") for source in sources):
        return closure(top, (*sources, CXX_RUNTIME), CXX_INCLUDES)
    return closure(top, tuple(sources), MODULE_INCLUDES)


def digest(top: Path, files: Iterable[str]) -> bytes:
    """SOURCE_SIZE bytes that change with the names and contents of `files`."""
    state = hashlib.sha256()
    for file in files:
        content = (top / file).read_bytes()
        state.update(f"{file}\0{len(content)}\0".encode())
        state.update(content)
    return state.digest()[:SOURCE_SIZE]
