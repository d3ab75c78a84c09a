"""Disks behind each controller, and disks with read errors. The first disk, on which the machine
boots, has no partition; the model lies on the second one."""

from pathlib import Path

import pytest

from fluid.emulator import MACHINES, VIRTIO_DISK
from fluid.event_types import Error, Ready, Warn
from fluid.image import read_layout
from fluid.machine import Machine
from guests import Machines, TinyModel, codes
from qemu_images import image_of

PARTITION_TABLE = 446
MODEL = "MODEL.GGUF"

# QEMU devices that hold the drive "model", and the machine they need.
CONTROLLERS = {
    "ahci-port": ("q35", ["ide-hd,drive=model,bus=ide.2"]),
    "ahci-behind-bridges": (
        "q35",
        [
            "pcie-root-port,id=root,bus=pcie.0,chassis=1",
            "pcie-pci-bridge,id=bridge,bus=root",
            "ahci,id=second,bus=bridge,addr=3",
            "ide-hd,drive=model,bus=second.5",
        ],
    ),
    "ahci-on-pc": ("pc", ["ich9-ahci,id=second", "ide-hd,drive=model,bus=second.0"]),
    "ide-slave-dma": ("pc", ["ide-hd,drive=model,bus=ide.0,unit=1"]),
    "ide-secondary-dma": ("pc", ["ide-hd,drive=model,bus=ide.1"]),
    "ide-pio": ("q35", ["isa-ide,id=pio", "ide-hd,drive=model,bus=pio.0"]),
    "virtio-transitional": ("pc", ["virtio-blk-pci,drive=model"]),
    "virtio-legacy": ("pc", ["virtio-blk-pci,drive=model,disable-modern=on"]),
    "virtio-modern": ("q35", ["virtio-blk-pci,drive=model,disable-legacy=on"]),
    "virtio-behind-port": (
        "q35",
        ["pcie-root-port,id=root,bus=pcie.0,chassis=1", "virtio-blk-pci,drive=model,bus=root"],
    ),
}
RETRYING = ["ahci-port", "ide-slave-dma", "ide-pio", "virtio-legacy", "virtio-modern"]


def boot_disk(image: Path, folder: Path) -> Path:
    """The image without its partition table, so that no model is found on it."""
    content = bytearray(image.read_bytes())
    content[PARTITION_TABLE : PARTITION_TABLE + 64] = bytes(64)
    copy = folder / "boot.img"
    copy.write_bytes(content)
    return copy


def boot(
    machines: Machines, target: str, image: Path, folder: Path, controller: str, drive: list[str]
) -> Machine:
    machine, devices = CONTROLLERS[controller]
    extra = [*drive, *(word for device in devices for word in ("-device", device))]
    first = boot_disk(image, folder)
    return machines.boot(target, first, mem=256, machine=machine, extra=tuple(extra))


def drive(image: Path) -> list[str]:
    return ["-drive", f"if=none,id=model,format=raw,snapshot=on,file={image}"]


def failing_drive(image: Path, sector: int, once: bool) -> list[str]:
    """Reads of this sector fail with EIO, always or the first time only."""
    options = {
        "if": "none",
        "id": "model",
        "snapshot": "on",
        "driver": "raw",
        "file.driver": "blkdebug",
        "file.image.driver": "file",
        "file.image.filename": image,
        "file.inject-error.0.event": "none",  # any
        "file.inject-error.0.iotype": "read",
        "file.inject-error.0.sector": sector,
        "file.inject-error.0.errno": 5,
        "file.inject-error.0.once": "on" if once else "off",
    }
    return ["-drive", ",".join(f"{key}={value}" for key, value in options.items())]


def model_sector(image: Path) -> int:
    """The first sector of the model in the image's partition."""
    content = image.read_bytes()
    start = read_layout(image).fat16().lba
    sectors = range(start, len(content) // 512)
    return next(s for s in sectors if content[s * 512 : s * 512 + 4] == b"GGUF")


def model_of(guest: Machine) -> str | None:
    ready = [event for event in guest.events if isinstance(event, Ready)]
    return ready[0].model


@pytest.mark.parametrize("controller", CONTROLLERS)
def test_reads_the_model_behind_each_controller(
    machines: Machines, target: str, tiny: TinyModel, tmp_path: Path, controller: str
) -> None:
    image = image_of(target, tiny())
    guest = boot(machines, target, image, tmp_path, controller, drive(image))
    assert codes(guest.events) == []
    assert model_of(guest)
    guest.command("/ls")
    assert MODEL.encode() in guest.text


@pytest.mark.parametrize("machine", MACHINES)
def test_boots_from_virtio(machines: Machines, target: str, tiny: TinyModel, machine: str) -> None:
    image = image_of(target, tiny())
    guest = machines.boot(target, image, mem=256, machine=machine, disk=VIRTIO_DISK)
    assert codes(guest.events) == []
    assert model_of(guest) == tiny().stem


@pytest.mark.parametrize("controller", RETRYING)
def test_one_read_error_is_retried(
    machines: Machines, target: str, tiny: TinyModel, tmp_path: Path, controller: str
) -> None:
    image = image_of(target, tiny())
    faulty = failing_drive(image, model_sector(image) + 8, once=True)
    guest = boot(machines, target, image, tmp_path, controller, faulty)
    assert codes(guest.events) == []
    assert model_of(guest)


@pytest.mark.parametrize("controller", RETRYING)
def test_a_lasting_read_error_has_a_code(
    machines: Machines, target: str, tiny: TinyModel, tmp_path: Path, controller: str
) -> None:
    image = image_of(target, tiny())
    faulty = failing_drive(image, model_sector(image) + 8, once=False)
    guest = boot(machines, target, image, tmp_path, controller, faulty)
    errors = [event for event in guest.events if isinstance(event, Error)]
    assert [error.code for error in errors] == ["E-DISK-01"]
    driver = controller.partition("-")[0]
    assert errors[0].text.startswith(f"disk {driver}"), "another driver was tested"
    assert model_of(guest) is None
    assert codes(guest.command("/ls")) == []  # the other sectors are still read


def test_a_disk_that_cannot_be_read_is_passed_over_and_told(
    machines: Machines, target: str, tiny: TinyModel, tmp_path: Path
) -> None:
    """What if the first sector of a disk is bad? Without another disk that is the error."""
    image = image_of(target, tiny())
    faulty = failing_drive(image, 0, once=False)
    guest = boot(machines, target, image, tmp_path, "ahci-port", faulty)
    errors = [event for event in guest.events if isinstance(event, Error)]
    assert [error.code for error in errors] == ["E-DISK-01"]
    assert "partition table" in errors[0].text
    first = [*faulty, "-device", "ide-hd,drive=model,bus=ide.1"]
    second = [word.replace("id=model", "id=good") for word in drive(image)]
    extra = (*first, *second, "-device", "ide-hd,drive=good,bus=ide.2")
    guest = machines.boot(target, boot_disk(image, tmp_path), mem=256, extra=extra)
    assert codes(guest.events) == []
    assert [e.code for e in guest.events if isinstance(e, Warn)] == ["E-DISK-01"]
    assert model_of(guest)
