"""Faults stop the machine with a report: the right vector, a readable backtrace, the exit code."""

import json
import os
import re
import select
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from fluid.emulator import EMULATED, Ending
from fluid.event_types import Panic
from fluid.machine import Machine
from guests import Machines, TinyModel, codes
from qemu_images import image_of
from x86_exceptions import EXCEPTIONS

DIVIDE, DEBUG, NMI, BREAKPOINT, OVERFLOW, BOUND_RANGE, INVALID_OPCODE, NO_DEVICE = range(8)
DOUBLE_FAULT, INVALID_TSS, NOT_PRESENT, STACK_FAULT, PROTECTION, PAGE_FAULT = 8, *range(10, 15)
X87_ERROR = 16


@dataclass(frozen=True)
class Fault:
    """What `/selftest NAME` must lead to."""

    name: str
    vectors: tuple[int | None, ...]
    error_code: int = 0  # of a page fault: SDM vol. 3A, 4.7
    function: str = "selftest_run"  # in the backtrace
    error_code_i686: int | None = None  # where it is another one
    address: int | None = None  # of a page fault, where it is the same in every kernel


PRESENT, WRITE, FETCH = 0x1, 0x2, 0x10
TEXT = 0x100000  # where the kernel begins (kernel.ld)
# #AC needs privilege level 3 and #XM is not emulated: tests/host raises them in a process.
FAULTS = [
    Fault("fault-divide", (DIVIDE,)),
    Fault("fault-ud", (INVALID_OPCODE,)),
    Fault("fault-page-null", (PAGE_FAULT,), address=8),
    Fault("fault-stack-overflow", (PAGE_FAULT, DOUBLE_FAULT), WRITE, "descend", 0),
    Fault("fault-nx", (PAGE_FAULT,), PRESENT | FETCH),
    Fault("fault-rodata-write", (PAGE_FAULT,), PRESENT | WRITE),
    Fault("fault-text-write", (PAGE_FAULT,), PRESENT | WRITE, address=TEXT),
    Fault("fault-double", (DOUBLE_FAULT,)),
    Fault("fault-gp", (PROTECTION,), 0xFFF8),
    Fault("fault-db", (DEBUG,), function="debug"),
    Fault("fault-nmi", (NMI,), function="non_maskable"),
    Fault("fault-bp", (BREAKPOINT,), function="breakpoint"),
    Fault("fault-of", (OVERFLOW,), function="overflow"),
    Fault("fault-nm", (NO_DEVICE,), function="device_not_available"),
    Fault("fault-ts", (INVALID_TSS,), 0x18, "invalid_tss", error_code_i686=0x20),
    Fault("fault-np", (NOT_PRESENT,), 0x38, "segment_not_present", error_code_i686=0x28),
    Fault("fault-ss", (STACK_FAULT,), 0x38, "stack_segment", error_code_i686=0x28),
    Fault("fault-mf", (X87_ERROR,), function="x87_error"),
    Fault("panic", (None,)),
]


def check_fault(machines: Machines, target: str, image: Path, fault: Fault) -> None:
    """The report in words, the event, and the exit code."""
    guest = machines.boot(target, image, mem=256)
    guest.send_line(f"/selftest {fault.name}")
    ending = guest.wait_end(60)
    said = bytes(guest.text[-4000:]).decode(errors="replace")
    assert ending is Ending.PANIC, said
    panic = guest.events[-1]
    assert isinstance(panic, Panic), said
    assert panic.vector in fault.vectors
    expected = fault.error_code
    if target == "i686" and fault.error_code_i686 is not None:
        expected = fault.error_code_i686
    if panic.vector == PAGE_FAULT:
        assert panic.address is not None
        assert fault.address in (None, panic.address)
        # What was fetched is what could not be; read-only constants begin on a page of their own.
        assert not expected & FETCH or panic.address == panic.ip
        assert fault.name != "fault-rodata-write" or panic.address % 4096 == 0
        assert panic.error_code == expected
    elif panic.vector is not None:
        assert panic.error_code == expected
    if panic.vector is not None:
        words = rf"panic: {EXCEPTIONS[panic.vector].label}\b.*, vector {panic.vector}, "
        assert re.search(rf"{words}error code {panic.error_code:#x}, at {panic.ip:#x} ", said), said
    assert fault.function in " ".join(panic.backtrace), panic.backtrace
    assert all(re.fullmatch(r"[\w.:]+\+0x[0-9a-f]+|\?", line) for line in panic.backtrace)
    assert "backtrace:" in said


USER_PAGES = {"fault-smep": (0x11, "execute_user"), "fault-smap": (0x1, "read_user")}


@pytest.mark.parametrize("name", USER_PAGES)
def test_pages_of_ring_3(machines: Machines, target: str, tiny: TinyModel, name: str) -> None:
    """Ring 0 executes and reads none, where the processor has SMEP and SMAP: present, a fetch or
    not, no write, by the supervisor (SDM vol. 3A, 4.7)."""
    error_code, function = USER_PAGES[name]
    cpu = f"{EMULATED[target].cpu},+smep,+smap,+umip"
    guest = machines.boot(target, image_of(target, tiny()), mem=256, cpu=cpu)
    assert codes(guest.command("/selftest cpu-state")) == []
    guest.send_line(f"/selftest {name}")
    assert guest.wait_end(60) is Ending.PANIC
    panic = guest.events[-1]
    assert isinstance(panic, Panic)
    assert (panic.vector, panic.error_code) == (PAGE_FAULT, error_code)
    assert panic.address is not None and panic.address % 4096 == 0
    assert any(line.startswith(f"{function}+") for line in panic.backtrace)


def test_a_processor_without_them_says_so(guest: Machine) -> None:
    for name in USER_PAGES:
        assert codes(guest.command(f"/selftest {name}")) == ["E-TEST-01"]


def test_a_smashed_stack(machines: Machines, target: str, tiny: TinyModel) -> None:
    guest = machines.boot(target, image_of(target, tiny()), mem=256)
    guest.send_line("/selftest fault-stack-smash")
    assert guest.wait_end(60) is Ending.PANIC
    panic = guest.events[-1]
    assert isinstance(panic, Panic) and panic.vector is None
    assert any(line.startswith("stack_smash+") for line in panic.backtrace), panic.backtrace
    assert b"panic: stack: the canary of the function at" in guest.text


def full_stack(machines: Machines, target: str, image: Path, name: str) -> str:
    """Which stack the report says is full."""
    guest = machines.boot(target, image, mem=256)
    guest.send_line(f"/selftest {name}")
    assert guest.wait_end(60) is Ending.PANIC  # no triple fault
    panic = guest.events[-1]
    assert isinstance(panic, Panic) and panic.vector in (PAGE_FAULT, DOUBLE_FAULT)
    found = re.search(rb"the ([a-z -]+) is full: address (0x[0-9a-f]+) is in its", guest.text)
    assert found is not None, bytes(guest.text[-3000:])
    assert panic.address == int(found[2], 16)
    return found[1].decode()


def test_a_full_kernel_stack_is_named(machines: Machines, target: str, tiny: TinyModel) -> None:
    image = image_of(target, tiny())
    assert full_stack(machines, target, image, "fault-stack-overflow") == "kernel stack"


@pytest.mark.of_target("x86-64-v2")
def test_a_full_exception_stack_is_named(machines: Machines, tiny: TinyModel) -> None:
    """In long mode each of these exceptions has a stack with a guard page of its own."""
    image = image_of("x86-64-v2", tiny())
    stack = full_stack(machines, "x86-64-v2", image, "fault-handler-stack")
    assert stack == "stack of machine checks"


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name)
def test_faults_end_in_a_report(
    machines: Machines, target: str, tiny: TinyModel, fault: Fault
) -> None:
    check_fault(machines, target, image_of(target, tiny()), fault)


@pytest.mark.of_target("i686")
def test_bound_range(machines: Machines, tiny: TinyModel) -> None:
    """BOUND does not exist in 64-bit mode."""
    fault = Fault("fault-br", (BOUND_RANGE,), function="bound_range")
    check_fault(machines, "i686", image_of("i686", tiny()), fault)


def test_an_nmi_of_the_board(machines: Machines, target: str, tiny: TinyModel) -> None:
    """It comes whatever the machine does, here while it waits for input."""
    guest = machines.boot(target, image_of(target, tiny()), mem=256)
    guest.qmp.execute("inject-nmi")
    assert guest.wait_end(60) is Ending.PANIC
    panic = guest.events[-1]
    assert isinstance(panic, Panic) and panic.vector == NMI
    assert b"panic: non-maskable interrupt, vector 2, error code 0x0" in guest.text


def test_a_fault_that_nothing_notices(machines: Machines, target: str, tiny: TinyModel) -> None:
    """QEMU's TCG raises no SIMD floating-point exception: the self-test says that it misses one."""
    guest = machines.boot(target, image_of(target, tiny()), mem=256)
    assert codes(guest.command("/selftest fault-xm")) == ["E-TEST-01"]
    assert b"FAILED: a panic expected, the fault went unnoticed" in guest.text


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
