"""Training: a workload on the built image, whose measurements decide how modules are compiled.

The benchmarks run at their default size, the model completes some texts and holds a short
conversation. What is measured afterwards (pgo.py) has other sizes and other texts.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fluid.errors import FluidError
from fluid.event_types import Bench, Boot, Error, Event, Hotness, ProfRaw, Prompt, Ready
from fluid.hotness import check_export, merge, write_hotness
from fluid.machine import Machine
from fluid.probe import choose_runner
from fluid.profraw import write_profdata
from fluid.progress import show_progress
from fluid.samples import merge_samples, write_samples

RUNS = 2
ICOUNT = "shift=3"  # 8 ns for an instruction: the same numbers each time
TICKS = 1 << int(ICOUNT.removeprefix("shift="))  # of the time stamp counter for an instruction
COUNTING = f"tcg -icount {ICOUNT}"  # the runner, in words
BOOT_SECONDS = 300.0
STEP_SECONDS = 900.0
DEFAULT_SIZE = 0
OWN_CODE_OFF = "/jit off"  # what is measured is the build's code, not what a machine makes itself


@dataclass(frozen=True)
class Workload:
    """What a machine is asked to do."""

    benchmarks: Sequence[tuple[str, int, int]]  # name, size, calls
    lines: Sequence[str]  # typed at the prompt, if there is a model


def training(benchmarks: Sequence[str]) -> Workload:
    """Long enough that all that matters is called often; a minute or two when emulated."""
    return Workload(
        [(name, DEFAULT_SIZE, 20) for name in benchmarks],
        (
            "/complete 12 The history of bread begins",
            "/complete 12 In a small village by the sea there lived",
            "Name three colours.",
            "/clear",
        ),
    )


def run_benchmark(machine: Machine, name: str, size: int, calls: int) -> Bench:
    """Its result, which comes before the next prompt or behind it; raises E-HOT-04 when the machine
    tells of an error instead."""
    deadline = time.monotonic() + STEP_SECONDS
    events = machine.command(f"/bench {name} {size} {calls}", STEP_SECONDS)
    while True:
        for event in events:
            if isinstance(event, Bench) and event.name == name:
                return event
            _refuse(event, f"benchmark {name}")
        events = [machine.read_event(max(0.0, deadline - time.monotonic()))]


def _refuse(event: Event, what: str) -> None:
    if isinstance(event, Error):
        raise FluidError(
            "E-HOT-04", f"{what} was expected to run, found {event.code}: {event.text}"
        )


def run_workload(
    machine: Machine, workload: Workload, progress: Callable[[str], None], model: bool = False
) -> dict[str, Bench]:
    """From the start of the machine on; results of the benchmarks by name. E-HOT-04 when `model` is
    in the image and does not run."""
    events = machine.wait_for(Ready, BOOT_SECONDS) + machine.wait_for(Prompt, BOOT_SECONDS)
    ready = next(event for event in events if isinstance(event, Ready))
    for event in events if model and ready.model is None else ():
        _refuse(event, "the model")
    for line in (OWN_CODE_OFF, "/profile reset"):
        for event in machine.command(line):
            _refuse(event, line)
    results = {}
    for name, size, calls in workload.benchmarks:
        progress(name)
        results[name] = run_benchmark(machine, name, size, calls)
    for line in workload.lines if ready.model else ():
        progress(line)
        for event in machine.command(line, STEP_SECONDS):
            _refuse(event, line)
    return results


def export(machine: Machine) -> Hotness:
    """What the machine has measured. E-HOT-05 when it tells nothing of the kind."""
    found = [e for e in machine.command("/profile", STEP_SECONDS) if isinstance(e, Hotness)]
    boot = next(event for event in machine.events if isinstance(event, Boot))
    if not found:
        raise FluidError(
            "E-HOT-05", "a hotness event expected behind /profile, found none; rebuild the image"
        )
    check_export(found[0], boot.build, boot.target)
    return found[0]


def count(
    image: Path,
    results: Mapping[str, Path],
    *,
    target: str,
    bits: int,
    benchmarks: Sequence[str],
    **options: Any,
) -> None:
    """Trains the image with counters once; `results`: where the profile of each module goes.
    E-PGO-07 when the machine has no counters of one."""
    with Machine(image, target=target, **options) as machine:
        run_workload(machine, training(benchmarks), lambda step: show_progress(f"counting: {step}"))
        events = machine.command("/profile counters", STEP_SECONDS)
    print(file=sys.stderr)
    found = {event.module: event for event in events if isinstance(event, ProfRaw)}
    for name, path in results.items():
        if name not in found:
            raise FluidError(
                "E-PGO-07",
                f"counters of module {name} expected, found those of {', '.join(found) or 'none'}; "
                "rebuild the image",
            )
        write_profdata(found[name], bits, path)


def capture(
    image: Path,
    result: Path,
    *,
    target: str,
    benchmarks: Sequence[str],
    samples: Path,
    model: bool,
    runner: str = "auto",
    runs: int = RUNS,
    **options: Any,
) -> None:
    """Trains `runs` times and replaces `result`, and `samples` (samples.py); a failure leaves them
    as they were. model: the image has one, so that a machine without says too little."""
    runner = choose_runner(runner, image, target)
    exports = []
    for number in range(1, runs + 1):
        with Machine(image, target=target, runner=runner, **options) as machine:
            run_workload(
                machine,
                training(benchmarks),
                lambda step, number=number: show_progress(f"run {number} of {runs}: {step}"),  # type: ignore[misc]
                model,
            )
            exports.append((export(machine), runner))
    print(file=sys.stderr)
    target = exports[0][0].target
    write_samples(merge_samples(exports, target), samples)
    write_hotness(merge(exports, target), result)
