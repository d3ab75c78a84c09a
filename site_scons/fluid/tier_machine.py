"""Machines that compile for themselves: asked for the speed of the same work, until they have
decided about all their code, and with the image's code instead of their own."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from fluid.emulator import HOST, Ending
from fluid.errors import FluidError
from fluid.event_types import Bye, Error, Prompt, Ready, Speed, Tier
from fluid.hosted import machine_memory
from fluid.machine import Machine
from fluid.training import BOOT_SECONDS, OWN_CODE_OFF, STEP_SECONDS

PROMPT, NEW = 256, 64  # tokens
WARM_LEAST = 3  # times that the work is done before
WARM_PATIENCE = 240  # seconds after which that is enough
QUIET, QUIET_SECONDS = 2, 5  # of these, in as many seconds, without a decision: it is warm

Progress = Callable[[str], None]


def told(events: Sequence[object]) -> str:
    """Of what went wrong."""
    return next((f"{e.code} {e.text}" for e in events if isinstance(e, Error)), "nothing")


def machine_options(target: str, threads: int, size: int) -> dict[str, Any]:
    """Of a fluid-host with a model of `size` bytes that has much to do."""
    options: dict[str, Any] = {"target": target, "runner": HOST, "smp": threads}
    return options | {"mem": machine_memory(size), "life": STEP_SECONDS * 8}


def boot(machine: Machine) -> Ready:
    """E-TIER-01 when it runs no model."""
    events = machine.wait_for(Ready, BOOT_SECONDS) + machine.wait_for(Prompt, BOOT_SECONDS)
    ready = next(event for event in events if isinstance(event, Ready))
    if ready.model is None:
        raise FluidError(
            "E-TIER-01", f"a model that runs in fluid-host expected, found {told(events)}"
        )
    return ready


def ask(machine: Machine, prompt: int = PROMPT, new: int = NEW) -> Speed:
    """Its /speed. E-TIER-01 when it tells of anything else."""
    events = machine.command(f"/speed {prompt} {new}", STEP_SECONDS)
    found = next((event for event in events if isinstance(event, Speed)), None)
    if found is None:
        raise FluidError("E-TIER-01", f"a speed event expected behind /speed, found {told(events)}")
    return found


def warm_up(machine: Machine, name: str, compiles: bool, progress: Progress) -> list[Tier]:
    """What was decided until it has been quiet for a while; then it is switched off. E-TIER-02 when
    nothing was, although it `compiles`."""
    boot(machine)
    quiet, number = 0, 0
    begun = last = time.monotonic()
    while number < WARM_LEAST or (
        (quiet < QUIET or time.monotonic() < last + QUIET_SECONDS)
        and time.monotonic() < begun + WARM_PATIENCE
    ):
        before = len(decided(machine))
        progress(f"{name}: warms up, {before} decisions")
        ask(machine)
        number += 1
        quiet += 1
        if len(decided(machine)) > before:
            quiet, last = 0, time.monotonic()
    machine.send_line("/off")
    machine.wait_for(Bye, STEP_SECONDS)
    ending = machine.wait_end(STEP_SECONDS)
    found = decided(machine)
    if ending is not Ending.PASS or (compiles and not found):
        raise FluidError(
            "E-TIER-02",
            f"{name}: a machine that compiles and then switches itself off expected, found "
            f"{len(found)} decisions about code, and that it {ending.value}; try ./sconsw warmup "
            "runner=host",
        )
    return found


def decided(machine: Machine) -> list[Tier]:
    """About code and knobs, so far."""
    return [event for event in machine.events if isinstance(event, Tier)]


def published(warmed: Sequence[Tier]) -> list[str]:
    """What came of it: levels of code, values of knobs."""
    return [tier.to for tier in warmed if tier.result == "published"]


def switch(machine: Machine, on: bool) -> None:
    """Its own code, or the image's for everything. E-TIER-01 when it knows nothing of that."""
    events = machine.command("/jit on" if on else OWN_CODE_OFF, STEP_SECONDS)
    if any(isinstance(event, Error) for event in events):
        raise FluidError("E-TIER-01", f"/jit on and off expected, found {told(events)}")
