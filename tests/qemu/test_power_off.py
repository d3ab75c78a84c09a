"""The ways out of a machine without a debug-exit device, and what day it is there."""

import time

import pytest

from fluid.event_types import Prompt
from guests import BOOT_SECONDS, Machines, codes, said
from qemu_images import image_of

NO_ACPI = ("-no-acpi",)


@pytest.mark.parametrize(("machine", "acpi"), [("q35", True), ("pc", True), ("q35", False)])
def test_off(machines: Machines, target: str, machine: str, acpi: bool) -> None:
    """By the firmware's tables, or by what is known of virtual machines. (i440fx without ACPI has
    nothing to switch it off with.)"""
    guest = machines.boot(
        target,
        image_of(target, None),
        mem=256,
        machine=machine,
        exit_device=False,
        reboot=True,  # a reset would not look like the end
        extra=("-no-shutdown", *(() if acpi else NO_ACPI)),
    )
    assert codes(guest.events) == ["E-FAT-18"]
    way = "ACPI S5 (port 0x604, type 0)" if acpi else "the ports of known virtual machines"
    assert f"off by {way}" in said(guest, "/uptime")
    guest.send_line("/off")
    deadline = time.monotonic() + 60
    while guest.qmp.execute("query-status")["status"] != "shutdown":
        assert time.monotonic() < deadline, "it is still on"
        guest.pump()


@pytest.mark.parametrize(
    ("machine", "way"), [("q35", "ACPI (port 0xcf9)"), ("pc", "the keyboard controller")]
)
def test_restart(machines: Machines, target: str, machine: str, way: str) -> None:
    """i440fx's tables are too old to have a reset register."""
    image = image_of(target, None)
    guest = machines.boot(target, image, mem=256, machine=machine, exit_device=False, reboot=True)
    assert f"restart by {way}" in said(guest, "/uptime")
    guest.send_line("/reboot")
    events = guest.wait_for(Prompt, BOOT_SECONDS)
    assert [event.ev for event in events if event.ev in ("bye", "boot")] == ["bye", "boot"]


def test_date(machines: Machines, target: str) -> None:
    image = image_of(target, None)
    guest = machines.boot(target, image, mem=256, extra=("-rtc", "base=2031-02-03T23:04:05"))
    assert "date: 2031-02-03 23:0" in said(guest, "/uptime")
