"""check=address finds what it is for: a module with one mistake ends fluid-host with a report."""

from pathlib import Path

import pytest

from fluid.bootarea import pack, read_area
from fluid.emulator import Ending
from fluid.event_types import Prompt
from fluid.fat import build_fat_partition
from fluid.flags import CHECK
from fluid.image import build_image
from fluid.kernelfile import kernel_shape
from fluid.machine import MachineEnded
from fluid.registry import build_registry
from host_machine import SECONDS, folder_of, hosts_of
from module_build import make_mod
from qemu_images import artifact

BUILD = ("x86-64-v2", "address")
HERE = Path(__file__).parent


def image_with_module(folder: Path, fault: int) -> Path:
    """An image whose only module is faulty.c."""
    flags = ["--target=x86_64-linux-gnu", *CHECK["address"], f"-DFAULT={fault}"]
    mod = make_mod(folder / "faulty.mod", [HERE / "faulty.c"], flags=flags, name="faulty")
    build_registry([mod], folder / "registry.bin")
    area = read_area(artifact(folder_of(BUILD), "boot.bin"))
    shape = kernel_shape(artifact(folder_of(BUILD), "kernel.elf"))
    registry = (folder / "registry.bin").read_bytes()
    boot = folder / "boot.bin"
    boot.write_bytes(pack(area.stage1, area.stage2, area.kernel, shape, area.ksyms, registry))
    build_fat_partition([], folder / "fat.img")
    build_image(boot, folder / "fat.img", folder / "faulty.img")
    return folder / "faulty.img"


@pytest.mark.parametrize(
    ("fault", "report"),
    [
        (1, b"use-after-poison"),  # the kernel's heap poisons what is not handed out
        (2, b"use-after-poison"),
        (3, b"global-buffer-overflow"),
        (4, b"stack-buffer-overflow"),
        (5, b"signed integer overflow"),
    ],
    ids=["heap", "freed", "global", "stack", "undefined"],
)
def test_mistakes_are_found(tmp_path: Path, fault: int, report: bytes) -> None:
    with hosts_of(BUILD) as hosts:
        host = hosts.start(image_with_module(tmp_path, fault))
        with pytest.raises(MachineEnded) as ended:
            host.wait_for(Prompt, SECONDS)
    assert ended.value.ending is Ending.PANIC
    assert report in str(ended.value).encode()


def test_no_mistake_is_no_report(tmp_path: Path) -> None:
    with hosts_of(BUILD) as hosts:
        host = hosts.boot(image_with_module(tmp_path, 0))
        host.send_line("/off")
        assert host.wait_end(SECONDS) is Ending.PASS
