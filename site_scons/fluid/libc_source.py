"""The source of llvm-libc: fetched once into the user's cache, verified, found again by every tree.

It comes out of the Debian source package that toolchain.lock.json names by version and SHA-256; of
its 164 MB only libc/ is kept. The digest stands for all of it: a build depends on the digest, asks
for the files when it compiles one, and checks then that each is what was unpacked.

E-LIBC-01 there is no source, 02 the archive is another one, 03 the cache was damaged (a warning).
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fluid.errors import FluidError

LOCK_NAME = "llvm-libc source"  # its entry in toolchain.lock.json
SUMS = "SHA256SUMS"  # in the folder, written last

_checked: set[Path] = set()  # by this process
_one_at_a_time = threading.Lock()


def cache_folder() -> Path:
    """Where this user's programs keep what can be fetched again (XDG Base Directory)."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".cache") / "fluid-os"


@dataclass(frozen=True)
class LibcSource:
    """What the lock says; `version` is the name and the upstream version of the source package."""

    version: str  # "llvm-toolchain-19 19.1.7"
    sha256: str  # of the archive

    @property
    def package(self) -> str:
        return self.version.partition(" ")[0]

    @property
    def archive(self) -> str:
        """File name of the archive in every mirror."""
        return f"{self.version.replace(' ', '_')}.orig.tar.xz"

    @property
    def folder(self) -> Path:
        """Where its files are, or will be."""
        number = self.version.partition(" ")[2]
        return cache_folder() / f"llvm-libc-{number}-{self.sha256[:12]}"

    @property
    def identity(self) -> str:
        """What products depend on."""
        return f"llvm-libc of {self.version}, SHA-256 {self.sha256}"


def is_cached(source: LibcSource) -> bool:
    """Whether it was fetched; says nothing about damage."""
    return (source.folder / SUMS).is_file()


def provide(source: LibcSource) -> Path:
    """The folder with the files, each checked once by this process; fetched if need be."""
    with _one_at_a_time:
        if source.folder not in _checked:
            with _locked(cache_folder()):
                _ensure(source)
            _checked.add(source.folder)
    return source.folder


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One process at a time; others wait for its download."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / "lock").open("w")
    except OSError as error:
        raise FluidError(
            "E-LIBC-01", f"a writable folder {folder} was expected for the source of llvm-libc, "
            f"found: {error}; make it writable or set XDG_CACHE_HOME to another"
        ) from error  # fmt: skip
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _ensure(source: LibcSource) -> None:
    from fluid import libc_archive  # here: a build that compiles none of it has no use for these

    problem = libc_archive.damage(source.folder) if source.folder.exists() else None
    if problem:
        print(
            f"warning E-LIBC-03 {source.folder}: {problem}; the source is fetched again",
            file=sys.stderr,
        )
        import shutil

        shutil.rmtree(source.folder)
    if not source.folder.exists():
        _fetch(source)


def _fetch(source: LibcSource) -> None:
    """From a file that somebody put into the cache, else with apt."""
    import tempfile

    from fluid import libc_apt, libc_archive

    placed = cache_folder() / source.archive
    with tempfile.TemporaryDirectory(dir=cache_folder(), prefix=".fetch-") as name:
        scratch = Path(name)
        archive = placed
        if not placed.is_file():
            print(f"  FETCH   {source.archive}", file=sys.stderr, flush=True)
            try:
                archive = libc_apt.download(source.package, source.archive, scratch)
            except (libc_apt.Unavailable, OSError, subprocess.SubprocessError, ValueError) as error:
                raise FluidError(
                    "E-LIBC-01",
                    f"the source of llvm-libc was expected from apt, found: {error}; put "
                    f"{source.archive} with SHA-256 {source.sha256} into {cache_folder()} and "
                    "build again",
                ) from error
        libc_archive.verify(archive, source.sha256)
        print(f"  UNPACK  {source.archive}", file=sys.stderr, flush=True)
        unpacked = scratch / "libc"
        libc_archive.unpack(archive, unpacked)
        unpacked.rename(source.folder)
