"""Pages that show which lines ran: an index by file, and each source with its lines marked."""

from __future__ import annotations

from html import escape
from pathlib import Path

from fluid.coverage_lines import Lines, count
from fluid.files import write_atomic

STYLE = """body { font: 14px sans-serif; margin: 2em } pre { font: 13px/1.35 monospace; margin: 0 }
td { padding: 0 1em 0 0 } td + td { text-align: right } span { display: block }
.ran { background: #e3f6e3 } .missed { background: #fbdcdc }"""


def _page(title: str, body: str) -> bytes:
    head = f"<meta charset=utf-8><title>{escape(title)}</title><style>{STYLE}</style>"
    return f"<!doctype html>{head}<h1>{escape(title)}</h1>{body}\n".encode()


def _name(path: str) -> str:
    return path.replace("/", ".") + ".html"


def _source(text: str, lines: dict[int, bool]) -> str:
    marked = {True: "ran", False: "missed", None: "none"}
    rows = (
        f"<span class={marked[lines.get(number)]}>{number:>5}  {escape(line)}</span>"
        for number, line in enumerate(text.splitlines(), start=1)
    )
    return f"<pre>{''.join(rows)}</pre>"


def write_pages(lines: Lines, top: Path, folder: Path) -> None:
    """index.html and a page for each file; pages of files that are gone go, too."""
    rows = []
    for path, file in lines.items():
        value = count({path: file})
        title = f"{path}: {value.covered} of {value.total} lines"
        text = (top / path).read_text(encoding="utf-8")
        write_atomic(folder / _name(path), _page(title, _source(text, file)))
        missed = value.total - value.covered
        link = f"<a href={_name(path)}>{escape(path)}</a>"
        rows.append((path, f"<tr><td>{link}<td>{value.percent:.1f} %<td>{missed}<td>{value.total}"))
    head = "<tr><th>file<th>ran<th>lines missed<th>lines"
    body = "".join(row for _, row in sorted(rows))
    write_atomic(folder / "index.html", _page("Coverage", f"<table>{head}{body}</table>"))
    kept = {_name(path) for path in lines} | {"index.html"}
    for page in folder.glob("*.html"):
        if page.name not in kept:
            page.unlink()
