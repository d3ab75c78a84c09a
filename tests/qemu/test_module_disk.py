"""Modules in the folder MODULES of the model's partition: at boot and with /load they take the
place of the image's, and one that does not work changes nothing."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from faulty_modules import CODE, with_code
from fluid import modfile
from fluid.event_types import Event, Warn
from fluid.fat import copy_into
from fluid.image import read_layout
from fluid.machine import Machine
from fluid.modlayout import KERNEL_ABI, MACHINE_I386, MACHINE_X86_64, Module
from fluid.modread import unpack
from fluid.module_push import FOLDER, push
from fluid.registry import unpack as unpack_registry
from fluid.targets import TARGETS
from guests import Machines, TinyModel, codes, said
from module_build import make_mod
from qemu_images import image_of
from test_errors import artifact_registry

COMPLETE = "/complete 4 once"
NORM = "tensor_norm"  # every token needs it


@pytest.fixture
def image(target: str, tiny: TinyModel, tmp_path: Path) -> Path:
    """An image of this test alone."""
    copy = tmp_path / "modules.img"
    shutil.copyfile(image_of(target, tiny()), copy)
    return copy


@pytest.fixture
def boot(machines: Machines, target: str, image: Path) -> Callable[[], Machine]:
    """boot(): the image's machine at its prompt."""
    return lambda: machines.boot(target, image, mem=256)


def module_of(image: Path, target: str, name: str) -> Module:
    """The image's variant for the lowest CPU, which every emulated one runs."""
    registry = unpack_registry(artifact_registry(image))
    [module] = [
        unpack(content)
        for entry, content in zip(registry.entries, registry.files, strict=True)
        if entry.name == name and entry.target == TARGETS[target].base
    ]
    return module


def drop(image: Path, content: bytes, name: str) -> None:
    """Copies a file, whatever it is, into MODULES."""
    file = image.with_suffix(".dropped")
    file.write_bytes(content)
    copy_into(image, read_layout(image).fat16().lba, file, FOLDER, name)


def faulty_norm(image: Path, target: str) -> bytes:
    """tensor_norm that faults when it is used."""
    good = module_of(image, target, NORM)
    return modfile.pack(with_code(good, "rmsnorm", CODE["opcode"]))


def warned(guest: Machine) -> list[str]:
    return [event.code for event in guest.events if isinstance(event, Warn)]


def texts(events: list[Event]) -> list[str]:
    return [str(event.data["text"]) for event in events if event.ev in ("warn", "error")]


def origin(guest: Machine, name: str) -> str:
    """Where a loaded module came from."""
    [line] = [row.split() for row in said(guest, "/load").splitlines() if row.split()[0] == name]
    return line[-1]


def test_a_dropped_module_is_used_and_taken_out_again(
    image: Path, target: str, boot: Callable[[], Machine]
) -> None:
    right = boot().command(COMPLETE)
    drop(image, faulty_norm(image, target), "TENSOR_NORM.MOD")
    guest = boot()
    assert warned(guest) == []
    assert origin(guest, NORM) == "MODULES"
    events = guest.command(COMPLETE)
    assert codes(events) == ["E-MOD-16"] and f"{NORM}:rmsnorm" in texts(events)[-1]
    assert codes(guest.command(f"/unload {NORM}")) == []
    assert origin(guest, NORM) == "image"
    again = guest.command(COMPLETE)
    tokens = [[e.data["id"] for e in run if e.ev == "token"] for run in (right, again)]
    assert tokens[0] == tokens[1] != []
    assert codes(guest.command(f"/load {NORM}")) == []  # while a model is open
    assert codes(guest.command(COMPLETE)) == ["E-MOD-16"]


def test_a_pushed_module_joins_the_others(
    image: Path, target: str, boot: Callable[[], Machine], tmp_path: Path
) -> None:
    source = tmp_path / "more.c"
    source.write_text(
        '#include "fluid/module.h"\nint more(void);\nFLUID_EXPORT int more(void) { return 1; }\n'
    )
    machine = TARGETS[target]
    mod = make_mod(
        tmp_path / "m.mod", [source], arch=machine.arch, name="more", target=machine.base
    )
    assert push(mod, image) == "MODULES/more.mod"
    guest = boot()
    assert (warned(guest), origin(guest, "more")) == ([], "MODULES")
    assert "unloaded" in said(guest, "/unload more")
    assert codes(guest.command("/unload more")) == ["E-MOD-18"]
    assert codes(guest.command("/load more")) == []
    assert codes(guest.command("/load more")) == []  # in its own place
    assert codes(guest.command("/selftest")) == []


def refused_modules(image: Path, target: str) -> dict[str, tuple[bytes, str]]:
    """File name to content and code."""
    good = module_of(image, target, NORM)
    bytes_of_good = modfile.pack(good)
    damaged = bytearray(bytes_of_good)
    damaged[-1] ^= 1
    other = MACHINE_I386 + MACHINE_X86_64 - good.machine
    return {
        "damaged.mod": (bytes(damaged), "E-MOD-04"),
        "short.mod": (bytes_of_good[:100], "E-MOD-01"),
        "empty.mod": (b"", "E-MOD-01"),
        "abi.mod": (modfile.pack(replace(good, kernel_abi=KERNEL_ABI + 1)), "E-MOD-05"),
        "machine.mod": (modfile.pack(replace(good, machine=other)), "E-MOD-06"),
        "cpu.mod": (modfile.pack(replace(good, cpu_bits=1 << 31)), "E-MOD-07"),
    }


def test_what_does_not_work_changes_nothing(
    image: Path, target: str, boot: Callable[[], Machine]
) -> None:
    files = refused_modules(image, target)
    for name, (content, _) in files.items():
        drop(image, content, name)
    guest = boot()
    assert sorted(warned(guest)) == sorted(code for _, code in files.values())
    assert all(any(f"MODULES/{name}: " in text for text in texts(guest.events)) for name in files)
    assert origin(guest, NORM) == "image"
    for name, (_, code) in files.items():
        assert codes(guest.command(f"/load {name.removesuffix('.mod')}")) == [code]
    assert origin(guest, NORM) == "image"
    assert codes(guest.command(COMPLETE)) == []


def test_the_engine_stays_while_its_model_is_open(
    image: Path, target: str, boot: Callable[[], Machine]
) -> None:
    drop(image, modfile.pack(module_of(image, target, "llama")), "llama.mod")
    guest = boot()
    assert origin(guest, "llama") == "MODULES"
    assert codes(guest.command("/load llama")) == ["E-MOD-17"]
    assert codes(guest.command("/unload llama")) == ["E-MOD-17"]
    assert codes(guest.command(COMPLETE)) == []


def test_the_highest_rank_of_a_name_wins(
    image: Path, target: str, boot: Callable[[], Machine]
) -> None:
    good = module_of(image, target, NORM)
    for rank, name in ((1, "a.mod"), (9, "b.mod"), (5, "c.mod")):
        drop(image, modfile.pack(replace(good, rank=rank, target=f"rank{rank}")), name)
    guest = boot()
    assert warned(guest) == []
    assert [row.split()[1] for row in said(guest, "/load").splitlines() if NORM in row] == ["rank9"]


@pytest.mark.parametrize("argument", ["../MODEL", "a/b", ".", "x" * 32, "a b", "é"])
def test_names_are_no_paths(guest: Machine, argument: str) -> None:
    for command in ("load", "unload"):
        assert codes(guest.command(f"/{command} {argument}")) == ["E-CON-03"]


def test_a_name_that_is_not_there(guest: Machine) -> None:
    assert codes(guest.command("/unload")) == ["E-CON-03"]
    assert codes(guest.command("/load nothing")) == ["E-FAT-18"]
    assert codes(guest.command("/unload tensor_norm")) == ["E-MOD-18"]
