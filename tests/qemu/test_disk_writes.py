"""Random reads, writes and flushes on a scratch disk behind each controller: the machine checks
what it reads, the test what the disk holds in the end."""

from pathlib import Path

import pytest

from fluid.machine import Machine
from fluid.scratch import SECTOR, Expected
from guests import Machines, codes
from qemu_images import image_of

SECTORS = 16384
SEED = 20250607
QUICK, FULL = 300, 10_000

# The machine, QEMU devices that hold the drive "scratch", and the name of the disk.
CONTROLLERS = {
    "ahci": ("q35", ["ide-hd,drive=scratch,bus=ide.2"], "ahci1"),
    "ide-dma": ("pc", ["ide-hd,drive=scratch,bus=ide.1"], "ide1"),
    "ide-pio": ("q35", ["isa-ide,id=pio", "ide-hd,drive=scratch,bus=pio.0"], "ide0"),
    "virtio-legacy": ("pc", ["virtio-blk-pci,drive=scratch,disable-modern=on"], "virtio0"),
    "virtio-modern": ("q35", ["virtio-blk-pci,drive=scratch,disable-legacy=on"], "virtio0"),
}


def scratch_drive(file: Path, **options: object) -> list[str]:
    """A drive that QEMU writes to the file."""
    words = {"if": "none", "id": "scratch", "format": "raw", "file": file, **options}
    return ["-drive", ",".join(f"{key}={value}" for key, value in words.items())]


def boot(
    machines: Machines, target: str, controller: str, drive: list[str], mem: int = 256
) -> Machine:
    machine, devices, _ = CONTROLLERS[controller]
    extra = [*drive, *(word for device in devices for word in ("-device", device))]
    image = image_of(target, None)
    return machines.boot(target, image, mem=mem, machine=machine, extra=tuple(extra))


def check_disk(file: Path, expected: Expected) -> None:
    """The file is what the test's operations leave; the first sector that is not is named."""
    found, wanted = file.read_bytes(), expected.result()
    assert len(found) == len(wanted)
    wrong = [
        lba
        for lba in range(expected.sectors)
        if found[lba * SECTOR :][:SECTOR] != wanted[lba * SECTOR :][:SECTOR]
    ]
    assert wrong == []


def run(machines: Machines, target: str, folder: Path, controller: str, count: int) -> None:
    expected = Expected(SECTORS, SEED, count)
    file = folder / "scratch.img"
    file.write_bytes(expected.image())
    guest = boot(machines, target, controller, scratch_drive(file))
    assert codes(guest.command("/selftest disk", 1200)) == []
    assert f"disk {CONTROLLERS[controller][2]}: {expected.summary()}".encode() in guest.text
    guest.close()
    check_disk(file, expected)


@pytest.mark.parametrize("controller", CONTROLLERS)
def test_what_is_written_is_read(
    machines: Machines, target: str, tmp_path: Path, controller: str
) -> None:
    run(machines, target, tmp_path, controller, QUICK)


@pytest.mark.full
@pytest.mark.parametrize("controller", CONTROLLERS)
def test_many_operations(machines: Machines, target: str, tmp_path: Path, controller: str) -> None:
    run(machines, target, tmp_path, controller, FULL)


def test_no_other_disk_is_touched(machines: Machines, target: str, tmp_path: Path) -> None:
    """What if a disk with the signature has boot code, another size, or an unknown flag?"""
    expected = Expected(SECTORS, SEED, QUICK)
    image = bytearray(expected.image())
    for at in (0, 16, 35, 36, 300, 510):  # magic, sectors, flags, zeros
        damaged = image[:at] + bytes([image[at] ^ 0x55]) + image[at + 1 :]
        file = tmp_path / f"scratch{at}.img"
        file.write_bytes(damaged)
        guest = boot(machines, target, "ahci", scratch_drive(file))
        assert codes(guest.command("/selftest disk")) == ["E-DISK-08", "E-TEST-01"]
        guest.close()
        assert file.read_bytes() == damaged
