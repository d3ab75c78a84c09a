"""Booting again and again, on each machine type."""

import os
from pathlib import Path

import pytest

from fluid.emulator import MACHINES, Ending
from fluid.event_types import Ready
from guests import Machines, TinyModel, codes
from qemu_images import image_of
from qemu_models import recorded_model

QUICK, FULL = 2, 100


def boots(machines: Machines, target: str, machine: str, model: Path, count: int) -> None:
    """Boots so often; each reaches `ready` with its model and ends well."""
    image = image_of(target, model)
    for number in range(count):
        guest = machines.boot(target, image, machine=machine, mem=256)
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


@pytest.mark.parametrize("machine", MACHINES)
def test_a_few_boots(machines: Machines, target: str, machine: str, tiny: TinyModel) -> None:
    boots(machines, target, machine, tiny(), QUICK)
