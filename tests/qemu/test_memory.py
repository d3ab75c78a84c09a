"""Memory: what /mem tells of it, allocators under random requests, and memory used wrongly."""

import re
from pathlib import Path

import pytest

from fluid.emulator import Ending
from fluid.event_types import Panic, Warn
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


NODES = (
    *("-object", "memory-backend-ram,id=m0,size=256M"),
    *("-object", "memory-backend-ram,id=m1,size=256M"),
    *("-smp", "2"),
)


@pytest.mark.parametrize("mine", [0, 1])
def test_memory_of_the_near_node_comes_first(
    machines: Machines, target: str, tiny: TinyModel, mine: int
) -> None:
    nodes = [f"node,nodeid={n},memdev=m{n},cpus={n ^ mine}" for n in (0, 1)]
    extra = (*NODES, "-numa", nodes[0], "-numa", nodes[1])
    machine = machines.boot(target, image_of(target, tiny()), mem=512, extra=extra)
    found = re.findall(
        r"^node (\d)( \(near\))?: (\d+) MiB at \S+, (\d+) MiB free$", said(machine, "/mem"), re.M
    )
    used = {0: 0, 1: 0}
    for node, near, size, free in found:
        used[int(node)] += int(size) - int(free)
        assert (near != "") == (int(node) == mine)
    assert codes(machine.command("/selftest")) == []
    # The kernel itself lies in node 0, tables of the firmware at the end of node 1.
    assert (used[1] > 1) == (mine == 1), used


def test_a_damaged_srat_is_a_warning(
    machines: Machines, target: str, tiny: TinyModel, tmp_path: Path
) -> None:
    """All memory is alike then."""
    data = tmp_path / "srat"
    data.write_bytes(bytes(12) + b"\x01\x28" + bytes(6))
    extra = ("-acpitable", f"sig=SRAT,data={data}")
    machine = machines.boot(target, image_of(target, tiny()), mem=256, extra=extra)
    assert [event.code for event in machine.events if isinstance(event, Warn)] == ["E-ACPI-08"]
    assert "node" not in said(machine, "/mem")


@pytest.mark.of_target("x86-64-v2")
def test_pages_of_1_gib(machines: Machines, tiny: TinyModel) -> None:
    """Where the processor has them; a part of one can have other protection all the same."""
    image = image_of("x86-64-v2", tiny())
    for more, expected in ((",+pdpe1gb", 1), ("", 0)):
        machine = machines.boot("x86-64-v2", image, mem=2560, cpu=f"Nehalem{more}")
        found = re.search(
            r"^mapped: (\d+) pages of 4 KiB, (\d+) of 2 MiB, (\d+) of 1 GiB$",
            said(machine, "/mem"),
            re.M,
        )
        assert found is not None
        small, large, giant = map(int, found.groups())
        assert (small > 0, large > 256, giant) == (True, True, expected)
        for test in ("paging", "protection", "pages-storm"):
            assert codes(machine.command(f"/selftest {test}")) == []
        machine.close()


@pytest.mark.parametrize(
    ("name", "report"),
    [
        ("paging-writable-code", rb"panic: page table: 0x[0-9a-f]+000 is writable and executable"),
        ("paging-protect", rb"panic: paging_protect\(0x[0-9a-f]+000, 4096\): a page must not be"),
    ],
)
def test_no_page_is_writable_and_executable(
    machines: Machines, target: str, tiny: TinyModel, name: str, report: bytes
) -> None:
    """The check that runs at every start ends the machine; nor can anyone ask for such a page."""
    machine = machines.boot(target, image_of(target, tiny()), mem=256)
    machine.send_line(f"/selftest {name}")
    assert machine.wait_end(60) is Ending.PANIC
    assert re.search(report, machine.text), machine.text[-2000:]
