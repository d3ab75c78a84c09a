"""What the report says: its sections, each with charts, tables, and a sentence about what one sees,
of which runner and in which units."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from fluid import (
    report_numbers,
    report_peers,
    report_quality,
    report_shapes,
    report_tiers,
    report_warmup,
)
from fluid.catalogue import ABSENT, Result
from fluid.history import IMAGE, Record
from fluid.hotness import Run
from fluid.pgo import final_plan, is_baseline
from fluid.report_inputs import Inputs
from fluid.report_section import Section, Table
from fluid.timing import SECOND, critical_path

ROWS = 20  # of the tables of slowest steps and last records


def _slug(text: str) -> str:
    return "".join(c if c.isascii() and c.isalnum() else "-" for c in text)


def _runners(runs: Sequence[Run]) -> str:
    return ", ".join(dict.fromkeys(f"{run.runner} ({run.cpu})" for run in runs))


def _benchmarks(inputs: Inputs) -> Section:
    records = inputs.logs.history
    section = Section(
        "benchmarks",
        "Benchmarks by tag",
        "What one unit of work takes: a bar for each benchmark and CPU tag of every target that "
        "was measured on this machine, and for each form, the last result. O2 is the image with "
        "nothing known, PGO the one built by the plan, both at the sizes of levels; image that of "
        "./sconsw bench, at default sizes, whose units may be larger. By a clock it is the "
        "median, with least and greatest; of instructions the least. The axis is logarithmic; "
        "less is faster.",
    )
    for measure in ("cycles", "instructions"):
        for runner in report_numbers.runners(records, measure):
            chart = report_numbers.by_tag(records, runner, measure)
            name = _slug(f"{measure}-{runner}")
            none = f"No benchmark of forms that are shown here has {measure} of {runner}."
            section.show(name, f"{measure}, runner {runner}", chart, none)
    if not section.charts:
        section.missing.append("No results are in the history; ./sconsw levels adds some.")
    last = {(r.target, r.runner): r for r in records if r.form == IMAGE and r.measure == "cycles"}
    title = "Counters of the processor for a unit of work (./sconsw bench)"
    results = [
        (record.runner, result)
        for record in last.values()
        for result in record.results
        if result.counted_by
    ]
    if results:
        section.tables.append(_counted(title, results))
    without = [f"{t}, runner {r}" for (t, r), record in last.items() if not _any(record)]
    section.missing += [f"{title}, {where}: {ABSENT}." for where in without]
    if not last:
        section.missing.append(f"{title}: {ABSENT}.")
    return section


def _shown(count: float | None) -> str:
    return ABSENT if count is None else report_numbers.short(count)


def _any(record: Record) -> bool:
    return any(result.counted_by for result in record.results)


def _counted(title: str, results: Sequence[tuple[str, Result]]) -> Table:
    """(runner, result), of which something was counted."""
    names = list(dict.fromkeys(name for _, one in results for name, _ in one.counters))
    rows = [
        [one.tag, runner, one.counted_by, *(_shown(one.count(name)) for name in names)]
        for runner, one in results
    ]
    head = ["benchmark", "runner", "counted by", *(name.replace("_", " ") for name in names)]
    return Table(title, head, rows)


def _before_after(inputs: Inputs) -> Section:
    found = inputs.comparison
    final = final_plan(inputs.trial, found)
    section = Section(
        "before-after",
        "Before and after",
        "What each module takes itself in the image built by the plan, as a part of what it takes "
        "in the one with nothing known, on the same work; below 1 is faster. Runners: "
        f"{', '.join(found.runners)}. Time is the median of the rounds, the line their spread, cut "
        "off where it reaches beyond the axis. What is not faster keeps its previous form.",
    )
    chart = report_numbers.before_after(found)
    section.show("chart", "after / before", chart, "No module was measured in both images.")
    rows = []
    for name, change in sorted(found.modules.items()):
        tried = inputs.trial.decision(name)
        how = f"{tried.level}{' with counters' if tried.profile else ''}"
        middle = spread = ABSENT
        if change.host:
            middle = f"{statistics.median(change.host):.3f}"
            spread = f"{min(change.host):.3f} to {max(change.host):.3f}"
        kept = "yes" if final.decision(name) == tried else "no"
        if is_baseline(tried):
            kept = "-"  # there was nothing to try
        counted = ABSENT if change.instructions is None else f"{change.instructions:.3f}"
        rows.append([name, how, counted, middle, spread, kept])
    head = ["module", "tried as", "instructions", "time, median", "time, spread", "kept"]
    section.tables.append(Table("The same as numbers", head, rows))
    return section


def _levels(inputs: Inputs) -> Section:
    section = Section(
        "levels",
        "Optimisation levels",
        "Each benchmark at -O0, -O1, -O2, -O3 and as the plan builds it (PGO), as a multiple of "
        "-O2: green takes less, orange more. The last row is the geometric mean.",
    )
    counted = report_numbers.levels(inputs.levels, False)
    why = "There are no instructions: QEMU's TCG cannot run this target."
    section.show("instructions", "instructions, runner tcg with -icount", counted, why)
    timed = report_numbers.levels(inputs.levels, True)
    why = "There is no time: fluid-host cannot run here."
    section.show("time", "time, runner host (fluid-host), medians of the rounds", timed, why)
    return section


def _history(inputs: Inputs) -> Section:
    logs = inputs.logs
    section = Section(
        "history",
        "History on this machine",
        "Each run of bench, levels and pgo=1 adds a point: what a unit of work took, as a part of "
        "the first run that is shown. Lines of other targets and forms are switched on in the "
        f"legend. {len(logs.history)} records, {logs.left_out} older ones left out.",
    )
    titles = {
        "cycles": "cycles by a clock",
        "instructions": "instructions, runner tcg with -icount",
        "microseconds": "time to the prompt (./sconsw bench)",
    }
    for measure, title in titles.items():
        chart = report_numbers.over_time(logs.history, measure, inputs.target)
        none = f"No {title} yet; ./sconsw levels and ./sconsw bench add to the history."
        section.show(measure, title, chart, none)
    rows = [
        (r.time, r.commit or ABSENT, r.build[:12], r.target, r.what, r.form, r.runner, r.measure)
        for r in logs.history[::-1][:ROWS]
    ]
    head = ["time (UTC)", "commit", "build", "target", "what", "form", "runner", "measure"]
    section.tables.append(Table(f"The last {len(rows)} records", head, rows))
    return section


def _hotness(inputs: Inputs) -> Section:
    section = Section(
        "hotness",
        "Hotness",
        "Cycles that modules and their functions, with the shapes they were called with, took "
        "themselves in the training: the area. A click goes into a module. Runner: "
        f"{_runners(inputs.hotness.runs)}; in the training of pgo=1 eight cycles are an "
        "instruction.",
    )
    chart = report_shapes.treemap(inputs.hotness)
    section.show("treemap", "own cycles", chart, "No module has cycles of its own.")
    rows = [
        [m.name, m.target, f"{m.code_bytes:,}", f"{m.live_bytes:,}", f"{m.peak_bytes:,}"]
        for m in inputs.samples.modules
    ]
    head = ["module", "CPU tag", "code, bytes", "live, bytes", "most, bytes"]
    section.tables.append(Table("Memory of modules", head, rows))
    counts = [(n, ABSENT if c is None else f"{c:,}") for n, c in inputs.samples.counters]
    title = "Counters of the processor in the training"
    section.tables.append(Table(title, ["counter", "count"], counts))
    return section


def _flame(inputs: Inputs) -> Section:
    found, runs = inputs.samples.samples, inputs.samples.runs
    section = Section(
        "flame",
        "Flame graph",
        f"Where the timer, {found.hz} times a second, found the boot processor in the training: "
        f"callers above what they call, width is samples. {found.taken:,} samples; {found.idle:,} "
        f"more were idle, {found.lost:,} lost. Runner: {_runners(runs)}. The same is beside this "
        "page as stacks.speedscope.json (for speedscope) and stacks.folded (collapsed stacks).",
    )
    hosted = all(run.runner == "host" for run in runs)
    why = "nothing ticks in fluid-host" if hosted else "the timer never found it at work"
    section.show("icicle", "samples", report_shapes.flame(found), f"There are no samples: {why}.")
    return section


def _plan(inputs: Inputs) -> Section:
    section = Section(
        "plan",
        "Plan with reasons",
        "How each module of the image is compiled, and why: level of optimisation, and whether "
        "with the branch counters of its training.",
    )
    rows = [
        [name, d.level, "used" if d.profile else "-", d.why]
        for name, d in sorted(inputs.plan.modules.items())
    ]
    head = ["module", "level", "counters", "why"]
    section.tables.append(Table(f"plan.json of {inputs.target}", head, rows))
    return section


def _seconds(microseconds: int) -> str:
    return f"{microseconds / SECOND:.2f}"


def _build(inputs: Inputs) -> Section:
    steps, whole = inputs.logs.steps, inputs.logs.whole
    section = Section(
        "build",
        "Build timing",
        "The steps of the last build that made something, measurements included, by the clock of "
        "this machine: bars above each other ran at once, those with a rim are the critical path, "
        f"on which each waited for the one before. The {whole.steps} steps that the log knows, by "
        f"the last time of each, are {_seconds(whole.work)} s of work, and take "
        f"{_seconds(whole.critical)} s on any number of processors.",
    )
    chart = report_shapes.timeline(steps)
    section.show("timeline", "steps", chart, "No build has left times yet.")
    if len(steps) > report_shapes.BARS_MAX:
        section.missing.append(f"The longest {report_shapes.BARS_MAX} of {len(steps)} are drawn.")
    slowest = sorted(steps, key=lambda step: -step.took)[:ROWS]
    lists = {f"The {len(slowest)} slowest steps": slowest, "Critical path": critical_path(steps)}
    for title, some in lists.items():
        rows = [[_seconds(step.took), step.verb, step.name] for step in some]
        section.tables.append(Table(title, ["seconds", "step", "product"], rows))
    return section


def _peers(inputs: Inputs) -> Section:
    found = inputs.peers
    section = Section(
        "peers",
        "Peers",
        "Tokens a second of the same model files in fluid-host and in llama.cpp, with as many "
        "threads, in turns: medians of the rounds, the line their spread; the axis is logarithmic, "
        "more is faster. The roofline is what memory, read in the same rounds, allows for new "
        "tokens, each of which reads all weights. ours / peer is of each round.",
    )
    if found is None:
        section.missing.append(
            "Nothing was compared yet; ./sconsw bench runner=host target=native peers=1 does, and "
            "writes peers-host.json of its target."
        )
        return section
    section.show("chart", f"runner {found.runner}, {found.cpu}", report_peers.chart(found))
    title = f"The same as numbers; {found.threads} thread(s), {found.peer}"
    section.tables.append(Table(title, report_peers.HEAD, report_peers.rows(found)))
    return section


def _quality(inputs: Inputs) -> Section:
    found = inputs.quality
    section = Section(
        "quality",
        "Quality by format",
        "Perplexity of the model with its weights in each format, on texts of this project; less "
        "is better, the axis is logarithmic. Bars are our engine's, marks those of a float forward "
        "pass over the same weights: how far a mark is above the dashed line, unchanged weights, "
        "is what the format costs, and a bar above its mark what our 8-bit activations cost. "
        "Rounding to K types is plain; files of llama.cpp's quantizer are better.",
    )
    if found is None:
        section.missing.append(
            "Nothing was measured yet; ./sconsw quality does, and writes quality-host.json of its "
            "target."
        )
        return section
    title = f"{found.model}, runner {found.runner}, {found.cpu}"
    section.show("chart", title, report_quality.chart(found))
    title = (
        f"The same as numbers, of {found.positions:,} positions: share of the weights in the type "
        "and their error; the oracle's perplexity, by how much it is above that on unchanged "
        "weights (and the standard error), best tokens kept; ours, by how much it is above the "
        "oracle's, best tokens agreed, rms difference of logsumexp, largest margin where not"
    )
    section.tables.append(Table(title, report_quality.HEAD, report_quality.rows(found)))
    return section


def _warmup(inputs: Inputs) -> Section:
    return report_warmup.section(inputs.warmup)


def _tiers(inputs: Inputs) -> Section:
    return report_tiers.section(inputs.tiers)


def sections(inputs: Inputs) -> list[Section]:
    """In the order of the page."""
    made = (
        *(_benchmarks, _peers, _tiers, _warmup, _quality, _before_after, _levels, _history),
        *(_hotness, _flame, _plan, _build),
    )
    return [make(inputs) for make in made]
