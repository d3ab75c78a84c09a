"""Faults stop the machine with a report: the right vector, a readable backtrace, the exit code."""

import json
import os
import re
import select
import time
from dataclasses import dataclass

import pytest

from fluid.emulator import Ending
from fluid.event_types import Panic
from guests import Machines, TinyModel
from qemu_images import image_of

DIVIDE, INVALID_OPCODE, DOUBLE_FAULT, PROTECTION, PAGE_FAULT = 0, 6, 8, 13, 14


@dataclass(frozen=True)
class Fault:
    """What `/selftest NAME` must lead to."""

    name: str
    vectors: tuple[int | None, ...]
    error_bits: int = 0  # of a page fault's error code (SDM vol. 3A, 4.7)
    function: str = "selftest_run"  # in the backtrace


WRITE, FETCH = 0x2, 0x10
FAULTS = [
    Fault("fault-divide", (DIVIDE,)),
    Fault("fault-ud", (INVALID_OPCODE,)),
    Fault("fault-page-null", (PAGE_FAULT,)),
    Fault("fault-stack-overflow", (PAGE_FAULT, DOUBLE_FAULT), function="descend"),
    Fault("fault-nx", (PAGE_FAULT,), FETCH),
    Fault("fault-rodata-write", (PAGE_FAULT,), WRITE),
    Fault("fault-text-write", (PAGE_FAULT,), WRITE),
    Fault("fault-double", (DOUBLE_FAULT,)),
    Fault("fault-gp", (PROTECTION,)),
    Fault("panic", (None,)),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name)
def test_faults_end_in_a_report(
    machines: Machines, target: str, tiny: TinyModel, fault: Fault
) -> None:
    guest = machines.boot(target, image_of(target, tiny()), mem=256)
    guest.send_line(f"/selftest {fault.name}")
    ending = guest.wait_end(60)
    said = bytes(guest.text[-4000:]).decode(errors="replace")
    assert ending is Ending.PANIC, said
    panic = guest.events[-1]
    assert isinstance(panic, Panic), said
    assert panic.vector in fault.vectors
    if panic.vector == PAGE_FAULT:
        assert panic.address is not None
        assert (panic.error_code or 0) & fault.error_bits == fault.error_bits
    assert fault.function in " ".join(panic.backtrace), panic.backtrace
    assert all(re.fullmatch(r"[\w.:]+\+0x[0-9a-f]+|\?", line) for line in panic.backtrace)
    assert "backtrace:" in said


def test_the_null_page_is_the_address(machines: Machines, target: str, tiny: TinyModel) -> None:
    guest = machines.boot(target, image_of(target, tiny()), mem=256)
    guest.send_line("/selftest fault-page-null")
    assert guest.wait_end(60) is Ending.PANIC
    panic = guest.events[-1]
    assert isinstance(panic, Panic)
    assert panic.address is not None
    assert panic.address < 4096


def test_a_panic_in_an_event_is_told(machines: Machines, target: str, tiny: TinyModel) -> None:
    guest = machines.boot(target, image_of(target, tiny()), mem=256)
    guest.send_line("/selftest panic-event")
    assert guest.wait_end(60) is Ending.PANIC
    assert isinstance(guest.events[-1], Panic)
    assert len(guest.malformed) == 1  # the event that was not finished
    assert b'"ev":"warn"' in guest.malformed.pop().raw


def test_a_slow_reader_gets_the_whole_report(
    machines: Machines, target: str, tiny: TinyModel
) -> None:
    guest = machines.boot(target, image_of(target, tiny()), mem=256)
    guest.send_line("/selftest panic")
    said = b""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        select.select([guest], [], [], 60)
        part = os.read(guest.fileno(), 16)
        if not part:
            break
        said += part
        time.sleep(0.001)
    event = json.loads(said.rpartition(b"\x1e")[2])
    assert event["ev"] == "panic"
    assert guest.wait_end(60) is Ending.PANIC


def test_a_fault_while_reporting_a_fault_still_ends(
    machines: Machines, target: str, tiny: TinyModel
) -> None:
    guest = machines.boot(target, image_of(target, tiny()), mem=256)
    guest.send_line("/selftest panic-nested")
    assert guest.wait_end(60) is Ending.PANIC
    assert b"panic while reporting a panic" in guest.text
