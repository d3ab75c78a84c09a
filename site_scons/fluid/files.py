"""Writing build products: whole or not at all, and never with a clock in them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

StrPath = str | os.PathLike[str]


@contextmanager
def replacing(out_path: StrPath) -> Iterator[Path]:
    """Gives the path `out_path.new` to write to; renamed on success, removed on failure."""
    out = Path(out_path)
    new = out.with_name(out.name + ".new")
    out.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield new
        os.replace(new, out)
    finally:
        new.unlink(missing_ok=True)


def write_atomic(out_path: StrPath, data: bytes) -> None:
    with replacing(out_path) as new:
        new.write_bytes(data)


def align_up(value: int, align: int) -> int:
    return (value + align - 1) // align * align
