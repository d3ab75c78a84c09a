"""The source of llvm-libc: fetched once, verified, found again; with a stand-in for apt-get."""

from __future__ import annotations

import io
import os
import shutil
import tarfile
from hashlib import sha256
from pathlib import Path

import pytest

import error_codes
from fluid import libc_apt, libc_archive, libc_source
from fluid.errors import FluidError
from fluid.libc_source import LibcSource

FILES = {
    "llvm-1/clang/include/a.h": "another project",
    "llvm-1/libc/LICENSE.TXT": "license",
    "llvm-1/libc/src/string/memcpy.cpp": "int memcpy;\n",
    "llvm-1/libc/src/string/CMakeLists.txt": "not compiled",
    "llvm-1/libc/hdr/types/size_t.h": "typedef int size_t;\n",
    "llvm-1/libc/test/src/test.cpp": "not ours",
    "llvm-1/libc/../escape.h": "outside",
    "llvm-1/lldb/source/b.cpp": "another project",
}
KEPT = {"LICENSE.TXT", "src/string/memcpy.cpp", "hdr/types/size_t.h"}

# Offers $ARCHIVE of the folder beside it, and counts the downloads.
APT_GET = """#!/bin/sh
here=$(dirname "$0")
case "$*" in
*--print-uris*) for f in "$here"/*.tar.xz; do echo "'scheme:x' $(basename "$f") 1 SHA256:0"; done ;;
*" source "*) echo x >>"$here/downloads"; cp "$here"/*.tar.xz . ;;
*" update") echo "Reading package lists..." ;;
esac
"""


def make_archive(path: Path, files: dict[str, str] | None = None) -> LibcSource:
    with tarfile.open(path, "w:xz") as tar:
        for name, text in (files or FILES).items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text.encode()))
        link = tarfile.TarInfo("llvm-1/libc/src/link.h")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    return LibcSource("llvm 1", sha256(path.read_bytes()).hexdigest())


class Apt:
    """A machine whose apt has an archive in its mirror, or nothing."""

    def __init__(self, top: Path) -> None:
        self.folder = top / "bin"
        self.folder.mkdir()
        (self.folder / "apt-get").write_text(APT_GET)
        (self.folder / "apt-get").chmod(0o755)
        self.source = make_archive(self.folder / "llvm_1.orig.tar.xz")

    def downloads(self) -> int:
        log = self.folder / "downloads"
        return len(log.read_text().splitlines()) if log.exists() else 0


@pytest.fixture
def apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Apt:
    """The cache is tmp_path/cache."""
    machine = Apt(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{machine.folder}:{os.environ['PATH']}")
    monkeypatch.setattr(libc_source, "_checked", set())
    return machine


def again(monkeypatch: pytest.MonkeyPatch) -> None:
    """What another process would begin with."""
    monkeypatch.setattr(libc_source, "_checked", set())


def kept(folder: Path) -> set[str]:
    files = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    return files - {libc_source.SUMS}


def test_it_is_fetched_once(apt: Apt, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not libc_source.is_cached(apt.source)
    folder = libc_source.provide(apt.source)
    assert kept(folder) == KEPT
    assert (folder / "src/string/memcpy.cpp").read_text() == "int memcpy;\n"
    assert libc_source.is_cached(apt.source)
    again(monkeypatch)
    assert libc_source.provide(apt.source) == folder
    assert apt.downloads() == 1
    left = {path.name for path in libc_source.cache_folder().iterdir()}
    assert left == {folder.name, "lock"}  # nothing half done


@pytest.mark.parametrize("what", ["changed", "removed", "added", "list cut", "list gone"])
def test_damage_is_found_and_mended(
    apt: Apt, what: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = libc_source.provide(apt.source)
    file, sums = folder / "src/string/memcpy.cpp", folder / libc_source.SUMS
    if what == "changed":
        file.write_text("int memcpY;\n")
    elif what == "removed":
        file.unlink()
    elif what == "added":
        (folder / "hdr/types/planted.h").write_text("int planted;\n")
    elif what == "list cut":
        sums.write_text("".join(sums.read_text().splitlines(keepends=True)[:-1]))
    else:
        sums.unlink()
    again(monkeypatch)
    libc_source.provide(apt.source)
    said = capsys.readouterr().err
    error_codes.note(said)
    assert "warning E-LIBC-03" in said
    assert libc_archive.damage(folder) is None
    assert kept(folder) == KEPT
    assert apt.downloads() == 2


def test_without_apt_the_file_and_the_place_are_named(
    apt: Apt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No apt-get at all, no package in it, or another version; the file put there helps each."""
    archive = apt.folder / "llvm_1.orig.tar.xz"
    saved = archive.rename(apt.folder.parent / "saved")
    with pytest.raises(FluidError, match=r"E-LIBC-01.*no source package llvm .*put llvm_1.orig"):
        libc_source.provide(apt.source)
    make_archive(apt.folder / "llvm_2.orig.tar.xz")
    with pytest.raises(FluidError, match=r"E-LIBC-01.*llvm_2.orig.tar.xz in place of llvm_1"):
        libc_source.provide(apt.source)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(FluidError, match=r"E-LIBC-01.*no apt-get") as refused:
        libc_source.provide(apt.source)
    assert apt.source.sha256 in refused.value.text
    assert str(libc_source.cache_folder()) in refused.value.text
    shutil.copy(saved, libc_source.cache_folder() / archive.name)
    assert kept(libc_source.provide(apt.source)) == KEPT
    assert apt.downloads() == 0


def test_an_apt_that_cannot_be_asked(apt: Apt) -> None:
    """What if its lists cannot be found out? The sentence says what helps, as if it had none."""
    config = apt.folder / "apt-config"
    config.write_text("#!/bin/sh\necho 'exit 7'\n")
    config.chmod(0o755)
    with pytest.raises(FluidError, match=r"E-LIBC-01.*exit status 7.*put llvm_1.orig"):
        libc_source.provide(apt.source)


def test_another_archive_is_refused(apt: Apt) -> None:
    other = LibcSource(apt.source.version, "0" * 64)
    with pytest.raises(FluidError, match=r"E-LIBC-02.*SHA-256 0000"):
        libc_source.provide(other)
    assert not other.folder.exists()


@pytest.mark.parametrize("content", [b"", b"no archive", None])
def test_damaged_archives_are_refused(tmp_path: Path, content: bytes | None) -> None:
    """Empty, another format, or without libc/."""
    path = tmp_path / "a.tar.xz"
    if content is None:
        make_archive(path, {"llvm-1/clang/a.h": "x", "llvm-1/libc/test/a.cpp": "x"})
    else:
        path.write_bytes(content)
    with pytest.raises(FluidError, match=r"E-LIBC-02"):
        libc_archive.unpack(path, tmp_path / "out")


def test_a_cache_that_cannot_be_written_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(FluidError, match=r"E-LIBC-01.*XDG_CACHE_HOME"):
        libc_source.provide(LibcSource("llvm 1", "0" * 64))


def test_cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """XDG Base Directory Specification: a relative path counts as none."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert libc_source.cache_folder() == tmp_path / ".cache/fluid-os"


def test_lists_of_sources() -> None:
    """Both formats of apt; comments and disabled entries stay out."""
    text = (
        "# deb scheme:old a b\n"
        "deb scheme:one suite main\n"
        "deb [arch=amd64 signed-by=/k.gpg] scheme:two suite main extra\n"
        "deb [arch=amd64] scheme:three suite main\n"
        "deb-src scheme:one suite main\n"
    )
    assert libc_apt.source_list(text) == (
        "deb-src scheme:one suite main\n"
        "deb-src [signed-by=/k.gpg] scheme:two suite main extra\n"
        "deb-src scheme:three suite main\n"
    )
    stanzas = (
        "Types: deb\n# a comment\nURIs: scheme:one\nSuites: a\n b\nComponents: main\n"
        "Architectures: amd64\nSigned-By: /k.gpg\n"
        "\n"
        "Types: deb\nURIs: scheme:two\nEnabled: no\n"
        "\n"
        "Types: deb-src\nURIs: scheme:three\n"
    )
    assert libc_apt.source_stanzas(stanzas) == (
        "Types: deb-src\nURIs: scheme:one\nSuites: a\n b\nComponents: main\nSigned-By: /k.gpg\n"
    )
