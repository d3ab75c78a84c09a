"""Interrupt controllers, timer and clock on boards with and without them."""

import re
import time
from dataclasses import dataclass

import pytest

from fluid.emulator import EMULATED, Ending
from fluid.event_types import Panic, Prompt
from fluid.keyboard import type_text
from fluid.machine import Machine
from guests import Machines, codes, said
from qemu_images import image_of

DRIFT = 0.001  # the most, per second
QUICK, FULL = 8.0, 600.0  # seconds
SAMPLES = 25


@dataclass(frozen=True)
class Board:
    """A machine, and what /uptime must say of it."""

    machine: str
    controller: str
    timer: str
    clock: str
    extra: tuple[str, ...] = ()
    no_apic: bool = False


BOARDS = {
    "q35": Board("q35", "I/O APIC", "local APIC", "HPET"),
    "pc": Board("pc", "I/O APIC", "local APIC", "HPET"),
    "no-hpet": Board("q35", "I/O APIC", "local APIC", "PIT", ("-machine", "hpet=off")),
    "no-acpi": Board("pc", "8259A", "PIT", "PIT", ("-machine", "acpi=off")),
    "no-apic": Board("pc", "8259A", "PIT", "HPET", no_apic=True),
}


def boot(machines: Machines, target: str, board: Board) -> Machine:
    cpu = f"{EMULATED[target].cpu},-apic" if board.no_apic else None
    image = image_of(target, None)
    return machines.boot(target, image, machine=board.machine, mem=256, extra=board.extra, cpu=cpu)


def interrupts(guest: Machine) -> dict[str, int]:
    """How often each came: "IRQ 1", "spurious", ..."""
    line = re.search(r"interrupts by .*?: (.*)", said(guest, "/uptime"))
    assert line
    counts = (part.rpartition(": ") for part in line[1].split(", "))
    return {name: int(count) for name, _, count in counts}


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_what_delivers_and_ticks(machines: Machines, target: str, board: Board) -> None:
    guest = boot(machines, target, board)
    text = said(guest, "/uptime")
    assert f"interrupts by {board.controller}:" in text
    assert f"timer: {board.timer}," in text
    assert f"clock: {board.clock}," in text
    assert codes(guest.command("/selftest timer")) == []
    assert codes(guest.command("/selftest clock")) == []
    assert codes(guest.command("/selftest spurious")) == []
    before = interrupts(guest)
    type_text(guest.qmp, "/xxxxxxxxxx\n")
    assert codes(guest.wait_for(Prompt, 60)) == ["E-CON-02"]
    after = interrupts(guest)
    assert (
        after["IRQ 1"] - before["IRQ 1"] >= 3
    )  # of 24 changes of keys; on a busy host several share an interrupt
    assert after["IRQ 4"] >= 1  # not one for each byte: who waits for input also looks
    assert ("IRQ 0" in after) == (board.timer == "PIT")
    assert after["errors"] == 0
    assert "endless" not in said(guest, "/uptime")


@pytest.mark.of_target("x86-64-v4")
def test_the_deadline_of_the_time_stamp_counter(machines: Machines) -> None:
    """TCG's processors lack it, Bochs' have it."""
    image = image_of("x86-64-v4", None)
    guest = machines.boot("x86-64-v4", image, runner="bochs", mem=256)
    text = said(guest, "/uptime")
    assert "interrupts by I/O APIC:" in text and "timer: TSC deadline," in text
    assert codes(guest.command("/selftest timer")) == []
    assert codes(guest.command("/selftest clock")) == []


def test_a_vector_that_nobody_uses(machines: Machines, target: str) -> None:
    guest = boot(machines, target, BOARDS["q35"])
    guest.send_line("/selftest fault-vector")
    assert guest.wait_end(60) is Ending.PANIC
    panic = guest.events[-1]
    assert isinstance(panic, Panic) and panic.vector == 60
    assert b"panic: interrupt that nobody expects, vector 60" in guest.text


def uptime(guest: Machine) -> tuple[float, float, float]:
    """Seconds: our clock before, the machine's, our clock after."""
    start, before = len(guest.text), time.monotonic()
    guest.command("/uptime")
    after = time.monotonic()
    guest.wait_text(b"\n> ", 20, start)
    found = re.search(rb"up (\d+\.\d+) s", guest.text[start:])
    assert found
    return before, float(found[1]), after


def offset(guest: Machine) -> tuple[float, float]:
    """By how much the machine's clock is ahead of ours: at least, at most."""
    samples = [uptime(guest) for _ in range(SAMPLES)]
    return max(up - after for _, up, after in samples), min(up - b for b, up, _ in samples)


@pytest.mark.parametrize("board", ["q35", "no-hpet", "no-acpi"])
@pytest.mark.parametrize("seconds", [QUICK, pytest.param(FULL, marks=pytest.mark.full)])
def test_the_clock_keeps_time(machines: Machines, target: str, board: str, seconds: float) -> None:
    """QEMU counts the host's time. How long an answer takes does not matter: it bounds what
    can be known about the drift, and only what is certain is held against the machine."""
    guest = boot(machines, target, BOARDS[board])
    begin, first = time.monotonic(), offset(guest)
    time.sleep(seconds)
    last, elapsed = offset(guest), time.monotonic() - begin
    assert first[0] <= first[1] + DRIFT * elapsed and last[0] <= last[1] + DRIFT * elapsed
    assert last[0] - first[1] <= DRIFT * elapsed, "the machine's clock is fast"
    assert last[1] - first[0] >= -DRIFT * elapsed, "the machine's clock is slow"
