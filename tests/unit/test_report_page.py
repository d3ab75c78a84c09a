"""The report in a browser: it opens from disk without network, and every section has its chart."""

from __future__ import annotations

from pathlib import Path

import pytest

from browser import Element, Page, visit
from fluid.report import write_report
from fluid.report_inputs import Inputs
from report_samples import TARGET, Recorded

HOSTILE = "<script>console.error('hostile')</script><b>&amp;\"'"


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    return Recorded(tmp_path_factory.mktemp("report") / "recorded").inputs()


@pytest.fixture(scope="module")
def page(inputs: Inputs, tmp_path_factory: pytest.TempPathFactory) -> Page:
    folder = tmp_path_factory.mktemp("page")
    write_report(inputs, folder / "index.html")
    return visit(folder / "index.html", folder / "profile")


def chart(page: Page, name: str) -> Element:
    return page.root.by_id(name)


def labels(found: list[Element]) -> set[str]:
    return {element.text.strip() for element in found}


def bars(page: Page, name: str) -> list[int]:
    """So many in each trace."""
    traces = chart(page, name).all("g", "bars")
    return [len(trace.all("g", "point")) for trace in traces]


def test_the_browser_tells_of_errors(tmp_path: Path) -> None:
    """What the next tests rely on: a page that loads something, or fails, is noticed."""
    html = '<img src="http://localhost:1/x.png"><p id="a">b</p><script>missing()</script>'
    (tmp_path / "bad.html").write_text(f"<!doctype html>{html}")
    found = visit(tmp_path / "bad.html", tmp_path / "profile")
    assert any("missing is not defined" in said for said in found.console)
    assert found.root.by_id("a").text == "b"


def test_nothing_is_complained_about(page: Page) -> None:
    assert page.console == []


def test_nothing_is_loaded(page: Page) -> None:
    """The library is in the page, and its policy forbids the rest."""
    [policy] = [e for e in page.root.all("meta") if "http-equiv" in e.attributes]
    assert policy.attributes["content"].startswith("default-src 'none';")
    elements = page.root.all()
    assert not [e for e in elements if e.tag in ("link", "iframe", "object", "embed")]
    sources = [e.attributes["src"] for e in elements if "src" in e.attributes]
    assert sources == []


def test_every_section_has_a_sentence(page: Page) -> None:
    found = page.root.all("section")
    assert len(found) == 12
    for section in found:
        assert section.all("h2")[0].text and section.all("p")[0].text.count(".") >= 1
        assert section.all("svg", "main-svg") or section.attributes["id"] == "plan"
    links = {link.attributes["href"] for link in page.root.all("nav")[0].all("a")}
    assert links == {f"#{section.attributes['id']}" for section in found}


def test_a_bar_for_each_tag(page: Page, inputs: Inputs) -> None:
    names = {r.tag for record in inputs.logs.history for r in record.results if r.size}
    for name in ("benchmarks-cycles-host", "benchmarks-instructions-tcg--icount-shift-3"):
        assert labels(chart(page, name).all("g", "xtick")) == names
        assert bars(page, name)[:2] == [len(names)] * 2  # O2, PGO


def test_peers(page: Page, inputs: Inputs) -> None:
    """Two bars for each kind of work, and the roofline where it is about new tokens."""
    assert inputs.peers is not None
    works = [work for model in inputs.peers.models for work in model.works]
    rooflines = [work for work in works if work.counted == "new"]
    assert bars(page, "peers-chart") == [len(works), len(works), len(rooflines)]
    rows = page.root.by_id("peers").all("tbody")[0].all("tr")
    assert len(rows) == len(works)


def test_tiers(page: Page, inputs: Inputs) -> None:
    """Two bars for each build, and where the time goes; tables with the same numbers."""
    assert inputs.tiers is not None
    builds = len(inputs.tiers.builds)
    assert bars(page, "tiers-speeds") == [builds, builds]
    assert bars(page, "tiers-parts") == [builds] * 4
    rows = [len(body.all("tr")) for body in page.root.by_id("tiers").all("tbody")]
    assert rows == [2 * builds, 4, 1]


def test_warmup(page: Page, inputs: Inputs) -> None:
    """A line for each start, a mark for each publication, a row for each decision."""
    assert inputs.warmup is not None
    starts = inputs.warmup.starts
    traces = chart(page, "warmup-chart").all("g", "scatter")
    marks = [len(trace.all("path", "point")) for trace in traces]
    assert len([trace for trace in traces if trace.all("path", "js-line")]) == len(starts)
    assert sum(marks) == sum(one.published for start in starts for one in start.decisions) > 0
    rows = [len(body.all("tr")) for body in page.root.by_id("warmup").all("tbody")]
    assert rows == [2, sum(len(start.decisions) for start in starts)]


def test_quality(page: Page, inputs: Inputs) -> None:
    """A bar and a mark for each format."""
    assert inputs.quality is not None
    formats = len(inputs.quality.formats)
    assert bars(page, "quality-chart") == [formats]
    marks = chart(page, "quality-chart").all("g", "scatter")
    assert [len(trace.all("path", "point")) for trace in marks] == [formats]
    assert len(page.root.by_id("quality").all("tbody")[0].all("tr")) == formats


def test_before_and_after(page: Page, inputs: Inputs) -> None:
    modules = inputs.comparison.modules
    assert bars(page, "before-after-chart") == [len(modules)] * 2
    assert labels(chart(page, "before-after-chart").all("g", "ytick")) == set(modules)
    timed = chart(page, "before-after-chart").all("g", "errorbar")
    assert len(timed) == len(modules)


def test_levels(page: Page, inputs: Inputs) -> None:
    forms = set(inputs.levels.instructions)
    benchmarks = set(inputs.levels.instructions["O2"])
    for name in ("levels-instructions", "levels-time"):
        found = chart(page, name)
        assert labels(found.all("g", "xtick")) == forms
        assert labels(found.all("g", "ytick")) == {*benchmarks, "geometric mean"}
        assert len(found.all("g", "heatmap-label")) == len(forms) * (len(benchmarks) + 1)


def test_history(page: Page, inputs: Inputs) -> None:
    """A line for each benchmark as it is built by the plan, a point for each run."""
    runs = [r for r in inputs.logs.history if (r.target, r.form) == (TARGET, "PGO")]
    for measure in ("cycles", "instructions"):
        points = [len(r.results) for r in runs if r.measure == measure]
        traces = chart(page, f"history-{measure}").all("g", "scatter")
        assert len(traces) == max(points) > 0 and len(points) > 1
        assert sum(len(t.all("path", "point")) for t in traces) == sum(points)
    boots = chart(page, "history-microseconds").all("g", "scatter")
    timed = [r for r in inputs.logs.history if r.measure == "microseconds"]
    assert len(boots) == len({(r.runner, one.tag) for r in timed for one in r.results}) >= 2


def test_treemap(page: Page, inputs: Inputs) -> None:
    slices = chart(page, "hotness-treemap").all("g", "slice")
    found = inputs.hotness.functions
    modules = {f.module for f in found}
    shapes = {(f.module, f.name, f.rows, f.cols) for f in found if f.caller != f.module}
    assert len(slices) == 1 + len(modules) + len(shapes)
    text = " ".join(labels(slices))
    assert "all modules" in text and "tensor_q4_1" in text and "matmul_q4_1(1536×576)" in text


def test_flame_graph(page: Page, inputs: Inputs) -> None:
    slices = chart(page, "flame-icicle").all("g", "slice")
    frames = {tuple(s.functions[: n + 1]) for s in inputs.samples.samples.stacks for n in range(16)}
    assert 10 < len(slices) <= 1 + len(frames)
    text = " ".join(labels(slices))
    for name in ("all samples", "kernel_main", "llama:llama_eval", "tensor_q4_1:matmul_q4_1"):
        assert name in text


def test_plan(page: Page, inputs: Inputs) -> None:
    rows = [labels(row.all("td")) for row in page.root.by_id("plan").all("tbody")[0].all("tr")]
    expected = sorted(inputs.plan.modules.items())
    assert len(rows) == len(expected)
    for row, (name, decision) in zip(rows, expected, strict=True):
        assert {name, decision.level, decision.why} <= row


def test_timeline(page: Page, inputs: Inputs) -> None:
    assert sum(bars(page, "build-timeline")) == len(inputs.logs.steps) > 10
    section = page.root.by_id("build")
    slowest = max(inputs.logs.steps, key=lambda step: step.took)
    assert slowest.name in labels(section.all("td"))
    captions = labels(section.all("caption"))
    assert "Critical path" in captions


def test_hostile_names_are_text(tmp_path: Path) -> None:
    """In tables and charts, from every file that names come from."""
    recorded = Recorded(tmp_path / "recorded")
    for part in ("plan", "trial", "comparison", "hotness", "samples", "levels"):
        text = recorded.path(part).read_text(encoding="utf-8")
        for name in ("matrix_mul", "kernel_main"):
            text = text.replace(f'"{name}"', '"' + HOSTILE.replace('"', '\\"') + '"')
        recorded.path(part).write_text(text, encoding="utf-8")
    for log in ("history.jsonl", "timing.jsonl"):
        path = recorded.folder / log
        text = path.read_text(encoding="utf-8").replace("matrix_mul", HOSTILE.replace('"', '\\"'))
        path.write_text(text + f"{HOSTILE}\n", encoding="utf-8")
    write_report(recorded.inputs(), tmp_path / "index.html")
    found = visit(tmp_path / "index.html", tmp_path / "profile")
    assert found.console == []
    assert HOSTILE in labels(found.root.by_id("plan").all("td"))
    assert HOSTILE in labels(chart(found, "before-after-chart").all("g", "ytick"))
    tags = labels(chart(found, "benchmarks-cycles-host").all("g", "xtick"))
    assert f"{HOSTILE}_{TARGET}" in tags
    assert HOSTILE in labels(chart(found, "levels-time").all("g", "ytick"))
    flame = " ".join(labels(chart(found, "flame-icicle").all("g", "slice")))
    assert HOSTILE in flame
    assert "E-RPT-01 history.jsonl" in found.root.by_id("problems").text
