"""Which files of this package a build step uses: the modules it names, all that they import, and
the data that lies next to them."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parent

# Patterns instead of the ast module: every build asks, and parsing the package would take a sixth
# of a null build. tests/unit/test_build_helpers.py compares the two.
_FROM_MODULE = re.compile(r"^\s*(?:from|import)\s+fluid\.(\w+)", re.MULTILINE)
_FROM_PACKAGE = re.compile(r"^\s*from\s+fluid\s+import\s+(\([^)]*\)|.*)", re.MULTILINE)
_DATA = re.compile(r"""\bPath\(__file__\)\.with_name\("([^"]+)"\)""")


@cache
def imports(path: Path) -> frozenset[str]:
    """Names of the modules in this package that a file imports, anywhere in it."""
    text = path.read_text(encoding="utf-8")
    listed = (re.sub(r"#.*|\s+as\s+\w+", "", names) for names in _FROM_PACKAGE.findall(text))
    return frozenset(_FROM_MODULE.findall(text)).union(*(re.findall(r"\w+", n) for n in listed))


@cache
def data_files(path: Path) -> frozenset[Path]:
    """Files next to a module that it names through its own path, as _DATA says."""
    names = _DATA.findall(path.read_text(encoding="utf-8"))
    return frozenset(path.with_name(name) for name in names)


@cache
def closure(*names: str) -> tuple[Path, ...]:
    """Files of these modules and of all here that they import, directly or not, and the data
    that these name; sorted.

    FileNotFoundError for a name that is no module: an edge of the graph would be missing.
    """
    found: set[Path] = set()
    data: set[Path] = set()
    waiting = list(names)
    while waiting:
        path = PACKAGE / f"{waiting.pop()}.py"
        if path not in found:
            waiting.extend(imports(path))
            found.add(path)
            data |= data_files(path)
    return tuple(sorted(found | data))
