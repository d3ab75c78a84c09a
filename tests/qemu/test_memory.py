"""Memory: what /mem tells of it, allocators under random requests, and memory used wrongly."""

import re

import pytest

from fluid.emulator import Ending
from fluid.event_types import Panic
from fluid.machine import Machine
from guests import Machines, TinyModel, codes, said
from memory_faults import MEMORY_FAULTS, MemoryFault
from qemu_images import image_of

STORMS = ("pages-storm", "heap-storm", "pool-storm")  # 10,000 requests each
FULL = 100  # times


def lines(guest: Machine) -> dict[str, int]:
    """KiB of each use, as /mem lists them."""
    found = re.findall(r"^  (\S.*?) +(\d+) KiB +\d+\.\d MiB$", said(guest, "/mem"), re.MULTILINE)
    return {name: int(kib) for name, kib in found}


def test_every_page_has_a_use(guest: Machine) -> None:
    """The lines add up to the total."""
    uses = lines(guest)
    total = uses.pop("total")
    assert sum(uses.values()) == total
    assert 250 << 10 < total < 256 << 10
    for name in ("kernel image", "page tables", "KV cache", "model weights", "free"):
        assert uses[name] > 0


def test_accounts_of_modules(guest: Machine) -> None:
    """The engine has its KV cache and its buffers of the heap; tensor modules have nothing."""
    text = said(guest, "/mem")
    found = re.findall(
        r"^  (\w+) +\d+ KiB, heap: (\d+) bytes in (\d+) blocks, at most (\d+)$", text, re.M
    )
    accounts = {name: tuple(map(int, numbers)) for name, *numbers in found}
    live, blocks, peak = accounts["llama"]
    assert 0 < live <= peak and blocks > 1
    assert accounts["tensor_rope"] == (0, 0, 0)


@pytest.mark.parametrize(
    "times", [1, pytest.param(FULL, marks=pytest.mark.full)], ids=["quick", "million"]
)
@pytest.mark.parametrize("storm", STORMS)
def test_random_requests(guest: Machine, storm: str, times: int) -> None:
    for _ in range(times):
        assert codes(guest.command(f"/selftest {storm}", 120)) == []


@pytest.mark.parametrize("fault", MEMORY_FAULTS, ids=lambda fault: fault.name)
def test_memory_faults(
    machines: Machines, target: str, tiny: TinyModel, fault: MemoryFault
) -> None:
    machine = machines.boot(target, image_of(target, tiny()), mem=256)
    machine.send_line(f"/selftest {fault.name}")
    assert machine.wait_end(60) is Ending.PANIC
    panic = machine.events[-1]
    assert isinstance(panic, Panic)
    assert (panic.vector, panic.error_code, panic.address) == (None, None, None)
    assert re.search(rf"panic: {fault.report}\s".encode(), machine.text), machine.text[-2000:]
    assert any(line.startswith(f"{fault.function}+") for line in panic.backtrace), panic.backtrace
