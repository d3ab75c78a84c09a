"""fluid-host with one allocation refused: boot and commands end in a refusal at worst, and what
was refused once works the next time."""

from functools import partial

import pytest

from fluid.emulator import Ending
from fluid.event_types import Panic, Prompt
from fluid.machine import Machine
from fluid.targets import DEFAULT_TARGET
from guests import TinyModel, codes
from host_machine import SECONDS, Hosts, hosts_of, image_of

BUILD = (DEFAULT_TARGET, "address")
REFUSED = b"(an allocation is refused on purpose)"
FIRST = 4  # those before are the first task's: without it there is nothing that could refuse
COMMANDS = [
    *("/load", "/ls", "/tasks", "/complete 3 once", "/score once upon", "hello", "/regen"),
    *("/bench regex_dfa", "/bench stop", "/clear", "/mem", "/profile"),
]
NO_MEMORY = {
    *("E-MOD-10", "E-FAT-13", "E-MEM-01", "E-MEM-02", "E-MEM-03", "E-MEM-04"),
    *("E-TASK-01", "E-BENCH-04"),
}
# What follows when that was a module at boot, the model, or what was said (no reply to make anew).
FOLLOWING = {"E-MOD-11", "E-MOD-13", "E-CON-05", "E-CON-08", "E-BENCH-01", "E-ENG-01"}


def talk(host: Machine) -> list[str]:
    return [code for line in COMMANDS for code in codes(host.command(line, SECONDS))]


def try_one(hosts: Hosts, tiny: TinyModel, number: int) -> bool:
    """False: the boot and the commands have fewer allocations than that."""
    host = hosts.model(tiny("Q8_0"), extra=("--fail-alloc", str(number)))
    at_boot = codes(host.events)
    booted = REFUSED in host.text
    found = at_boot + talk(host)
    assert set(found) <= NO_MEMORY | FOLLOWING, number
    assert not set(found) or set(found) & NO_MEMORY or at_boot, number
    refused = REFUSED in host.text
    again = talk(host)
    assert booted or not refused or again == [], number  # nothing is missing for good
    host.send_line("/off")
    assert host.wait_end(SECONDS) is Ending.PASS
    return refused


def test_some_allocations_fail(tiny: TinyModel) -> None:
    with hosts_of(BUILD) as hosts:
        # The only variant of a module, one of several, the FAT, the engine, the model.
        assert all(map(partial(try_one, hosts, tiny), (4, 145, 226, 240, 270)))


@pytest.mark.full
def test_every_allocation_fails_once(tiny: TinyModel) -> None:
    number = FIRST
    while True:
        with hosts_of(BUILD) as hosts:  # ended before the next one starts
            if not try_one(hosts, tiny, number):
                break
        number += 1
    assert number > 200  # of a boot with a model alone


@pytest.mark.parametrize("number", range(1, FIRST))
def test_no_memory_for_the_first_task(tiny: TinyModel, number: int) -> None:
    with hosts_of(BUILD) as hosts:
        host = hosts.start(image_of(hosts.build, tiny("Q8_0")), extra=("--fail-alloc", str(number)))
        assert host.wait_end(SECONDS) is Ending.PANIC
        assert isinstance(host.events[-1], Panic)
        assert not any(isinstance(event, Prompt) for event in host.events)
