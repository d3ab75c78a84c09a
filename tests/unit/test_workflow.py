"""The CI workflow against the build: who renames an alias, option or target learns it here."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from fluid import options, options_fit
from fluid.suites import SUITES
from fluid.targets import TARGETS

FILE = Path(__file__).resolve().parents[2] / ".github/workflows/ci.yml"
TAG = "${{ matrix.tag }}"
WORKFLOW: dict[Any, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
JOBS: dict[str, Any] = WORKFLOW["jobs"]


def used(job: str, action: str) -> dict[str, Any]:
    """The one step of a job that uses an action, whatever its version."""
    steps = [s for s in JOBS[job]["steps"] if s.get("uses", "").partition("@")[0] == action]
    assert len(steps) == 1, f"{job}: {action}"
    return dict(steps[0])


def commands(job: str) -> list[list[str]]:
    """The words of each command of a job, in order."""
    lines = [line for step in JOBS[job]["steps"] for line in step.get("run", "").splitlines()]
    return [shlex.split(line.replace(TAG, "TAG"), comments=True) for line in lines]


def problems(words: list[str], tag: str) -> Iterator[str]:
    """What the build would refuse in a command of the job for a tag."""
    if words[0] != "./sconsw":
        yield f"{words[0]} is no command of the project"
    given = dict(word.split("=", 1) for word in words[1:] if "=" in word)
    goals = [word for word in words[1:] if "=" not in word]
    given = {name: value.replace("TAG", tag) for name, value in given.items()}
    found = options.problems(given)
    yield from found
    yield from [f"{goal} is no alias" for goal in goals if goal not in options.ALIASES]
    if not found:
        yield from options_fit.unfit({o.name: o.default for o in options.OPTIONS} | given, goals)
    if not goals:
        yield "an alias expected, found none"


def test_it_runs_for_every_change() -> None:
    """YAML 1.1, which PyYAML reads, takes the key `on` for true."""
    assert set(WORKFLOW["on" if "on" in WORKFLOW else True]) == {"push", "pull_request"}
    assert set(JOBS) == {"quick", "matrix"}


def test_one_job_for_each_target() -> None:
    strategy = JOBS["matrix"]["strategy"]
    assert strategy["matrix"] == {"tag": list(TARGETS)}
    assert strategy["fail-fast"] is False
    assert "strategy" not in JOBS["quick"]


@pytest.mark.parametrize("job", JOBS)
def test_every_command_is_known_to_the_build(job: str) -> None:
    assert commands(job)
    for words in commands(job):
        for tag in TARGETS:
            assert list(problems(words, tag)) == [], " ".join(words)


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        ("make test", "make is no command"),
        ("./sconsw tset", "tset is no alias"),
        ("./sconsw target=i686", "an alias expected"),
        ("./sconsw test-qemu tag=i686", "E-OPT-01 option 'tag'"),
        ("./sconsw test-qemu target=x86-64-v9", "E-OPT-02 target=x86-64-v9"),
        ("./sconsw test-matrix target=native", "E-OPT-05 test-matrix"),
    ],
)
def test_what_would_be_found(command: str, problem: str) -> None:
    assert any(problem in found for found in problems(command.split(), "i686"))


def test_what_the_jobs_are_for() -> None:
    """The matrix and the tests of the job's own target, after the runner's profile was used."""
    assert commands("quick") == [["./sconsw", "test"]]
    own, target = commands("matrix")[:3], commands("matrix")[3:]
    assert own[0] == ["./sconsw", "profile-cpu"]
    assert [{"target=native", "image"} <= set(words) for words in own] == [False, True, False]
    assert [{"target=native", "runner=host"} <= set(words) for words in own] == [False, False, True]
    assert [sorted(words[1:]) for words in target] == [
        ["target=TAG", "test-matrix"],
        ["target=TAG", "test-qemu"],
    ]


@pytest.mark.parametrize("job", JOBS)
def test_results_are_kept(job: str) -> None:
    """The XML of each suite that ran, of failed jobs, too; no two jobs take one name."""
    upload = used(job, "actions/upload-artifact")
    assert upload["if"] == "always()"
    kept = upload["with"]["path"].split()
    reports = [SUITES[goal].junit for words in commands(job) for goal in words if goal in SUITES]
    assert reports and all(any(report.startswith(p) for p in kept) for report in reports)
    assert (TAG in upload["with"]["name"]) == ("strategy" in JOBS[job])


@pytest.mark.parametrize("job", JOBS)
def test_downloads_are_kept_between_runs(job: str) -> None:
    assert used(job, "actions/cache")["with"]["path"] == "~/.cache/fluid-os"


def test_no_host_is_named() -> None:
    """Packages come from wherever the runner's apt and pip take them."""
    assert not re.search(r"://|\b[a-z0-9-]+\.(com|org|net|io)\b", FILE.read_text(encoding="utf-8"))
