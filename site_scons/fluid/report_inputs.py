"""What the report is made from: products of the build, read strictly, and a copy of the logs.

logs.json is that copy: history.jsonl and timing.jsonl change while a build runs, the copy is made
when all else is measured and changes only if they have something new to tell. E-RPT-03 for a file
that is not as the build wrote it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from fluid import history, timing
from fluid.canonical import canonical_json
from fluid.files import write_atomic
from fluid.history import Record, read_history
from fluid.hotness import HotnessFile, read_hotness
from fluid.levels import LEVELS_SCHEMA, Levels
from fluid.peer_results import Peers, read_peers
from fluid.pgo import Comparison, read_comparison
from fluid.plan import BASELINE, Plan, read_plan
from fluid.quality_results import Quality, read_quality
from fluid.samples import SamplesFile, damaged, read_as, read_checked, read_samples
from fluid.tier_results import Tiers, read_tiers
from fluid.timing import Step, Whole, last_run, read_timing, whole
from fluid.warmup_results import Warmup, read_warmup

LOGS_SCHEMA = 1
RECENT = 100  # records of the same kind that the report shows, the latest


@dataclass(frozen=True, kw_only=True)
class Logs:
    """logs.json."""

    schema: int
    target: str
    history: list[Record]  # of all targets
    left_out: int  # older records
    steps: list[Step]  # of the last build
    whole: Whole
    problems: list[str]  # sentences about lines that are no records


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """Everything."""

    plan: Plan
    trial: Plan
    comparison: Comparison
    levels: Levels
    hotness: HotnessFile
    samples: SamplesFile
    logs: Logs
    peers: Peers | None  # nothing was compared
    quality: Quality | None  # nothing was measured
    warmup: Warmup | None  # the same
    tiers: Tiers | None  # the same

    @property
    def target(self) -> str:
        """CPU tag."""
        return self.plan.target


def recent(records: Sequence[Record]) -> list[Record]:
    """The last RECENT of each kind, in their order."""
    left: dict[tuple[str, ...], int] = {}
    kept = []
    for record in reversed(records):
        kind = (record.target, record.runner, record.what, record.form, record.measure)
        left[kind] = left.get(kind, RECENT) - 1
        if left[kind] >= 0:
            kept.append(record)
    return kept[::-1]


def write_logs(folder: Path, target: str, path: Path | str) -> list[str]:
    """The copy of the logs in `folder`; what is wrong with their lines. E-RPT-02."""
    records, wrong = read_history(folder / history.FILE)
    steps, wrong_steps = read_timing(folder / timing.FILE)
    kept = recent(records)
    problems = [str(problem) for problem in (*wrong, *wrong_steps)]
    logs = Logs(
        schema=LOGS_SCHEMA,
        target=target,
        history=kept,
        left_out=len(records) - len(kept),
        steps=last_run(steps),
        whole=whole(steps),
        problems=problems,
    )
    write_atomic(path, canonical_json(asdict(logs)))
    return problems


def read_logs(path: Path | str, target: str) -> Logs:
    """E-RPT-03."""
    return read_as(path, Logs, LOGS_SCHEMA, target)


def _calls(found: object, names: Iterable[str] | None = None) -> dict[str, int]:
    """Cycles or instructions by benchmark, of the same ones everywhere."""
    if not isinstance(found, dict) or not found:
        raise ValueError("numbers of benchmarks expected")
    if any(type(n) is not int or n <= 0 for n in found.values()):
        raise ValueError("numbers from 1 on expected")
    if names is not None and found.keys() != set(names):
        raise ValueError(f"benchmarks {' '.join(names)} expected, {' '.join(found)} found")
    return found


def read_levels(path: Path | str, target: str) -> Levels:
    """E-RPT-03."""
    data = read_checked(path, LEVELS_SCHEMA, target)
    try:
        first = data["instructions"] or data["host"][0]  # of a target that TCG cannot run
        names = list(_calls(first[BASELINE]))
        counted = {form: _calls(calls, names) for form, calls in data["instructions"].items()}
        rounds = [{form: _calls(one[form], names) for form in first} for one in data["host"]]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise damaged(path, f"{type(error).__name__}: {error}") from error
    return Levels(target, counted, rounds)


def read_inputs(
    target: str,
    *,
    plan: str,
    trial: str,
    comparison: str,
    levels: str,
    hotness: str,
    samples: str,
    logs: str,
    peers: str | None = None,
    quality: str | None = None,
    warmup: str | None = None,
    tiers: str | None = None,
) -> Inputs:
    """Raises what the reader of each file raises."""
    return Inputs(
        plan=read_plan(plan),
        trial=read_plan(trial),
        comparison=read_comparison(comparison, target),
        levels=read_levels(levels, target),
        hotness=read_hotness(hotness, target),
        samples=read_samples(samples, target),
        logs=read_logs(logs, target),
        peers=None if peers is None else read_peers(peers, target),
        quality=None if quality is None else read_quality(quality, target),
        warmup=None if warmup is None else read_warmup(warmup, target),
        tiers=None if tiers is None else read_tiers(tiers, target),
    )
