"""The C library's elementary functions on the machine itself, on every CPU tag: bit for bit what
the same code gives in a Linux process, where tests/host measures how exact it is.

A module in the engine's place (math_module.c) gets arguments and results as its "model". No Linux
process is there for x86-64-v4 where the processor has no AVX-512: results are x86-64-v3's then,
since both levels have the fused multiply-add.
"""

import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fluid import registry
from fluid.bootarea import read_area
from fluid.cpu import load_profile
from fluid.event_types import Error
from fluid.image import replace_registry
from fluid.targets import TARGETS
from guests import Machines
from hostcc import ROOT
from libc_accuracy import FUNCTIONS, Function, arguments
from libc_driver import Array, evaluate, library, unfit
from matrix import ROWS, Row, rows
from module_build import make_mod
from qemu_images import artifact, image_of

EACH = 3000  # arguments for each function, besides special ones

ONE_PER_TAG = list({row.tag: row for row in ROWS}.values())


def _some(function: Function) -> Array:
    """Special values and a part of what tests/host calculates with."""
    special, *rest = arguments(function, "quick")
    values = np.concatenate(rest)
    return np.concatenate([special, values[:: max(1, len(values) // EACH)]])


def _results_of(tag: str) -> str:
    """The level whose code runs in a Linux process here with the results of `tag`."""
    return "x86-64-v3" if tag == "x86-64-v4" and unfit(tag) else tag


def job(name: str, given: Array, results: Array) -> bytes:
    """For math_module.c: name, count, rows of arguments and result in double."""
    with np.errstate(invalid="ignore"):  # signalling NaN become quiet
        table = np.column_stack([given.reshape(len(given), -1), results]).astype("<f8")
    return struct.pack("<16sQ", name.encode(), len(given)) + table.tobytes()


@pytest.fixture
def image(row: Row, tmp_path: Path) -> Callable[[bytes], Path]:
    """image(jobs): the row's image with math_module.c for an engine."""

    def image(jobs: bytes) -> Path:
        target = TARGETS[row.tag]
        profile = load_profile(ROOT / f"profiles/cpu/{target.base}.json")
        flags = [f"-m{feature}" for feature in profile.features]
        flags += ["-ffp-contract=off", "-isystem", str(ROOT / "src/llvmlibc_subset/include")]
        module = make_mod(
            tmp_path / "llama.mod",
            [Path(__file__).with_name("math_module.c")],
            arch="i686" if row.tag == "i686" else "x86_64",
            flags=flags,
            library=library(row.tag, "modules"),
            name="llama",
            target=row.tag,
            features=list(profile.features),
        )
        built = registry.unpack(read_area(artifact(row.tag, "boot.bin")).registry)
        others = [
            content
            for entry, content in zip(built.entries, built.files, strict=True)
            if entry.name != "llama"
        ]
        model = tmp_path / "jobs.gguf"
        model.write_bytes(jobs)
        copy = tmp_path / "math.img"
        shutil.copyfile(image_of(row.tag, model), copy)
        replace_registry(copy, registry.pack([*others, module.read_bytes()]))
        return copy

    return image


def answer(machines: Machines, row: Row, image: Path) -> str:
    """What the module reports."""
    guest = machines.boot(row.tag, image, **row.cpu.options())
    [error] = [event for event in guest.events if isinstance(event, Error)]
    assert error.code == "E-MATH-01"
    return error.text


@pytest.mark.parametrize("row", rows(ONE_PER_TAG))
def test_results_are_those_of_the_linux_process(
    machines: Machines, row: Row, image: Callable[[bytes], Path]
) -> None:
    given = {function.name: _some(function) for function in FUNCTIONS}
    jobs = [job(n, x, evaluate(_results_of(row.tag), n, x)) for n, x in given.items()]
    count = sum(len(x) for x in given.values())
    assert answer(machines, row, image(b"".join(jobs))) == (
        f"{len(FUNCTIONS)} functions, {count} results, 0 differ, first of nothing"
    )


@pytest.mark.parametrize("row", rows(ONE_PER_TAG[:1]))
def test_a_wrong_result_is_noticed(
    machines: Machines, row: Row, image: Callable[[bytes], Path]
) -> None:
    given = np.array([0.5, 1.5], np.float32)
    right = evaluate(row.tag, "sinf", given)
    wrong = np.nextafter(right, np.float32(2), where=[False, True], out=right.copy())
    jobs = job("sinf", given, right) + job("sinf", given, wrong)
    assert answer(machines, row, image(jobs)) == "2 functions, 4 results, 1 differ, first of sinf"
