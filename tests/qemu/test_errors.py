"""What is damaged or missing costs what it must, and no more: the console always comes up."""

from pathlib import Path

import pytest

from fluid.event_types import Ready, Warn
from fluid.image import build_image, read_layout, replace_registry
from fluid.machine import Machine
from fluid.manifest import PARTITION_TABLE, SECTOR
from fluid.registry import unpack
from fluid.targets import TARGETS
from guests import SECOND_VARIANT_CPU, Machines, TinyModel, codes
from qemu_images import artifact, image_of, image_with, repacked

OTHER_CPU = {"i686": ("qemu32,+nx", "i686"), "x86-64-v2": ("Haswell-noTSX", "x86-64-v3")}


def ready_of(guest: Machine) -> Ready:
    found = [event for event in guest.events if isinstance(event, Ready)]
    assert len(found) == 1
    return found[0]


def warnings(guest: Machine) -> list[str]:
    return [event.code for event in guest.events if isinstance(event, Warn)]


def private_copy(image: Path, folder: Path) -> Path:
    """A copy that a test may damage."""
    copy = folder / "damaged.img"
    copy.write_bytes(image.read_bytes())
    return copy


def with_damage(image: Path, wanted: dict[str, tuple[str, ...]], folder: Path) -> Path:
    """The image with one flipped byte in the module variants wanted[name] = tags."""
    registry = bytearray(artifact_registry(image))
    for entry in unpack(bytes(registry)).entries:
        if entry.target in wanted.get(entry.name, ()):
            registry[entry.offset + entry.size - 1] ^= 0xFF
    return with_registry(image, bytes(registry), folder)


def with_registry(image: Path, registry: bytes, folder: Path) -> Path:
    """The image with another registry, of any size."""
    layout, data = read_layout(image), image.read_bytes()
    files = layout.partitions[0]
    boot, partition, out = folder / "other.boot", folder / "other.fat", folder / "damaged.img"
    end = layout.manifest.end_lba() * SECTOR
    boot.write_bytes(data[:PARTITION_TABLE] + bytes(64) + data[PARTITION_TABLE + 64 : end])
    partition.write_bytes(data[files.lba * SECTOR :][: files.sectors * SECTOR])
    build_image(repacked(boot, registry, boot), partition, out)
    return out


def artifact_registry(image: Path) -> bytes:
    """The registry's bytes as they lie in an image."""
    blob = read_layout(image).manifest.blobs[-1]
    return image.read_bytes()[blob.lba * 512 :][: blob.size]


def still_works(guest: Machine) -> None:
    """A greedy completion runs."""
    assert [e.ev for e in guest.command("/complete 2 once")][-1] == "done"


def test_without_a_model_the_console_comes_up(machines: Machines, target: str) -> None:
    guest = machines.boot(target, image_of(target, None), mem=256)
    assert len(codes(guest.events)) == 1
    assert codes(guest.events)[0].startswith("E-FAT-")
    assert ready_of(guest).model is None
    for line in ("hello", "/score a", "/complete 3 a"):
        assert codes(guest.command(line)) == ["E-CON-05"], line
    for line in ("/help", "/ls", "/mem", "/show", "/cpu"):
        assert codes(guest.command(line)) == [], line


def test_a_model_larger_than_memory_is_refused(
    machines: Machines, target: str, tmp_path: Path
) -> None:
    model = tmp_path / "large.gguf"
    model.write_bytes(b"GGUF" + bytes(100 << 20))
    image = image_with(target, "large", [(model, "MODEL.GGUF")])
    guest = machines.boot(target, image, mem=64)
    assert codes(guest.events) == ["E-MEM-04"]
    assert ready_of(guest).model is None


def test_another_cpu_gets_another_variant(machines: Machines, target: str, tiny: TinyModel) -> None:
    cpu, variant = OTHER_CPU[target]
    guest = machines.boot(target, image_of(target, tiny()), mem=256, cpu=cpu)
    assert ready_of(guest).variant == variant
    assert ready_of(guest).model is not None
    assert codes(guest.events) == []
    assert warnings(guest) == []  # variants for better CPUs are in every image
    still_works(guest)


def test_a_damaged_variant_costs_one_variant(
    machines: Machines, target: str, tiny: TinyModel, tmp_path: Path
) -> None:
    lower, upper = TARGETS[target].variants[:2]
    image = with_damage(image_of(target, tiny()), {"tensor_f32": (upper,)}, tmp_path)
    guest = machines.boot(target, image, mem=256, cpu=SECOND_VARIANT_CPU[target])
    assert warnings(guest) == ["E-MOD-04"]
    assert codes(guest.events) == []
    assert ready_of(guest).variant == lower
    still_works(guest)


def test_without_a_usable_variant_the_console_comes_up(
    machines: Machines, target: str, tiny: TinyModel, tmp_path: Path
) -> None:
    both = TARGETS[target].variants[:2]
    image = with_damage(image_of(target, tiny()), {"tensor_f32": both}, tmp_path)
    guest = machines.boot(target, image, mem=256, cpu=SECOND_VARIANT_CPU[target])
    assert warnings(guest) == ["E-MOD-04"] * 2
    assert codes(guest.events) == ["E-MOD-11", "E-ENG-01"]
    assert ready_of(guest).model is None
    assert codes(guest.command("/help")) == []


def test_a_timer_that_does_not_count(machines: Machines, target: str, tiny: TinyModel) -> None:
    """What if there is no PIT? The frequency is assumed, and everything works."""
    extra = ("-machine", "pit=off")
    guest = machines.boot(target, image_of(target, tiny()), mem=256, extra=extra)
    assert warnings(guest) == ["E-TIME-01"]
    still_works(guest)


def test_without_the_engine_the_console_comes_up(
    machines: Machines, target: str, tiny: TinyModel, tmp_path: Path
) -> None:
    image = with_damage(image_of(target, tiny()), {"llama": TARGETS[target].variants}, tmp_path)
    guest = machines.boot(target, image, mem=256)
    assert warnings(guest) == ["E-MOD-04"]
    assert "E-MOD-11" in codes(guest.events)
    assert ready_of(guest).model is None
    assert codes(guest.command("hello")) == ["E-CON-05"]


def test_a_damaged_index_is_told(
    machines: Machines, target: str, tiny: TinyModel, tmp_path: Path
) -> None:
    image = private_copy(image_of(target, tiny()), tmp_path)
    registry = bytearray(artifact_registry(image))
    registry[60] ^= 0xFF
    replace_registry(image, bytes(registry))
    guest = machines.boot(target, image, mem=256)
    assert "E-MOD-12" in codes(guest.events)
    assert ready_of(guest).model is None
    assert codes(guest.command("/help")) == []


def test_a_disk_without_partition_is_told(
    machines: Machines, target: str, tiny: TinyModel, tmp_path: Path
) -> None:
    image = private_copy(image_of(target, tiny()), tmp_path)
    with image.open("r+b") as file:
        file.seek(446)
        file.write(bytes(64))
    guest = machines.boot(target, image, mem=256)
    assert codes(guest.events) == ["E-DISK-02"]
    assert ready_of(guest).model is None
    assert codes(guest.command("/ls")) == ["E-DISK-02"]


@pytest.mark.parametrize("start", [0x100000, 0x1000000])
def test_dirty_memory_is_no_obstacle(
    machines: Machines, target: str, tiny: TinyModel, tmp_path: Path, start: int
) -> None:
    """.bss and page tables are zeroed by us, not by the firmware: memory starts full of junk."""
    junk = tmp_path / "junk.bin"
    junk.write_bytes(b"\xa5\x5a\xff\x01" * (2 << 20))
    loader = f"loader,file={junk},addr={start:#x},force-raw=on"
    guest = machines.boot(target, image_of(target, tiny()), mem=256, extra=("-device", loader))
    assert codes(guest.events) == []
    assert codes(guest.command("/selftest", 300)) == []
    still_works(guest)


def test_a_damaged_kernel_is_refused(
    machines: Machines, target: str, tiny: TinyModel, tmp_path: Path
) -> None:
    """A kernel with one flipped byte is refused by stage2 before it runs."""
    image = private_copy(image_of(target, tiny()), tmp_path)
    kernel = read_layout(image).manifest.blobs[0]
    with image.open("r+b") as file:
        file.seek(kernel.lba * 512 + kernel.size // 2)
        byte = file.read(1)[0]
        file.seek(-1, 1)
        file.write(bytes([byte ^ 0x55]))
    guest = machines.start(target, image, mem=256)
    guest.wait_text(b"E-BOOT-46", 60)
    assert guest.events == []


def test_the_modules_of_the_image_are_those_that_were_built(target: str) -> None:
    registry = unpack(artifact(target, "registry.bin").read_bytes())
    tags = {(e.name, e.target) for e in registry.entries}
    variants = TARGETS[target].variants
    assert {tag for name, tag in tags if name == "llama"} == {target}
    assert {tag for name, tag in tags if name == "tensor_f32"} == set(variants)
