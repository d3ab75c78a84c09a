"""A source package's archive through apt, from the mirrors that this machine uses.

Most machines list no source packages. A private list of sources, made from the machine's own, and
a private state leave /etc and /var alone and need no root.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

_ONE_LINE = re.compile(r"^\s*deb(\s+\[[^\]]*\])?\s+(.*)$", re.MULTILINE)  # sources.list(5)
_ARCHITECTURES = re.compile(r"\barch(itectures)?[-+]?=\S+\s*")


STDERR = 2  # what apt says is no output of the build


class Unavailable(Exception):
    """apt does not give the archive; the text says why."""


def source_list(text: str) -> str:
    """The deb-src lines for the deb lines of a sources.list."""
    lines = []
    for options, rest in _ONE_LINE.findall(text):
        kept = _ARCHITECTURES.sub("", options.strip(" []\t"))
        lines.append(f"deb-src {f'[{kept}] ' if kept else ''}{rest}\n")
    return "".join(lines)


def source_stanzas(text: str) -> str:
    """The same for a file of deb822 stanzas: Types with deb becomes deb-src."""
    stanzas = []
    for stanza in re.split(r"\n[ \t]*\n", text):
        lines = [line for line in stanza.splitlines() if not line.startswith("#")]
        fields = {line.partition(":")[0].strip().lower(): line for line in lines if ":" in line}
        types = fields.get("types", "").partition(":")[2].split()
        enabled = fields.get("enabled", ":yes").partition(":")[2].strip().lower()
        if "deb" not in types or enabled in ("no", "false", "0"):
            continue
        dropped = ("types:", "architectures:")
        kept = [line for line in lines if not line.lower().startswith(dropped)]
        stanzas.append("\n".join(["Types: deb-src", *kept]) + "\n")
    return "\n".join(stanzas)


def _machine_lists() -> Iterator[tuple[str, str]]:
    """File name and text of each list of package sources that apt reads here."""
    shell = "eval $(apt-config shell LIST Dir::Etc::SourceList/f PARTS Dir::Etc::SourceParts/d); "
    command = ["sh", "-c", shell + 'printf "%s\\n%s\\n" "$LIST" "$PARTS"']
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    single, parts = found.splitlines()
    paths = [Path(single)] if single else []
    if parts and Path(parts).is_dir():
        paths += sorted(p for p in Path(parts).iterdir() if p.suffix in (".list", ".sources"))
    for path in paths:
        if path.is_file():
            yield path.name, path.read_text(encoding="utf-8")


def _private_options(scratch: Path) -> list[str]:
    """Options that give apt its own sources, lists and cache below `scratch`."""
    parts, lists, cache = (scratch / name for name in ("sources", "lists", "cache"))
    for folder in (parts, lists / "partial", cache / "archives/partial"):
        folder.mkdir(parents=True)
    for number, (name, text) in enumerate(_machine_lists()):
        deb822 = name.endswith(".sources")
        made = source_stanzas(text) if deb822 else source_list(text)
        (parts / f"{number}{'.sources' if deb822 else '.list'}").write_text(made, encoding="utf-8")
    options = {
        "Dir::Etc::SourceList": "/dev/null",
        "Dir::Etc::SourceParts": f"{parts}/",
        "Dir::State::Lists": f"{lists}/",
        "Dir::Cache": f"{cache}/",
        "APT::Sandbox::User": "root",  # there is no root to give up; as root, `scratch` is private
        "Acquire::Languages": "none",
    }
    return [word for name, value in options.items() for word in ("-o", f"{name}={value}")]


def download(package: str, archive: str, scratch: Path) -> Path:
    """The file `archive` of a source package, below `scratch`; apt shows its progress."""
    if shutil.which("apt-get") is None:
        raise Unavailable("no apt-get on this machine")
    apt = ["apt-get", *_private_options(scratch), *([] if sys.stderr.isatty() else ["-q"])]
    # Some of several mirrors may fail; whether the package is there decides.
    subprocess.run([*apt, "update"], stdin=subprocess.DEVNULL, stdout=STDERR, check=False)
    source = [*apt, "--tar-only", "--download-only"]
    query = subprocess.run(
        [*source, "--print-uris", "source", package], capture_output=True, text=True, check=False
    )
    offered = re.findall(r"^'[^']+' (\S+\.orig\.tar\.\S+)", query.stdout, re.MULTILINE)
    if not offered:
        said = query.stderr.strip().splitlines()
        raise Unavailable(f"no source package {package} ({said[-1] if said else 'no message'})")
    if archive not in offered:
        raise Unavailable(f"{' '.join(offered)} in place of {archive}")
    done = subprocess.run(
        [*source, "source", package],
        cwd=scratch, stdin=subprocess.DEVNULL, stdout=STDERR, check=False,
    )  # fmt: skip
    if done.returncode != 0 or not (scratch / archive).is_file():
        raise Unavailable(f"apt-get source {package} ended with {done.returncode}")
    return scratch / archive
