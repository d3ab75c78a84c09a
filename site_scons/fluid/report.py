"""`scons report`: one page with everything that was measured of a target, and why it is built so.

The page is a file of its own: the library that draws is in it, and its Content-Security-Policy
forbids to load anything. All text goes through jinja2's escaping or report_style.plain. jinja2 and
plotly are imported when a page is made, so that other builds do without.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from fluid import report_style, stacks
from fluid.files import write_atomic
from fluid.report_inputs import Inputs
from fluid.report_section import Section
from fluid.report_sections import sections
from fluid.samples import SamplesFile

TEMPLATE = Path(__file__).with_name("report_page.html.j2")


def page_of(target: str, found: Sequence[Section], problems: Sequence[str] = ()) -> str:
    """A page of these sections."""
    import jinja2

    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(
        target=target,
        problems=problems,
        sections=found,
        library=report_style.library(),
    )


def page(inputs: Inputs) -> str:
    """The whole report."""
    return page_of(inputs.target, sections(inputs), inputs.logs.problems)


def write_report(inputs: Inputs, path: Path | str) -> None:
    """index.html."""
    write_atomic(path, page(inputs).encode())


def write_stacks(found: SamplesFile, as_speedscope: Path | str, as_folded: Path | str) -> None:
    """The samples for other programs."""
    runners = ", ".join(dict.fromkeys(run.runner for run in found.runs))
    content = stacks.speedscope(found.samples.stacks, f"Fluid OS {found.target}, {runners}")
    write_atomic(as_speedscope, (json.dumps(content, separators=(",", ":")) + "\n").encode())
    write_atomic(as_folded, stacks.folded(found.samples.stacks).encode())
