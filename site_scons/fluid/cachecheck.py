"""Entries of a shared build cache (cachedir=) with their SHA-256 next to them.

A shared folder may be damaged by a full disk, a broken copy or another tool. What is taken from it
must be what was put there; the digest says nothing about who put it there.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from fluid.files import write_atomic

SUFFIX = ".sha256"


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def seal(content: Path, entry: Path) -> None:
    """Writes the digest of `content`, which is about to become `entry`."""
    write_atomic(f"{entry}{SUFFIX}", f"{_digest(content)}\n".encode())


def reject_unsound(entry: Path) -> str:
    """Removes an entry that is not what was sealed, and returns what was wrong; "" when it is sound
    or not there."""
    if not entry.exists():
        return ""
    seal_file = Path(f"{entry}{SUFFIX}")
    expected = "with a seal"
    if seal_file.exists():
        expected = seal_file.read_text(encoding="ascii", errors="replace").strip()
    found = _digest(entry)
    if found == expected:
        return ""
    entry.unlink(missing_ok=True)
    seal_file.unlink(missing_ok=True)
    return f"SHA-256 {expected:.64} expected, {found} found"
