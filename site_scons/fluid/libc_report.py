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

Three libraries are made: for the kernel, which has no vector registers; for the module `llama`,
with the features of the target's CPU; and the formatter for fluid-host, the rest of which uses the
C library of its system. Linkers take from them only what is used.
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
    lines = ["| header | function | from | kernel | llama |\n|---|---|---|---|---|\n"]
    rows: dict[tuple[str, str, str], dict[str, str]] = {}
    for one in (one for one in manifest.taken if one.public):
        row = rows.setdefault((one.header, one.name, "llvm-libc"), {})
        for unit in one.units:
            row[unit] = "linked" if one.source in links[unit] else "offered"
    for ours in manifest.supplied:
        rows[(ours.header, ours.name, "ours")] = {
            unit: "linked" if ours.sources[0] in links[unit] else "offered" for unit in ours.units
        }
    for (header, name, giver), units in sorted(rows.items()):
        cells = [units.get(unit, "") for unit in ("kernel", "llama")]
        lines.append(f"| `{header}` | `{name}` | {giver} | {' | '.join(cells)} |\n")
    return "".join(lines)


def markdown(manifest: Manifest, links: Mapping[str, set[str]], accuracy: str) -> str:
    """The page; `links` by unit, `accuracy` the part about that."""
    theirs = {unit: set(manifest.sources(unit)) & files for unit, files in links.items()}
    counts = ", ".join(f"{len(files)} for {unit}" for unit, files in theirs.items())
    parts = [
        HEAD,
        "## Functions\n",
        "`offered`: a module may use it and none in the image does. Objects of llvm-libc in every "
        f"target's link maps: {counts}.\n",
        _functions(manifest, links),
        "## What llvm-libc lacks and we supply\n",
        "".join(f"- `{one.name}`: {one.why}.\n" for one in manifest.supplied),
    ]
    for kind, title in NOTES.items():
        rows = [f"- {note.what}: {note.why}.\n" for note in manifest.notes if note.kind == kind]
        parts += [f"{title}\n", "".join(rows)]
    return "\n".join([*parts, accuracy])
