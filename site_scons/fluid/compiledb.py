"""compile_commands.json: how each source is compiled, for editors and clang tools.

Format: JSON Compilation Database (clang documentation). Response files are expanded, so that every
tool can read it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fluid.canonical import canonical_json
from fluid.files import write_atomic
from fluid.flags import read_response


@dataclass(frozen=True)
class Unit:
    """One compilation; paths are relative to the top of the tree."""

    compiler: str
    source: str
    output: str
    response: str
    includes: tuple[str, ...]

    def entry(self, top: Path) -> dict[str, object]:
        """The database entry."""
        flags = read_response(top / self.response)
        flags += [f"-I{folder}" for folder in self.includes]
        arguments = [self.compiler, *flags, "-c", "-o", self.output, self.source]
        return {
            "directory": str(top),
            "file": self.source,
            "output": self.output,
            "arguments": arguments,
        }


def write_database(units: list[Unit], top: Path, out_path: Path | str) -> None:
    """Writes the database in the given order."""
    write_atomic(out_path, canonical_json([unit.entry(top) for unit in units]))
