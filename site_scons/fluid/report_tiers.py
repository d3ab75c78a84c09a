"""The report's section about tiers: what variants and compiled code are worth."""

from __future__ import annotations

import statistics
from typing import Any

from fluid.report_section import Section, Table
from fluid.report_style import COLOURS, figure, plain, spread
from fluid.tier_results import ABOUT, RATIOS, Tiers, Work, ratios_of

HEAD = ("code", "work", "tok/s", "spread", *RATIOS, "variant", "used of the cache")
WORKS: tuple[Work, ...] = ("decode", "prompt")


def speeds(found: Tiers) -> Any:
    """A bar for each build and kind of work, the line its spread."""
    import plotly.graph_objects as go

    names = [plain(ABOUT[build.name]) for build in found.builds]
    made = figure(420, barmode="group")
    for work, colour in zip(WORKS, COLOURS, strict=False):
        every = [found.rates(build, work) for build in found.builds]
        middle = [statistics.median(rates) for rates in every]
        made.add_trace(
            go.Bar(
                name=work,
                x=names,
                y=middle,
                error_y=spread(middle, every),
                marker_color=colour,
                hovertext=[
                    f"{x}, {work}: {y:.1f} tok/s" for x, y in zip(names, middle, strict=True)
                ],
                hoverinfo="text",
            )
        )
    made.update_yaxes(title="tokens a second")
    return made


def parts(found: Tiers) -> Any:
    """A bar for each build: where the time of a token goes."""
    import plotly.graph_objects as go

    made = figure(420, barmode="stack")
    split = [build.parts for build in found.builds]
    for part, colour in zip(split[0], COLOURS, strict=False):
        made.add_trace(
            go.Bar(
                name=part,
                x=[plain(ABOUT[build.name]) for build in found.builds],
                y=[max(one[part], 0.0) for one in split],
                marker_color=colour,
                hovertemplate="%{y:.0f} us",
            )
        )
    made.update_yaxes(title="microseconds of a token")
    return made


def rows(found: Tiers) -> list[list[str]]:
    """Below HEAD."""
    made = []
    for work in WORKS:
        for build in found.builds:
            rates = found.rates(build, work)
            made.append(
                [
                    *(ABOUT[build.name], work, f"{statistics.median(rates):.1f}"),
                    f"{min(rates):.1f} to {max(rates):.1f}",
                    *ratios_of(found, build, work),
                    *(build.variant or "-", str(build.used)),
                ]
            )
    return made


def section(found: Tiers | None) -> Section:
    """With a sentence about how to measure it where nobody has."""
    made = Section(
        "tiers",
        "Tiers",
        "One model in images with other code for its operations, in turns: base code, the best "
        "variant of the build, and both with what this machine has compiled before and kept in "
        "its cache. Medians of the rounds, the line their spread; ratios are of each round, above "
        "1 is faster. Where the time of a token goes is measured apart.",
    )
    if found is None:
        made.missing.append(
            "Nothing was measured yet; ./sconsw bench runner=host tiers=1 does, and writes "
            "tiers-host.json of its target."
        )
        return made
    title = f"{found.model}, runner {found.runner}, {found.cpu}, {found.threads} thread(s)"
    made.show("speeds", title, speeds(found))
    tokens = found.builds[0].splits[0].tokens
    made.show("parts", f"Where the time of a token goes, over {tokens} tokens", parts(found))
    title = f"The same as numbers; {found.new} new tokens behind a prompt of {found.prompt}"
    made.tables.append(Table(title, HEAD, rows(found)))
    saved = found.contributions
    shares = [[step, *(f"{share:.1%}" for share in one.values())] for step, one in saved.items()]
    head = ["by", *(part or "all" for part in next(iter(saved.values())))]
    tuned, share = found.knobs
    by = [f"knobs of the best variant, {tuned} changed", f"{share:.1%}"]
    shares.append([*by, *["-"] * (len(head) - len(by))])
    made.tables.append(Table("What is saved of the time of a token", head, shares))
    if found.compiled:
        p50, p95, most = (f"{ms:.0f}" for ms in found.compiled)
        title = "Compile times of one function at one level, ms of CPU"
        made.tables.append(Table(title, ["p50", "p95", "most"], [[p50, p95, most]]))
    return made
