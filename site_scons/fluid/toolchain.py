"""The toolchain lock: the programs that images are made and run with, by version and SHA-256.

toolchain.lock.json at the top of the tree is what the project was tested with. Another tool is told
in one line; with locked=1 it ends the build. To renew the lock after a test of the new tools, run
`python -m fluid.toolchain > new.json` and put that in its place. The source of llvm-libc is locked
by hand: version and SHA-256 of the archive, as apt shows them.

E-TOOL-03 a tool differs, 04 the lock is damaged.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fluid.canonical import canonical_json
from fluid.errors import FluidError
from fluid.libc_source import LOCK_NAME, LibcSource, is_cached

LOCK_FILE = "toolchain.lock.json"
LOCK_SCHEMA = 1
COMPILERS = {"clang": "clang-19", "lld": "ld.lld-19", "llvm-objcopy": "llvm-objcopy-19"}
PROGRAMS = {
    **COMPILERS,
    "mkfs.vfat": "mkfs.vfat",
    "mcopy": "mcopy",
    "qemu-system-x86_64": "qemu-system-x86_64",
    "qemu-system-i386": "qemu-system-i386",
}
VERSION_OPTION: dict[str, list[str]] = {"mkfs.vfat": []}  # it tells its version before it complains
PACKAGES = ("scons", "pyelftools", "iced-x86")
SOURCES = (LOCK_NAME,)  # fetched when needed, and verified then (libc_source.py)

_NUMBER = re.compile(r"\b\d+\.\d+")


@dataclass(frozen=True)
class Tool:
    """What is known of one tool. sha256 None: not looked at."""

    version: str
    sha256: str | None


def version_line(text: str) -> str:
    """The first line that names a version; "" when none does."""
    lines = (line.strip() for line in text.splitlines())
    return next((line for line in lines if _NUMBER.search(line)), "")


def _output(command: list[str]) -> str:
    """What a program prints; some print their version on standard error, and fail."""
    done = subprocess.run(
        command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60
    )
    return done.stdout.decode(errors="replace")


def _files(program: str) -> list[Path]:
    """The program and the LLVM libraries that do its work: clang-19 itself is a small driver."""
    libraries = re.findall(r"=> (\S*/lib(?:LLVM|clang)\S*)", _output(["ldd", program]))
    return [Path(program).resolve(), *sorted(Path(library).resolve() for library in libraries)]


@functools.cache
def _digest(files: tuple[Path, ...]) -> str:
    state = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            state.update(hashlib.file_digest(file, "sha256").digest())
    return state.hexdigest()


def _program(command: str) -> Tool | None:
    path = shutil.which(command)
    if path is None:
        return None
    text = _output([path, *VERSION_OPTION.get(command, ["--version"])])
    return Tool(version_line(text), _digest(tuple(_files(path))))


def _package(name: str) -> Tool | None:
    import importlib.metadata  # here: most builds do not ask

    try:
        distribution = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return None
    record = distribution.read_text("RECORD") or ""
    digest = hashlib.sha256("\n".join(own_files(record)).encode()).hexdigest()
    return Tool(f"{name} {distribution.version}", digest)


def own_files(record: str) -> list[str]:
    """The rows of a package's modules, with their hashes, without what pip wrote for this machine:
    scripts, outside of the package's folder, begin with the path of the environment's Python."""
    rows = record.splitlines()
    return sorted(row for row in rows if ".py,sha256=" in row and not row.startswith("../"))


def _source(locked: Tool | None) -> Tool | None:
    """The locked source when it was fetched: nothing else is ever kept under its digest."""
    if locked is None or not is_cached(LibcSource(locked.version, locked.sha256 or "")):
        return None
    return locked


def scan(lock: Mapping[str, Tool]) -> dict[str, Tool]:
    """Every tool of this machine, with hashes; what is absent is left out."""
    found = {name: _program(command) for name, command in PROGRAMS.items()}
    found |= {name: _package(name) for name in PACKAGES}
    found |= {name: _source(lock.get(name)) for name in SOURCES}
    return {name: tool for name, tool in found.items() if tool is not None}


def libc_source(lock: Mapping[str, Tool]) -> LibcSource:
    """The locked source of llvm-libc. Raises E-TOOL-04 when the lock names none."""
    tool = lock.get(LOCK_NAME)
    if tool is None or tool.sha256 is None:
        raise FluidError(
            "E-TOOL-04", f"{LOCK_FILE}: an entry {LOCK_NAME!r} expected, none found; restore it"
        )
    return LibcSource(tool.version, tool.sha256)


def read_lock(path: Path) -> dict[str, Tool]:
    """The locked tools. Raises E-TOOL-04 with what is wrong."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["schema"] != LOCK_SCHEMA:
            raise ValueError(f"schema {LOCK_SCHEMA} expected, {data['schema']} found")
        tools = {str(name): Tool(**tool) for name, tool in data["tools"].items()}
        for name, tool in tools.items():
            if not isinstance(tool.version, str) or not isinstance(tool.sha256, str):
                raise ValueError(f"tools.{name}: texts version and sha256 expected, others found")
        return tools
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise FluidError(
            "E-TOOL-04", f"{path.name}: a toolchain lock expected ({error}); restore the file"
        ) from error


def differences(lock: Mapping[str, Tool], found: Mapping[str, Tool]) -> list[str]:
    """One sentence per tool of `found` that is not the locked one, or absent from either."""
    sentences = []
    for name in sorted({*lock, *found}):
        expected, tool = lock.get(name), found.get(name)
        if name in SOURCES and tool is None:
            continue  # not needed yet
        if expected is None or tool is None:
            sentences.append(f"{name}: {_say(expected)} expected, {_say(tool)} found")
        elif tool.version != expected.version:
            sentences.append(f"{name}: {expected.version!r} expected, {tool.version!r} found")
        elif tool.sha256 is not None and tool.sha256 != expected.sha256:
            sentences.append(
                f"{name}: {tool.version} with SHA-256 {expected.sha256} expected, {tool.sha256} "
                "found"
            )
    return sentences


def _say(tool: Tool | None) -> str:
    return repr(tool.version) if tool else "none"


def complaint(sentences: Iterable[str]) -> str:
    """The differences as one error."""
    return (
        f"E-TOOL-03 the tools of {LOCK_FILE} expected: {'; '.join(sentences)}. Images may differ "
        "from those of other machines; locked=1 refuses, scons toolchain shows all"
    )


def table(lock: Mapping[str, Tool], found: Mapping[str, Tool]) -> str:
    """All tools for people: name, state, version found, start of the hash."""
    lines = []
    for name in sorted({*lock, *found}):
        tool = found.get(name)
        state = "locked" if tool is not None and tool == lock.get(name) else "DIFFERS"
        version, sha256 = (tool.version, tool.sha256 or "") if tool else ("not found", "")
        if name in SOURCES and tool is None:
            state, version = "locked", "not fetched yet"
        lines.append(f"  {name:<19} {state:<8} {sha256[:12]:<13} {version}")
    return "\n".join(lines)


def lock_json(tools: Mapping[str, Tool]) -> bytes:
    """The content of toolchain.lock.json."""
    rows: dict[str, Any] = {name: asdict(tool) for name, tool in tools.items()}
    return canonical_json({"schema": LOCK_SCHEMA, "tools": rows})


if __name__ == "__main__":
    old = read_lock(Path(__file__).resolve().parents[2] / LOCK_FILE)
    kept = {name: old[name] for name in SOURCES if name in old}
    sys.stdout.buffer.write(lock_json(scan(old) | kept))
