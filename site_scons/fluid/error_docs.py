"""docs/errors.md from error_catalogue.toml.

PYTHONPATH=site_scons .venv/bin/python -m fluid.error_docs > docs/errors.md    (or: scons docs)
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path

CATALOGUE = Path(__file__).with_name("error_catalogue.toml")
WHO = ("machine", "build", "both")

HEAD = """# Errors

Generated from `site_scons/fluid/error_catalogue.toml` by `./sconsw docs`; change it there.

A code is stable. The sentence behind it says what was expected, what was found and what to do, with
the numbers of the case at hand; this table says what each code means in general. The machine's
errors are `error` and `warn` events and a line for people ([console](console.md)); boot sectors and
kernel entry print theirs and stop ([boot](boot.md)). The build's errors end it.
"""


@dataclass(frozen=True)
class Error:
    """One line of the catalogue."""

    code: str
    who: str  # one of WHO
    cause: str
    remedy: str

    @property
    def area(self) -> str:
        return self.code.split("-")[1]


@dataclass(frozen=True)
class Catalogue:
    """All errors in the order of the table, and what their areas are."""

    areas: dict[str, str]
    errors: dict[str, Error]


def load(path: Path = CATALOGUE) -> Catalogue:
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    errors = {code: Error(code, *row) for code, row in data["errors"].items()}
    return Catalogue(data["areas"], errors)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def markdown(catalogue: Catalogue) -> str:
    """The document: one table for each area."""
    lines = [HEAD]
    for area, title in catalogue.areas.items():
        lines += [f"## E-{area}: {title}", "", "| code | said by | meaning | what to do |"]
        lines += ["|---|---|---|---|"]
        for e in catalogue.errors.values():
            if e.area == area:
                who = "both" if e.who == "both" else f"the {e.who}"
                lines.append(f"| {e.code} | {who} | {_cell(e.cause)} | {_cell(e.remedy)} |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    print(markdown(load()), end="")
