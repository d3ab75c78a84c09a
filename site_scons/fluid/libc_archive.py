"""The archive that holds llvm-libc, and the folder that is unpacked from it.

SHA256SUMS in the folder lists every file, in the format of sha256sum(1).

E-LIBC-02: an archive is not the locked one, or not readable.
"""

from __future__ import annotations

import hashlib
import lzma
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from fluid.errors import FluidError
from fluid.files import write_atomic
from fluid.libc_source import SUMS

SUFFIXES = (".h", ".cpp", ".TXT")  # LICENSE.TXT
FOLDERS = ("hdr", "include", "src")
FILE_MAX = 16 << 20  # bytes; the largest is a table of 5 MB


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verify(archive: Path, sha256: str) -> None:
    """Raises E-LIBC-02 when it is another file."""
    found = _digest(archive)
    if found != sha256:
        raise FluidError(
            "E-LIBC-02", f"{archive.name}: SHA-256 {sha256} expected, {found} found; remove "
            f"{archive} if you put it there, and build again"
        )  # fmt: skip


def _wanted(name: str) -> str | None:
    """The place below libc/ of a file that is kept."""
    parts = PurePosixPath(name).parts
    if len(parts) < 3 or parts[1] != "libc" or ".." in parts or not name.endswith(SUFFIXES):
        return None
    return "/".join(parts[2:]) if parts[2] in FOLDERS or len(parts) == 3 else None


def _libc_files(archive: Path) -> Iterator[tuple[str, bytes]]:
    """Place and content of each; reads no further than libc/, which lies together."""
    begun = False
    with tarfile.open(archive, "r|xz") as tar:
        for member in tar:
            inside = PurePosixPath(member.name).parts[1:2] == ("libc",)
            begun |= inside
            if begun and not inside:
                return
            place = _wanted(member.name) if member.isfile() else None
            file = tar.extractfile(member) if place and member.size <= FILE_MAX else None
            if place and file:
                yield place, file.read()


def unpack(archive: Path, folder: Path) -> None:
    """Writes the files of libc/ that a compiler reads, and SHA256SUMS as the last one."""
    rows = []
    try:
        for place, content in _libc_files(archive):
            path = folder / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            rows.append(f"{hashlib.sha256(content).hexdigest()}  {place}\n")
    except (tarfile.TarError, lzma.LZMAError, EOFError) as error:
        raise FluidError(
            "E-LIBC-02", f"{archive.name}: a tar.xz archive expected, found otherwise ({error}); "
            "take it from another mirror"
        ) from error  # fmt: skip
    if not rows:
        raise FluidError(
            "E-LIBC-02",
            f"{archive.name}: llvm-libc in libc/ expected, found no file of it; the lock names "
            "another package",
        )
    head = f"# {len(rows)} files\n"
    write_atomic(folder / SUMS, (head + "".join(sorted(rows))).encode())


def damage(folder: Path) -> str | None:
    """What is wrong with an unpacked folder; None when every file is as it was unpacked."""
    try:
        head, *rows = (folder / SUMS).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        return f"a readable {SUMS} expected ({error})"
    if head != f"# {len(rows)} files":
        return f"{SUMS}: {head!r} and as many lines expected, {len(rows)} lines found"
    listed = {row.partition("  ")[2] for row in rows} | {SUMS}
    there = (path for path in folder.rglob("*") if not path.is_dir())
    extra = sorted({path.relative_to(folder).as_posix() for path in there} - listed)
    if extra:
        return f"{extra[0]}: no such file expected"
    for row in rows:
        expected, _, place = row.partition("  ")
        path = folder / place
        found = _digest(path) if path.is_file() else "no file"
        if found != expected:
            return f"{place}: SHA-256 {expected} expected, {found} found"
    return None
