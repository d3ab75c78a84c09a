"""Booting again and again, on each machine type, disk and number of processors."""

import os
from pathlib import Path
from typing import Any

import pytest

from fluid.emulator import MACHINES, VIRTIO_DISK, Ending
from fluid.event_types import Ready
from fluid.targets import DEFAULT_TARGET
from guests import Machines, TinyModel, codes
from qemu_images import image_of
from qemu_models import recorded_model

QUICK, FULL = 2, 100


# An AHCI controller on the older board, where q35 has its own.
AHCI = {"controller": "ich9-ahci,id=ahci", "disk": "ide-hd,bus=ahci.0"}
# No IDE on q35: its own disks are AHCI's.
DISKS: dict[str, tuple[str, dict[str, Any]]] = {
    "pc-ide": ("pc", {}),
    "pc-ahci": ("pc", AHCI),
    "pc-virtio": ("pc", {"disk": VIRTIO_DISK}),
    "q35-ahci": ("q35", {}),
    "q35-virtio": ("q35", {"disk": VIRTIO_DISK}),
}
CORES = (1, 2, 4)
OF_EACH = 34  # more than 500 in all


def boots(
    machines: Machines, target: str, machine: str, model: Path, count: int, **options: Any
) -> None:
    """Boots so often; each reaches `ready` with its model and ends well."""
    image = image_of(target, model)
    for number in range(count):
        guest = machines.boot(target, image, machine=machine, mem=256, **options)
        ready = [event for event in guest.events if isinstance(event, Ready)]
        assert [event.model is not None for event in ready] == [True], f"boot {number}"
        assert codes(guest.events) == [], f"boot {number}"
        guest.send_line("/off")
        assert guest.wait_end(120) is Ending.PASS, f"boot {number}"
        machines.check()
        machines.end_unshared()
        if number == 0:
            files = len(os.listdir("/proc/self/fd"))
    assert len(os.listdir("/proc/self/fd")) <= files, "a machine kept its files open"


@pytest.mark.full
@pytest.mark.parametrize("machine", MACHINES)
def test_a_hundred_boots(machines: Machines, target: str, machine: str) -> None:
    boots(machines, target, machine, recorded_model("stories260K.gguf"), FULL)


@pytest.mark.full
@pytest.mark.of_target(DEFAULT_TARGET)
@pytest.mark.parametrize("smp", CORES)
@pytest.mark.parametrize("disk", DISKS)
def test_five_hundred_boots(machines: Machines, tiny: TinyModel, disk: str, smp: int) -> None:
    """All processors run, whatever the disk."""
    machine, options = DISKS[disk]
    boots(machines, DEFAULT_TARGET, machine, tiny(), OF_EACH, smp=smp, **options)


@pytest.mark.parametrize("machine", MACHINES)
def test_a_few_boots(machines: Machines, target: str, machine: str, tiny: TinyModel) -> None:
    boots(machines, target, machine, tiny(), QUICK)
