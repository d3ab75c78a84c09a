"""The texts that quality is measured on: the beginnings of some documents of this tree, each short
enough for an oracle that computes whole sequences at once. E-QUAL-02 when one is too short."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from fluid.canonical import canonical_json
from fluid.errors import FluidError
from fluid.files import write_atomic
from fluid.records import from_object

BYTES = 1000  # of each; some 300 tokens
DOCUMENTS = tuple(
    f"docs/{name}.md" for name in ("boot", "drivers", "interrupts", "memory", "tasks", "tuning")
)


@dataclass(frozen=True)
class Piece:
    """Name of the document, and its beginning."""

    name: str
    text: str


def beginning(path: Path | str) -> Piece:
    """The first BYTES, up to the last blank or line feed in them."""
    try:
        data = Path(path).read_bytes()
        end = max(data.rfind(b" ", 0, BYTES), data.rfind(b"\n", 0, BYTES))
        if len(data) < BYTES or end < BYTES // 2:
            raise ValueError(f"{len(data)} bytes")
        return Piece(Path(path).name, data[:end].decode())
    except (OSError, ValueError) as error:
        raise FluidError(
            "E-QUAL-02",
            f"{path}: a text of at least {BYTES} bytes expected, found: {error}; restore it, or "
            "name another in site_scons/fluid/quality_texts.py",
        ) from error


def write_pieces(documents: Sequence[Path | str], path: Path | str) -> None:
    """A JSON file of them: what changes further down in a document changes no measurement."""
    pieces = [asdict(beginning(document)) for document in documents]
    write_atomic(path, canonical_json({"pieces": pieces}))


def read_pieces(path: Path | str) -> list[Piece]:
    """What write_pieces wrote, as a product of the same build."""
    data = json.loads(Path(path).read_text(encoding="utf-8"))
    return [from_object(piece, Piece, "piece") for piece in data["pieces"]]
