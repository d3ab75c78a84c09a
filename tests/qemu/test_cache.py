"""The cache partition on a machine's disk: mounted, cleared, and left alone where it cannot be
written."""

from __future__ import annotations

from pathlib import Path

import pytest

from cache_images import cache_of, filled, with_cache
from fluid.emulator import Ending
from fluid.event_types import Cache, Error, Warn
from fluid.machine import Machine
from guests import Machines, TinyModel, names
from qemu_images import image_of
from test_disk import boot_disk

CONTROLLERS = {
    "ahci": ("q35", ["ide-hd,drive=second,bus=ide.2"]),
    "ide": ("pc", ["ide-hd,drive=second,bus=ide.1"]),
    "virtio": ("q35", ["virtio-blk-pci,drive=second"]),
}


def boot(
    machines: Machines, target: str, boot_from: Path, image: Path, controller: str, *options: str
) -> Machine:
    """The second disk has model and cache; what is written to it stays."""
    machine, devices = CONTROLLERS[controller]
    drive = ",".join(["if=none", "id=second", "format=raw", f"file={image}", *options])
    extra = ["-drive", drive, *(word for device in devices for word in ("-device", device))]
    return machines.boot(target, boot_from, mem=256, machine=machine, extra=tuple(extra))


def off(guest: Machine) -> None:
    guest.send_line("/off")
    assert guest.wait_end(20) is Ending.PASS


@pytest.mark.parametrize("controller", CONTROLLERS)
def test_entries_are_there_and_clear_forgets_them(
    machines: Machines, target: str, tiny: TinyModel, tmp_path: Path, controller: str
) -> None:
    plain = image_of(target, tiny())
    first = boot_disk(plain, tmp_path)
    image = with_cache(plain, tmp_path / "cached.img", filled())
    guest = boot(machines, target, first, image, controller)
    assert names(guest.events) == ["boot", "cache", "ready", "prompt"]
    (mount,) = [e for e in guest.events if isinstance(e, Cache)]
    assert (mount.op, mount.reason, mount.entries) == ("mount", None, 4)
    guest.command("/cache verify")
    assert b"4 records, 0 of them damaged; 0 of 2 superblocks damaged; the end is sound" in (
        guest.text
    )
    assert not [e for e in guest.command("/cache clear") if isinstance(e, Warn | Error)]
    off(guest)
    assert cache_of(image).verify().sound() and not cache_of(image).rows
    epochs = {s.epoch for s in cache_of(image).slots if s}
    assert len(epochs) == 1 and epochs != {1}, "a new epoch, and that a random one"
    guest = boot(machines, target, first, image, controller)
    assert [e.entries for e in guest.events if isinstance(e, Cache)] == [0]


def test_a_disk_that_cannot_be_written(
    machines: Machines, target: str, tiny: TinyModel, tmp_path: Path
) -> None:
    plain = image_of(target, tiny())
    image = with_cache(plain, tmp_path / "cached.img", filled())
    before = image.read_bytes()
    first = boot_disk(plain, tmp_path)
    guest = boot(machines, target, first, image, "virtio", "readonly=on")
    (mount,) = [e for e in guest.events if isinstance(e, Cache)]
    assert (mount.reason, mount.entries) == ("read-only", 4)
    answer = [e.code for e in guest.command("/cache clear") if isinstance(e, Warn | Error)]
    assert answer == ["E-CACHE-05"]
    off(guest)
    assert image.read_bytes() == before
