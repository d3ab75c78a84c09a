"""The report of covered lines: the gate, the table, what is written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fluid import coverage_report
from fluid.coverage_html import write_pages
from fluid.coverage_lines import Lines
from fluid.coverage_report import EXCLUDED, LIMIT, check, measured, table, write_json
from fluid.errors import FluidError


def ran(total: int, covered: int) -> dict[int, bool]:
    """So many lines, of which so many ran."""
    return {line: line <= covered for line in range(1, total + 1)}


def found(c: int, python: int) -> coverage_report.Measured:
    """So many of 1000 lines each; C half by machines, half by processes."""
    guest: Lines = {
        "src/kernel/main.c": ran(500, c // 2),
        "tests/host/driver.c": ran(9, 0),
        "src/kernel/arch/hosted/coverage/profile.c": ran(9, 0),
    }
    host: Lines = {"src/kernel/lib/panic.c": ran(500, c - c // 2)}
    unrun: Lines = {"src/kernel/main.c": ran(500, 0)}
    own: Lines = {"site_scons/fluid/cpu.py": ran(1000, python), "tests/conftest.py": ran(9, 0)}
    return measured(guest, host, unrun, own)


def test_the_gate() -> None:
    """At the limit all is well, a line below it not, in either language."""
    limit = LIMIT * 10
    check(found(limit, limit))
    with pytest.raises(
        FluidError, match=r"E-COV-03 .* of C expected .*79\.9 % \(799 of 1000\)"
    ) as c:
        check(found(limit - 1, limit))
    assert "src/kernel/main.c (101 lines), src/kernel/lib/panic.c (100 lines)" in str(c.value)
    with pytest.raises(FluidError, match=r"E-COV-03 .* of Python .* site_scons/fluid/cpu.py \(201"):
        check(found(limit, limit - 1))


def test_nothing_measured_does_not_pass() -> None:
    with pytest.raises(FluidError, match="E-COV-03"):
        check(measured({}, {}, {}, {}))


def test_the_table_is_by_folder() -> None:
    lines = [line.split() for line in table(found(700, 900)).splitlines()]
    assert ["src/kernel", "350/500", "70.0", "%", "-", "350/500", "70.0", "%"] in lines
    assert ["src/kernel/lib", "-", "350/500", "70.0", "%", "350/500", "70.0", "%"] in lines
    assert lines[-1][-3:] == ["900/1000", "90.0", "%"]
    assert not any("coverage" in word or "tests" in word for line in lines for word in line)


def test_what_is_written(tmp_path: Path) -> None:
    """The same measurements give the same bytes; each file says which lines did not run."""
    (tmp_path / "src/kernel").mkdir(parents=True)
    (tmp_path / "src/kernel/data.c").write_text("const int one = 1;\n")
    for name in ("one", "two"):
        write_json(found(998, 1000), tmp_path, tmp_path / f"{name}.json")
    text = (tmp_path / "one.json").read_bytes()
    assert text == (tmp_path / "two.json").read_bytes()
    data = json.loads(text)
    assert data["c"]["both"] == {"covered": 998, "lines": 1000}
    assert data["files"]["src/kernel/main.c"] == {"covered": 499, "lines": 500, "missed": [500]}
    assert data["without_lines"] == ["src/kernel/data.c"]
    assert data["excluded"] == EXCLUDED and all(EXCLUDED.values())


def test_pages(tmp_path: Path) -> None:
    """A line is marked as it ran; a page whose source is gone goes, too."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src/a.c").write_text("a < b;\nc;\n\n")
    pages = tmp_path / "html"
    write_pages({"src/a.c": {1: True, 2: False}}, tmp_path, pages)
    page = (pages / "src.a.c.html").read_text()
    assert "<span class=ran>    1  a &lt; b;</span><span class=missed>    2  c;</span>" in page
    assert "<a href=src.a.c.html>src/a.c</a><td>50.0 %" in (pages / "index.html").read_text()
    write_pages({}, tmp_path, pages)
    assert [path.name for path in pages.iterdir()] == ["index.html"]
