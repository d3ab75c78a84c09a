"""Error codes are stable names: one meaning each, and every one is in the documents."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CODE = re.compile(r"\bE-[A-Z]+-\d\d\b")
# modread.py refuses what the kernel's loader refuses, under the same codes.
SHARED = {f"E-MOD-{number:02}" for number in range(1, 5)}


def used(folder: str, *suffixes: str) -> set[str]:
    """Codes in the sources below a folder."""
    files = [p for p in (ROOT / folder).rglob("*") if p.suffix in suffixes]
    return set(CODE.findall("".join(p.read_text(encoding="utf-8") for p in files)))


def documented() -> set[str]:
    """Codes in the first column: "`E-X-01` … `04`, `20`" names 01 to 04 and 20."""
    found = set()
    for name in ("boot", "formats"):
        text = (ROOT / f"docs/{name}.md").read_text(encoding="utf-8")
        for cell in re.findall(r"^\| (`?E-[^|]*) \|", text, re.MULTILINE):
            area, last, range_open = "", 0, False
            for part in re.findall(r"E-[A-Z]+-|\d\d|…", cell):
                if part == "…":
                    range_open = True
                elif part.startswith("E-"):
                    area = part
                else:
                    first = last if range_open else int(part)
                    found |= {f"{area}{n:02}" for n in range(first, int(part) + 1)}
                    last, range_open = int(part), False
    return found


def test_one_meaning_each() -> None:
    """The build and the machine number their errors apart."""
    machine, build = used("src", ".c", ".h", ".S"), used("site_scons", ".py")
    assert len(machine) > 50 and len(build) > 20
    assert machine & build == SHARED


def test_all_are_documented() -> None:
    """docs/formats.md and docs/boot.md explain every code of the sources."""
    missing = (used("src", ".c", ".h", ".S") | used("site_scons", ".py")) - documented()
    assert missing == set()
