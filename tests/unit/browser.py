"""Headless Chromium as a reader of pages: what it makes of a file, and what it complains about.

Without one its tests fail and say so: skipped, they would look like passed ones. On Ubuntu, whose
Chromium is a snap, which may not read temporary files, they are skipped; Google's Chrome will do.
"""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import pytest

PROGRAMS = ("chromium", "google-chrome", "google-chrome-stable", "chromium-browser")
DEADLINE = 120.0  # seconds; a page takes two or three
BUDGET = 30_000  # milliseconds of virtual time that scripts of the page have
OPTIONS = (
    *(
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-extensions",
        "--hide-scrollbars",
    ),
    *("--no-first-run", "--disable-background-networking", "--disable-component-update"),
    "--host-resolver-rules=MAP * ~NOTFOUND",  # no network
    *("--window-size=1250,1000", "--enable-logging=stderr", f"--virtual-time-budget={BUDGET}"),
)
CONSOLE = re.compile(r":CONSOLE[:(]\d+\)?\] (.*)")
VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}


@dataclass
class Element:
    """One element of the page after its scripts have run."""

    tag: str
    attributes: dict[str, str]
    parent: Element | None = None
    text: str = ""  # its own and its children's
    children: list[Element] = field(default_factory=list)

    @property
    def classes(self) -> set[str]:
        """Of its attribute class."""
        return set(self.attributes.get("class", "").split())

    def all(self, tag: str = "", cls: str = "") -> list[Element]:
        """Elements inside with this tag and class, in their order."""
        found = []
        for child in self.children:
            if tag in ("", child.tag) and (not cls or cls in child.classes):
                found.append(child)
            found += child.all(tag, cls)
        return found

    def by_id(self, name: str) -> Element:
        """The one element inside with this id."""
        [found] = [e for e in self.all() if e.attributes.get("id") == name]
        return found


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = self.here = Element("", {})

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        made = Element(tag, {name: value or "" for name, value in attrs}, self.here)
        self.here.children.append(made)
        if tag not in VOID:
            self.here = made

    def handle_endtag(self, tag: str) -> None:
        element: Element | None = self.here
        while element is not None and element.tag != tag:
            element = element.parent
        if element is not None and element.parent is not None:
            self.here = element.parent

    def handle_data(self, data: str) -> None:
        element: Element | None = self.here
        while element is not None:
            element.text += data
            element = element.parent


@dataclass(frozen=True)
class Page:
    """What became of a file."""

    root: Element
    console: list[str]  # whatever was said there


def program() -> str:
    """The first browser in PATH; AssertionError when there is none."""
    found = next((path for name in PROGRAMS if (path := shutil.which(name))), None)
    if not found and platform.freedesktop_os_release().get("ID") == "ubuntu":
        pytest.skip("Ubuntu has no package of Chromium; install Google's Chrome to run this")
    assert found, f"{' or '.join(PROGRAMS)} expected in PATH; ./sconsw test installs chromium"
    return found


def visit(file: Path, folder: Path) -> Page:
    """Opens a file, with a profile of its own in `folder`."""
    command = [program(), *OPTIONS, f"--user-data-dir={folder}", "--dump-dom", file.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == 0 and done.stdout, done.stderr
    reader = _Reader()
    reader.feed(done.stdout)
    return Page(reader.root, CONSOLE.findall(done.stderr))
