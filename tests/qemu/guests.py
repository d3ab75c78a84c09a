"""Machines under test: starting, sharing and ending them, and checking every event they send."""

import re
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

from fluid.emulator import EMULATED
from fluid.event_types import Bench, Error, Event, Prompt, event_schema
from fluid.machine import Machine
from guest_counters import machine_class

BOOT_SECONDS = 120.0

# CPUs on which the image of a target picks its second variant, with another one below it.
SECOND_VARIANT_CPU = {"i686": None, "x86-64-v2": EMULATED["x86-64-v3"].cpu}

TinyModel = Callable[..., Path]  # the fixture `tiny`


def names(events: list[Event]) -> list[str]:
    """Kinds of events, in order."""
    return [event.ev for event in events]


def codes(events: list[Event]) -> list[str]:
    """Codes of the errors among events."""
    return [event.code for event in events if isinstance(event, Error)]


def said(machine: Machine, line: str | bytes) -> str:
    """What a command prints: the text from its echo to the next prompt sign.

    The sign comes behind the event that ends a command: the one before may still be on its way when
    the line is sent, the one after when the events are there.
    """
    start = len(machine.text)
    assert codes(machine.command(line)) == []
    machine.wait_text(b"\n> ", 20, start)
    text = bytes(machine.text[start:]).decode()
    return text[text.index("\n") + 1 : text.rindex("> ")].replace("\r", "")


def memory_of(machine: Machine) -> tuple[str, int]:
    """What /mem says but for the number of blocks taken since boot, and that number."""
    text = said(machine, "/mem")
    found = re.search(r"(\d+) blocks taken since boot", text)
    assert found, text
    return text.replace(found[0], ""), int(found[1])


def benchmark(machine: Machine, line: str, seconds: float = 120) -> Bench | Error:
    """How the benchmark that this command starts in the background ends."""
    seen = len(machine.events)
    machine.send_line(line)
    while True:
        for event in machine.events[seen:]:
            if isinstance(event, (Bench, Error)):
                return event
        machine.read_event(seconds)


@cache
def _validator(ev: str) -> Any:
    return jsonschema.Draft202012Validator(event_schema(ev))


def check_schema(events: list[Event]) -> None:
    """Every event is exactly as the contract says."""
    for event in events:
        problems = [e.message for e in _validator(event.ev).iter_errors(event.data)]
        assert not problems, f"{event.data}: {problems}"


def no_more_events(machine: Machine) -> bool:
    """True when nothing but text comes any more."""
    before = len(machine.events)
    deadline = time.monotonic() + 60
    while not machine.quiet(0.5) and time.monotonic() < deadline:
        pass
    return len(machine.events) == before


class Machines:
    """Starts machines, ends them, and checks what they said."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._checked: dict[Machine, int] = {}  # events already checked
        self._shared: dict[tuple[str, Path], Machine] = {}

    def start(self, target: str, image: Path, **options: Any) -> Machine:
        """A machine that has just been switched on."""
        machine = machine_class()(image, target=target, **options)
        self._stack.enter_context(machine)
        self._checked[machine] = 0
        return machine

    def boot(self, target: str, image: Path, **options: Any) -> Machine:
        """A machine at its first prompt."""
        machine = self.start(target, image, **options)
        machine.wait_for(Prompt, BOOT_SECONDS)
        return machine

    def shared(self, target: str, image: Path) -> Machine:
        """A machine at its prompt, perhaps used by earlier tests. One at a time is kept."""
        key = (target, image)
        known = self._shared.get(key)
        if known is None or not known.running:
            self.discard_shared()
            self._shared[key] = self.boot(target, image, mem=256)
        return self._shared[key]

    def discard_shared(self) -> None:
        """The next test boots anew."""
        for machine in self._shared.values():
            machine.close()
        self._shared.clear()

    def check(self) -> None:
        """Checks the events that came since the last call."""
        for machine, done in self._checked.items():
            new = machine.events[done:]
            self._checked[machine] += len(new)
            assert not machine.malformed, [str(m) for m in machine.malformed]
            check_schema(new)

    def end_unshared(self) -> None:
        """Ends the machines of one test."""
        for machine in list(self._checked):
            if machine not in self._shared.values():
                machine.close()
                del self._checked[machine]

    def close(self) -> None:
        """Ends all."""
        self._stack.close()
