"""The matrix of images and processors: each tag on a CPU that has exactly what the tag is named
for, and what every CPU can run. QEMU's TCG knows no AVX-512, so x86-64-v4 runs in Bochs.

And the target that each test is of: the tests of those that FLUID_TARGETS does not name are left
out (`scons test-qemu target=T`).
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pytest

from fluid import bochs
from fluid.cpu import load_profile
from fluid.emulator import EMULATED
from fluid.suites import wanted_targets
from fluid.targets import TARGETS
from qemu_images import TOP

WANTED = wanted_targets(os.environ)


@dataclass(frozen=True)
class Cpu:
    """A processor that an emulator offers."""

    runner: str
    model: str
    best: str  # the highest tag whose features it has all
    long_mode: bool = True

    @property
    def label(self) -> str:
        return f"{self.runner}:{self.model}"

    def options(self) -> dict[str, Any]:
        """For a Machine."""
        return {"runner": self.runner, "cpu": self.model, "mem": 256}


@dataclass(frozen=True)
class Row:
    """An image and a CPU that can run it."""

    tag: str
    cpu: Cpu
    variant: str  # of the tensor modules, which the machine has to choose


def _tcg(tag: str) -> Cpu:
    return Cpu("tcg", EMULATED[tag].cpu, tag)


def _bochs(tag: str) -> Cpu:
    return Cpu("bochs", bochs.CPUS[tag], tag, tag != "i686")


I686 = Cpu("tcg", "qemu32,+nx", "i686", long_mode=False)
I686_V2 = Cpu("tcg", EMULATED["i686"].cpu, "i686-v2", long_mode=False)
LONG_MODE = [_tcg(tag) for tag in ("x86-64", "x86-64-v2", "x86-64-v3")]
AVX512 = _bochs("x86-64-v4")

# Bochs, too, for every level: it raises #UD for whatever its model lacks, TCG lets some pass.
CPUS = [I686, I686_V2, *LONG_MODE, *(_bochs(tag) for tag in TARGETS)]

ROWS = [
    Row("i686", I686, "i686"),
    Row("i686", I686_V2, "i686-v2"),
    *(Row(cpu.best, cpu, cpu.best) for cpu in (*LONG_MODE, AVX512)),
]


def features(tag: str) -> set[str]:
    """What code for a tag may use."""
    return set(load_profile(TOP / f"profiles/cpu/{tag}.json").features)


def best_variant(tag: str, cpu: Cpu) -> str:
    """The highest variant in the image of a tag that the CPU can run; "" if it has none."""
    fit = [v for v in TARGETS[tag].variants if features(v) <= features(cpu.best)]
    return fit[-1] if fit else ""


def rows(some: Iterable[Row] = ROWS) -> list[Any]:
    """Rows as parameters of a test."""
    return [pytest.param(row, id=f"{row.tag}-on-{row.cpu.label}") for row in some]


def target_of(item: pytest.Item) -> str:
    """The target whose image a test boots: what its mark `of_target` says, else the parameter that
    is a tag or has one. A test of which neither is known would run without its image: an error."""
    mark = item.get_closest_marker("of_target")
    if mark is not None:
        (tag,) = mark.args
        return str(tag)
    callspec = getattr(item, "callspec", None)
    values = callspec.params.values() if callspec is not None else ()
    named = [getattr(value, "tag", value) for value in values]
    tags = {tag for tag in named if isinstance(tag, str) and tag in TARGETS}
    if len(tags) != 1:
        raise pytest.UsageError(
            f"{item.nodeid}: one target expected among its parameters, found {sorted(tags)}; "
            'add @pytest.mark.of_target("TAG")'
        )
    return str(tags.pop())


def of_wanted(items: Iterable[pytest.Item]) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """The tests of the wanted targets, and the others."""
    kept: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    for item in items:
        (kept if target_of(item) in WANTED else left_out).append(item)
    return kept, left_out
