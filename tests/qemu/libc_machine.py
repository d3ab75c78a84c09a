"""The C library's elementary functions on the machine itself: an image whose engine is a module
(math_module.c) that compares their results with those that its "model" brings along.

No Linux process is there for x86-64-v4 where the processor has no AVX-512: results are x86-64-v3's
then, since both levels have the fused multiply-add.
"""

import struct
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from fluid import registry
from fluid.bootarea import read_area
from fluid.cpu import load_profile
from fluid.event_types import Error
from fluid.fat import build_fat_partition
from fluid.image import build_image
from fluid.machine import Machine
from fluid.targets import TARGETS
from hostcc import ROOT
from libc_driver import Array, library, unfit
from module_build import make_mod
from qemu_images import artifact, boot_area


def stand_in(tag: str) -> str:
    """The level whose code runs in a Linux process here with the results of `tag`."""
    return "x86-64-v3" if tag == "x86-64-v4" and unfit(tag) else tag


def job(name: str, given: Array, results: Array) -> bytes:
    """For math_module.c: name, count, rows of arguments and result in double."""
    with np.errstate(invalid="ignore"):  # signalling NaN become quiet
        table = np.column_stack([given.reshape(len(given), -1), results]).astype("<f8")
    return struct.pack("<16sQ", name.encode(), len(given)) + table.tobytes()


def math_image(tag: str, jobs: Iterable[bytes], folder: Path) -> Path:
    """The tag's image with math_module.c for an engine and the jobs for a model."""
    target = TARGETS[tag]
    profile = load_profile(ROOT / f"profiles/cpu/{target.base}.json")
    flags = [f"-m{feature}" for feature in profile.features]
    flags += ["-ffp-contract=off", "-isystem", str(ROOT / "src/llvmlibc_subset/include")]
    module = make_mod(
        folder / "llama.mod",
        [Path(__file__).with_name("math_module.c")],
        arch=target.arch,
        flags=flags,
        library=library(tag, "modules"),
        name="llama",
        target=tag,
        features=list(profile.features),
    )
    built = registry.unpack(read_area(artifact(tag, "boot.bin")).registry)
    others = [
        content
        for entry, content in zip(built.entries, built.files, strict=True)
        if entry.name != "llama"
    ]
    model = folder / "jobs.gguf"
    model.write_bytes(b"".join(jobs))
    content = registry.pack([*others, module.read_bytes()])
    partition, image = folder / "math.fat", folder / "math.img"
    build_fat_partition([(model, "MODEL.GGUF")], partition)
    build_image(boot_area(tag, content, folder / "math.boot"), partition, image)
    return image


def answer(machine: Machine) -> str:
    """What the module reported by the time of the first prompt."""
    [error] = [event for event in machine.events if isinstance(event, Error)]
    assert error.code == "E-MATH-01", error.text
    return error.text


def agreement(functions: int, results: int) -> str:
    """The module's report when nothing differs."""
    return f"{functions} functions, {results} results, 0 differ"


def differing(report: str) -> list[tuple[str, int, float]]:
    """Function, row and the machine's result of those that the report has room for."""
    words = report.partition(" differ")[2].split()
    entries = [word.split(":") for word in words]
    return [
        (name, int(row), struct.unpack(">d", bytes.fromhex(bits))[0]) for name, row, bits in entries
    ]
