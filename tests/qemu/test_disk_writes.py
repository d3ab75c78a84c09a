"""Random reads, writes and flushes on a scratch disk behind each controller: the machine checks
what it reads, the test what the disk holds in the end."""

from pathlib import Path

import pytest

from fluid.event_types import Error
from fluid.machine import Machine
from fluid.scratch import HIGH, SECTOR, Expected, Kind
from fluid.targets import DEFAULT_TARGET
from guests import Machines, codes
from qemu_images import image_of

SECTORS = 8192
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


def failing_drive(file: Path, rules: list[dict[str, object]]) -> list[str]:
    """The same; what a rule is of ends in EIO."""
    words = {"if": "none", "id": "scratch", "driver": "raw", "file.driver": "blkdebug"}
    words |= {"file.image.driver": "file", "file.image.filename": str(file)}
    for number, rule in enumerate(rules):
        all_of_it = {"event": "none", "errno": 5, **rule}  # none: whatever QEMU is doing
        words |= {f"file.inject-error.{number}.{k}": str(v) for k, v in all_of_it.items()}
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
    starts = range(0, len(wanted), SECTOR)
    wrong = [at for at in starts if found[at : at + SECTOR] != wanted[at : at + SECTOR]]
    assert [at // SECTOR for at in wrong] == []


def run(
    machines: Machines,
    target: str,
    folder: Path,
    controller: str,
    count: int,
    flags: int = 0,
    mem: int = 256,
) -> None:
    expected = Expected(SECTORS, SEED, count, flags)
    file = folder / "scratch.img"
    file.write_bytes(expected.image())
    guest = boot(machines, target, controller, scratch_drive(file), mem)
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


@pytest.mark.of_target(DEFAULT_TARGET)
@pytest.mark.parametrize("controller", CONTROLLERS)
def test_a_buffer_above_4_gib(machines: Machines, tmp_path: Path, controller: str) -> None:
    """IDE's DMA does not reach it, the others have addresses of 64 bits."""
    run(machines, DEFAULT_TARGET, tmp_path, controller, QUICK, HIGH, 5120)


@pytest.mark.of_target(DEFAULT_TARGET)
def test_no_memory_above_4_gib(machines: Machines, tmp_path: Path) -> None:
    expected = Expected(SECTORS, SEED, QUICK, HIGH)
    file = tmp_path / "scratch.img"
    file.write_bytes(expected.image())
    guest = boot(machines, DEFAULT_TARGET, "ahci", scratch_drive(file))
    assert codes(guest.command("/selftest disk")) == ["E-TEST-01"]
    assert b"memory above 4 GiB expected, found none" in guest.text
    assert codes(guest.command("/selftest pages")) == []  # what it took, it gave back


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


FAILING = 60  # operations of which each fails once


def single_faults(expected: Expected) -> list[dict[str, object]]:
    """A rule for every read and write that covers its first sector alone, so that it is tried a
    second time without another fault."""
    rules: list[dict[str, object]] = []
    for operation in expected.done:
        same = [o for o in expected.done if o.kind is operation.kind]
        covering = [o for o in same if o.lba <= operation.lba < o.lba + o.count]
        if operation.kind is not Kind.FLUSH and covering == [operation]:
            iotype = operation.kind.name.lower()
            rules.append({"iotype": iotype, "sector": operation.lba, "once": "on"})
    return rules


def failures(guest: Machine, kind: str) -> int:
    """How many reads ("rd") or writes ("wr") of the scratch drive failed, as QEMU counts them."""
    statistics = guest.qmp.execute("query-blockstats")
    [drive] = [s for s in statistics if s["device"] == "scratch"]
    return int(drive["stats"][f"failed_{kind}_operations"])


@pytest.mark.parametrize("controller", CONTROLLERS)
def test_every_operation_fails_once(
    machines: Machines, target: str, tmp_path: Path, controller: str
) -> None:
    """What if each read and each write ends in EIO the first time? Nobody notices."""
    expected = Expected(SECTORS, SEED, FAILING)
    file = tmp_path / "scratch.img"
    file.write_bytes(expected.image())
    rules = single_faults(expected)
    reads = sum(rule["iotype"] == "read" for rule in rules)
    assert reads > 10 and len(rules) - reads > 10
    guest = boot(machines, target, controller, failing_drive(file, rules))
    assert codes(guest.command("/selftest disk", 600)) == []
    assert failures(guest, "rd") == reads and failures(guest, "wr") == len(rules) - reads
    guest.close()
    check_disk(file, expected)


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ({"iotype": "read", "sector": 4000}, "E-DISK-01"),
        ({"iotype": "write", "sector": 4000}, "E-DISK-05"),
        ({"iotype": "flush"}, "E-DISK-07"),
        ({"iotype": "flush", "once": "on"}, "E-DISK-07"),  # a second one would tell nothing
    ],
    ids=["read", "write", "flush", "flush-once"],
)
@pytest.mark.parametrize("controller", CONTROLLERS)
def test_a_lasting_error_has_a_code(
    machines: Machines,
    target: str,
    tmp_path: Path,
    controller: str,
    rule: dict[str, object],
    code: str,
) -> None:
    """The test ends with it, the prompt comes back, and the disk still answers."""
    expected = Expected(SECTORS, SEED, QUICK)
    file = tmp_path / "scratch.img"
    file.write_bytes(expected.image())
    guest = boot(machines, target, controller, failing_drive(file, [rule]))
    events = guest.command("/selftest disk", 600)
    assert codes(events) == [code, "E-TEST-01"]
    [told, _] = [event for event in events if isinstance(event, Error)]
    assert told.text.startswith(f"disk {CONTROLLERS[controller][2]}"), "another disk failed"
    assert codes(guest.command("/ls")) == []


def test_a_read_only_disk(machines: Machines, target: str, tmp_path: Path) -> None:
    expected = Expected(SECTORS, SEED, QUICK)
    file = tmp_path / "scratch.img"
    file.write_bytes(expected.image())
    guest = boot(machines, target, "virtio-modern", scratch_drive(file, readonly="on"))
    assert codes(guest.command("/selftest disk")) == ["E-DISK-06", "E-TEST-01"]


SLOW = 16  # operations


@pytest.mark.full
@pytest.mark.parametrize("controller", ["virtio-legacy", "virtio-modern"])
def test_a_disk_that_takes_too_long(
    machines: Machines, target: str, tmp_path: Path, controller: str
) -> None:
    """What if a command would take minutes? It is given up, tried again, given up, and told.
    (QEMU's IDE and AHCI stand still when a command that is throttled is reset: tests/host.)"""
    expected = Expected(SECTORS, SEED, SLOW)
    file = tmp_path / "scratch.img"
    file.write_bytes(expected.image())
    slow = scratch_drive(file, **{"throttling.bps-total": 600})  # a sector in less than a second
    guest = boot(machines, target, controller, slow)
    assert codes(guest.command("/selftest disk", 600)) == ["E-DISK-03", "E-TEST-01"]
    assert codes(guest.command("/ls")) == []
