"""docs/libc.md: what of the C library is llvm-libc's, what is ours and why, and what is linked.

The lists come from the manifest, what is linked from the link maps of the kernel and of the module.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from fluid.errors import FluidError
from fluid.libc_manifest import SUBSET, Manifest

_THEIRS = re.compile(r"/llvm-libc/(\w+)\.[^/]+/src/(\S+?\.cpp)\.o:\(")
_OURS = re.compile(r"/llvmlibc_subset/(supply/\S+?\.c)\.o:\(")

HEAD = f"""# The C library

Kernel and modules use [llvm-libc](https://libc.llvm.org), compiled from the source that
`toolchain.lock.json` names with the flags of each target's CPU profile. The list of what is taken
is `{SUBSET}/manifest.toml`. This page is made by `./sconsw libc-report`
from that list, from the link maps of all targets, and from measurements.

The source is fetched once with apt into the user's cache folder (`$XDG_CACHE_HOME/fluid-os`, else
`~/.cache/fluid-os`) and verified by its SHA-256; only its folder `libc` is kept. Builds on machines
without apt take the archive from that folder, if somebody puts it there.

Four libraries are made: for the kernel, which has no vector registers; for the module `llama`,
with the features of the target's CPU; for further modules, `build/<target>/libc.o`, which no image
needs and `./sconsw build/<target>/libc.o` makes; and the formatter for fluid-host, the rest of
which uses the C library of its system.
"""

NOTES = {
    "ours": "## What stands around it and is ours",
    "mended": "## Errors of llvm-libc 19 that are got around",
    "left": "## Errors of llvm-libc 19 that are left",
    "absent": "## What is not there",
}


def linked_sources(link_map: Path | str, unit: str) -> set[str]:
    """Files as the manifest names them, llvm-libc's and ours, that brought code or data into what
    lld linked. Raises E-LIBC-05 when none is llvm-libc's."""
    text = Path(link_map).read_text(encoding="utf-8")
    sources = {source for owner, source in _THEIRS.findall(text) if owner == unit}
    if not sources:
        raise FluidError(
            "E-LIBC-05", f"{link_map}: objects of llvm-libc for {unit} expected, none found; "
            "is the library still linked?"
        )  # fmt: skip
    return sources | set(_OURS.findall(text))


def _functions(manifest: Manifest, links: Mapping[str, set[str]]) -> str:
    rows: dict[tuple[str, str, str], set[str]] = {}
    for one in (one for one in manifest.taken if one.public):
        linked = {unit for unit in links if one.source in links[unit]}
        offered = {"modules"} & set(one.units)
        rows.setdefault((one.header, one.name, "llvm-libc"), set()).update(linked, offered)
    for ours in manifest.supplied:
        linked = {unit for unit in links if ours.sources[0] in links[unit]}
        rows[(ours.header, ours.name, "ours")] = linked | {"modules"} & set(ours.units)
    lines = ["| header | function | from | kernel | llama | libc.o |\n|---|---|---|---|---|---|\n"]
    for (header, name, giver), units in sorted(rows.items()):
        cells = ["yes" if unit in units else "" for unit in ("kernel", "llama", "modules")]
        lines.append(f"| `{header}` | `{name}` | {giver} | {' | '.join(cells)} |\n")
    return "".join(lines)


def markdown(manifest: Manifest, links: Mapping[str, set[str]], accuracy: str) -> str:
    """The page; `links` by unit, `accuracy` the part about that."""
    theirs = {unit: set(manifest.sources(unit)) & files for unit, files in links.items()}
    counts = ", ".join(f"{len(files)} for {unit}" for unit, files in theirs.items())
    parts = [
        HEAD,
        "## Functions\n",
        "`kernel`, `llama`: linked in, as the link maps of every target say. `libc.o`: what any\n"
        "module may link; what the kernel has, modules may also import from it. Objects of\n"
        f"llvm-libc in the link maps: {counts}.\n",
        _functions(manifest, links),
        "## What llvm-libc lacks and we supply\n",
        "".join(f"- `{one.name}`: {one.why}.\n" for one in manifest.supplied),
    ]
    for kind, title in NOTES.items():
        rows = [f"- {note.what}: {note.why}.\n" for note in manifest.notes if note.kind == kind]
        parts += [f"{title}\n", "".join(rows)]
    return "\n".join([*parts, accuracy])
