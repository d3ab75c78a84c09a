"""Runs fuzz targets and tells what came of it; `scons fuzz` runs all.

    PYTHONPATH=site_scons:tests:tests/host:tests/fuzz .venv/bin/python \\
        tests/fuzz/fuzz_campaign.py [--runs N] [TARGET ...]

Inputs that reach new code are kept in build/fuzz/<target>/ and are where the next campaign starts.
"""

import argparse
import os
import re
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import fuzz_models
from fuzz_targets import TARGETS, Target
from hostcc import ROOT

OUTPUT = ROOT / "build" / "fuzz"
RUNS = 1_000_000
TIMEOUT = 30  # seconds for one input: a loop without end is a finding
MEMORY = 3072  # MiB
PROGRESS_SECONDS = 15.0
TAIL = 60  # lines of the log behind a finding


class Finding(Exception):
    """A target ended; the text says how to see it again."""


@dataclass(frozen=True)
class Result:
    """What libFuzzer said at the end."""

    target: str
    seeds: int  # files loaded at the start
    runs: int
    seconds: int
    coverage: int  # edges
    corpus: int  # inputs that differ in what they reach


def _command(target: Target, folder: Path, limit: str) -> list[str]:
    command = [str(target.program()), limit, f"-max_len={target.max_len}", f"-timeout={TIMEOUT}"]
    command += [f"-rss_limit_mb={MEMORY}", f"-artifact_prefix={folder}/finding-"]
    command += ["-close_fd_mask=1", "-print_final_stats=1", "-reload=0"]
    if target.words:
        command.append(f"-dict={target.dictionary}")
    new = folder / "corpus"
    new.mkdir(parents=True, exist_ok=True)
    return [*command, str(new), str(target.corpus)]


def environment(target: Target) -> dict[str, str]:
    """The variables that a target needs; makes the models that they name."""
    models = ":".join(str(fuzz_models.vocabulary(name)) for name in target.models)
    # Each input gives all memory back: a long quarantine costs time and finds nothing more.
    common = {"ASAN_OPTIONS": "quarantine_size_mb=8"}
    return {**common, "FUZZ_MODELS": models} if models else common


def _finding(target: Target, folder: Path, log: list[str]) -> Finding:
    kept = sorted(folder.glob("finding-*"), key=lambda path: path.stat().st_mtime)
    text = "".join(log[-TAIL:])
    words = [f"{key}={value}" for key, value in environment(target).items()]
    again = shlex.join([*words, str(target.program()), *map(str, kept[-1:])])
    return Finding(
        f"fuzz target {target.name}: no finding expected, one found; see it again with\n"
        f"    {again}\nfix the code and add a regression test. The end of its log:\n{text}"
    )


def _last(pattern: str, log: list[str]) -> list[int]:
    """The numbers of the last line that matches; of none: an empty list."""
    found = [match for line in log if (match := re.search(pattern, line))]
    return [int(group) for group in found[-1].groups()] if found else []


def run(
    target: Target, folder: Path, *, runs: int = 0, seconds: int = 0, progress: bool = False
) -> Result:
    """Runs a target for so many inputs or seconds; raises Finding."""
    limit = f"-runs={runs}" if runs else f"-max_total_time={seconds}"
    command = _command(target, folder, limit)
    log: list[str] = []
    next_report = time.monotonic() + PROGRESS_SECONDS
    with subprocess.Popen(
        command,
        env={**os.environ, **environment(target)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            log.append(line)
            if progress and time.monotonic() >= next_report and line.startswith("#"):
                print(f"  {target.name}: {' '.join(line.split())}", flush=True)
                next_report = time.monotonic() + PROGRESS_SECONDS
    done = _last(r"^Done (\d+) runs in (\d+) second", log)
    if process.returncode != 0 or not done:
        raise _finding(target, folder, log)
    (folder / "log").write_text("".join(log))
    seeds = _last(r"^INFO: seed corpus: files: (\d+)", log)
    coverage, corpus = _last(r"DONE +cov: (\d+) ft: \d+ corp: (\d+)/", log)
    count, time_taken = done
    return Result(target.name, seeds[0] if seeds else 0, count, time_taken, coverage, corpus)


def table(results: list[Result]) -> str:
    """One line per target."""
    head = f"{'target':<9}{'runs':>10}{'seconds':>9}{'edges':>7}{'inputs':>8}  findings"
    rows = [
        f"{r.target:<9}{r.runs:>10}{r.seconds:>9}{r.coverage:>7}{r.corpus:>8}  0" for r in results
    ]
    return "\n".join([head, *rows])


def main() -> int:
    names = [target.name for target in TARGETS]
    parser = argparse.ArgumentParser(description="Fuzzes parsers with libFuzzer.")
    parser.add_argument("targets", nargs="*", help=f"of {' '.join(names)}; all if none is given")
    parser.add_argument("--runs", type=int, default=RUNS, help="inputs per target")
    chosen = parser.parse_args()
    unknown = set(chosen.targets) - set(names)
    if unknown:
        parser.error(f"target expected, one of {' '.join(names)}, found {' '.join(unknown)}")
    results = []
    for target in TARGETS:
        if chosen.targets and target.name not in chosen.targets:
            continue
        print(f"  FUZZ    {target.name}: {target.about}", flush=True)
        try:
            results.append(run(target, OUTPUT / target.name, runs=chosen.runs, progress=True))
        except Finding as finding:
            print(finding, file=sys.stderr)
            return 1
    print(table(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
