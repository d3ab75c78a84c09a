"""SCons tool: `report`, the page about all that was measured of the target.

hotness, samples -> compare, levels -> logs.json -> report/index.html
                 -> report/stacks.speedscope.json, report/stacks.folded
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from fluid.hosted import PGO_BUILDS, output_folder
from fluid.needs import wants_report

BASE, _, TRIAL = PGO_BUILDS
PARTS = ("plan", "trial", "comparison", "levels", "hotness", "samples", "logs")
# In $OUT, where somebody asked for it.
MEASURED_APART = {
    "peers-host.json": "peers",
    "quality-host.json": "quality",
    "tiers-host.json": "tiers",
    "warmup.json": "warmup",
}


def _logs_step(target: list[str], source: list[str], env: Any) -> None:
    from fluid import report_inputs

    folder = Path(env.Dir("#build").abspath)
    for problem in report_inputs.write_logs(folder, env["FLUID_TAG"], target[0]):
        print(f"warning {problem}", file=sys.stderr)


def _report_step(target: list[str], source: list[str], env: Any) -> None:
    from fluid import report, report_inputs

    paths = dict(zip(PARTS, source, strict=False))
    paths |= {MEASURED_APART[Path(path).name]: path for path in source[len(PARTS) :]}
    report.write_report(report_inputs.read_inputs(env["FLUID_TAG"], **paths), target[0])


def _stacks_step(target: list[str], source: list[str], env: Any) -> None:
    from fluid import report, samples

    report.write_stacks(samples.read_samples(source[0], env["FLUID_TAG"]), target[0], target[1])


def _there(env: Any, path: str) -> bool:
    return Path(env.File(f"#{env.subst(path)}").abspath).is_file()


def _samples(env: Any, base: str) -> str:
    """Of the training that the plan goes by, if that was ./sconsw profile; else of base."""
    own = env.subst("$OUT/samples.json")
    profiled = f"{base}/hotness.json" not in env["FLUID_MEASURED"]
    return own if profiled and _there(env, own) else f"{base}/samples.json"


def _report(env: Any, alias: str) -> None:
    """Alias of the page and of the samples for other programs. The logs are read when all that adds
    to them has been done, each time: what is made of them is made again if they tell of more."""
    if not wants_report(env["FLUID_GOALS"]):
        return
    folder = env["FLUID_TARGET"].folder
    base, trial = (f"build/{output_folder(folder, role)}" for role in (BASE, TRIAL))
    samples = _samples(env, base)
    measured = [
        env["FLUID_PLAN"],
        f"{trial}/plan.json",
        f"{trial}/compare.json",
        "$OUT/levels.json",
        *env["FLUID_MEASURED"],
        samples,
    ]
    logs = env.AlwaysBuild(env.ReportLogs("$OUT/report/logs.json", [*measured, "$OUT/fluid.img"]))
    apart = [f"$OUT/{file}" for file in MEASURED_APART]
    shown = [path for path in apart if _there(env, path)]
    pages = env.Report("$OUT/report/index.html", [*measured, logs, *shown])
    others = env.Stacks(
        ["$OUT/report/stacks.speedscope.json", "$OUT/report/stacks.folded"], samples
    )
    env.FluidNotShared([logs, pages])  # the history is this machine's
    env.Alias(alias, [pages, others])


def generate(env: Any) -> None:
    """Adds env.FluidReport."""
    env.PythonBuilder("ReportLogs", None, ["report_inputs"], _logs_step, ["FLUID_TAG"])
    env.PythonBuilder("Report", "REPORT", ["report"], _report_step, ["FLUID_TAG"])
    env.PythonBuilder("Stacks", "STACKS", ["report"], _stacks_step, ["FLUID_TAG"])
    env.AddMethod(_report, "FluidReport")


def exists(env: Any) -> bool:
    """plotly and jinja2 are installed."""
    import importlib.util

    return all(importlib.util.find_spec(name) is not None for name in ("plotly", "jinja2"))
