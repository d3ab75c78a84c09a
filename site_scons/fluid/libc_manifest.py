"""src/llvmlibc_subset/manifest.toml: what is compiled of llvm-libc, into which library.

E-LIBC-04: the manifest is not one.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from fluid.errors import FluidError

MANIFEST = "src/llvmlibc_subset/manifest.toml"
SUBSET = "src/llvmlibc_subset"
KINDS = ("ours", "mended", "left", "absent")
UNITS = ("kernel", "host", "llama", "modules")
WITH_VECTORS = ("llama", "modules")
WITH_FORMATTER = ("kernel", "host")


@dataclass(frozen=True)
class Taken:
    """One source file of llvm-libc."""

    name: str  # of its entry point, or of the file where it has none
    header: str
    source: str  # below libc/src
    units: tuple[str, ...]
    public: bool  # an entry point


@dataclass(frozen=True)
class Supplied:
    """One entry point that is ours."""

    name: str
    header: str
    sources: tuple[str, ...]  # below SUBSET
    units: tuple[str, ...]
    why: str


@dataclass(frozen=True)
class Note:
    """A sentence of the gap report."""

    kind: str  # one of KINDS
    what: str
    why: str


@dataclass(frozen=True)
class Manifest:
    """All lists in the order of the file."""

    taken: tuple[Taken, ...]
    supplied: tuple[Supplied, ...]
    notes: tuple[Note, ...]

    def sources(self, unit: str) -> list[str]:
        """Files of llvm-libc in the library of `unit`, below libc/src."""
        return [taken.source for taken in self.taken if unit in taken.units]

    def entry_points(self, unit: str) -> set[str]:
        """C functions in the library of `unit`, llvm-libc's and ours."""
        theirs = {one.name for one in self.taken if unit in one.units and one.public}
        return theirs | {one.name for one in self.supplied if unit in one.units}

    def supply(self, unit: str) -> list[str]:
        """Our C files in the library of `unit`, each once."""
        wanted = (one.sources for one in self.supplied if unit in one.units)
        return [f"{SUBSET}/{name}" for name in dict.fromkeys(n for names in wanted for n in names)]


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError(f"a list of texts expected, {value!r} found")
    return tuple(value)


def _units(group: dict[str, object]) -> tuple[str, ...]:
    units = _texts(group["units"])
    unknown = sorted(set(units) - set(UNITS))
    if unknown or not units:
        raise ValueError(f"units of {', '.join(UNITS)} expected, {unknown or 'none'} found")
    return units


def _taken(group: dict[str, object]) -> list[Taken]:
    header, folder, units = str(group["header"]), str(group["folder"]), _units(group)
    names = [(name, True) for name in _texts(group.get("functions", []))]
    names += [(name, False) for name in _texts(group.get("internal", []))]
    if not names:
        raise ValueError(f"functions or internal expected in {folder}, none found")
    return [Taken(n, header, f"{folder}/{n}.cpp", units, public) for n, public in names]


def load(path: Path | str) -> Manifest:
    """Reads the manifest. Raises E-LIBC-04 with what is wrong."""
    try:
        data = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        taken = [one for group in data["take"] for one in _taken(group)]
        supplied = [
            Supplied(g["name"], g["header"], _texts(g["sources"]), _units(g), g["why"])
            for g in data.get("supply", [])
        ]
        notes = tuple(Note(**group) for group in data.get("note", []))
        kinds = sorted({note.kind for note in notes} - set(KINDS))
        if kinds:
            raise ValueError(f"notes of {', '.join(KINDS)} expected, {kinds} found")
        for unit in UNITS:
            names = [one.name for one in taken if unit in one.units]
            names += [one.name for one in supplied if unit in one.units]
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"each name once in {unit} expected, {twice} found again")
        return Manifest(tuple(taken), tuple(supplied), notes)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FluidError(
            "E-LIBC-04", f"{path}: a manifest of llvm-libc expected ({error}); mend the file"
        ) from error
