"""Images whose modules carry bitcode, with a compiler and a cache partition; and what fluid-host
says while it makes its code better.

The modules are those of target x86-64-v2, from artifacts of `scons test-host`; `slow` ones are the
same sources without optimisation, so that what is compiled on the machine is faster for sure.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import pytest

from fluid import modfile, registry
from fluid.coverage import FOLDER
from fluid.event_types import Cache as CacheEvent
from fluid.event_types import Done, Event, Tier, Token, Warn
from fluid.fat import build_fat_partition
from fluid.image import build_image
from fluid.modlayout import Module
from fluid.modread import read_mod
from guests import said
from host_features import features, lacking
from host_machine import SECONDS, Hosts
from jit_modules import NAMES, ahead_module, require
from module_build import make_mod
from qemu_images import artifact, boot_area

TARGET = "x86-64-v2"
BETTER = "x86-64-v3"
CODE_FLAGS = ("-ffp-contract=off", "-O0")  # as fluid.flags has them, but for the level
CACHE = 4  # MiB
TEXT = "once upon a time"
COUNT = 900  # tokens of one completion


def bitcode(name: str, tag: str = TARGET) -> bytes:
    if FOLDER in os.environ:
        pytest.skip("where lines are counted there is no bitcode")
    stem = name if tag == TARGET else f"{name}.{tag}"
    return artifact(TARGET, f"modules/{stem}.bc").read_bytes()


def alone(name: str, tag: str) -> Module:
    """A variant that is nothing but bitcode, as variants=base makes it."""
    module = replace(ahead_module(name, TARGET, tag), bitcode=bitcode(name, tag))
    return replace(module, sections=[], relocs=[], exports=[], imports=[], symbols=[])


def modules(own: Sequence[Module] = (), better: bool = False) -> list[Module]:
    """The engine, the module that compares, and tensor modules with their bitcode; `own` take the
    place of those of their names. better: with bitcode for BETTER besides."""
    taken = {module.name for module in own}
    found = [read_mod(artifact(TARGET, f"modules/{name}.mod")) for name in ("llama", "trial")]
    found += [
        replace(ahead_module(name, TARGET, TARGET), bitcode=bitcode(name))
        for name in NAMES
        if name not in taken
    ]
    return [*found, *own, *(alone(name, BETTER) for name in NAMES if better)]


def source_of(name: str) -> Path:
    """Of a tensor module or a benchmark in C."""
    folder = "tensor" if name.startswith("tensor_") else "bench"
    return Path(__file__).resolve().parents[2] / f"src/modules/{folder}/{name}.c"


def slow(folder: Path, name: str) -> Module:
    """A module without optimisation, with the bitcode of the optimised one."""
    flags = [*(f"-m{feature}" for feature in features(TARGET)), *CODE_FLAGS]
    out = folder / f"{name}.slow.mod"
    make_mod(
        out,
        [source_of(name)],
        flags=flags,
        name=name,
        target=TARGET,
        features=features(TARGET),
        rank=1,
    )
    return replace(read_mod(out), bitcode=bitcode(name))


def better_works() -> bool:
    return not lacking(BETTER)


def tier_image(
    folder: Path,
    model: Path,
    parts: Sequence[Module],
    compiler: Path | None,
    *,
    cache: int = CACHE,
    label: str = "tiers",
    built: str = TARGET,
) -> Path:
    """compiler: what JIT.ELF is; None: the image has none. cache: MiB, 0: no partition. built: the
    folder whose fluid-host it is for."""
    folder.mkdir(exist_ok=True)
    content = registry.pack([modfile.pack(module) for module in parts])
    boot = boot_area(built, content, folder / f"{label}.boot")
    files = [(model, "MODEL.GGUF"), *([(compiler, "JIT.ELF")] if compiler else [])]
    fat, image = folder / f"{label}.fat", folder / f"{label}.img"
    build_fat_partition(files, fat)
    build_image(boot, fat, image, cache)
    fat.unlink()
    boot.unlink()
    return image


@functools.cache
def real_compiler() -> Path:
    return require()


def decisions(events: Iterable[Event]) -> list[Tier]:
    """About code."""
    return [e for e in events if isinstance(e, Tier) and e.to.startswith("O")]


@dataclass(frozen=True)
class Run:
    """What one start of fluid-host has said."""

    events: list[Event]
    completions: list[list[int]]  # tokens of each
    text: str
    before: str  # what /jit showed before the first of them

    @property
    def tiers(self) -> list[Tier]:
        """Decisions about code; those about knobs are others."""
        return decisions(self.events)

    def of(self, result: str) -> list[Tier]:
        return [t for t in self.tiers if t.result == result]

    def cache(self, op: str) -> list[CacheEvent]:
        return [e for e in self.events if isinstance(e, CacheEvent) and e.op == op]

    def made(self) -> dict[tuple[str, str, str], str]:
        """Keys of what was put, by operation, shape and level: the event behind its decision."""
        return {
            (t.op, t.shape, t.to): c.key
            for t, c in pairwise(e for e in self.events if isinstance(e, Tier | CacheEvent))
            if isinstance(t, Tier) and isinstance(c, CacheEvent) and c.op == "put" and c.key
        }

    def keys(self, op: str) -> set[str]:
        return {e.key for e in self.cache(op) if e.key}

    @property
    def warnings(self) -> list[str]:
        return [e.code for e in self.events if isinstance(e, Warn)]

    def reasons(self, op: str) -> set[str | None]:
        """Why code of an operation was rejected."""
        return {t.reason for t in self.of("rejected") if t.op == op}


def run(
    hosts: Hosts,
    image: Path,
    rounds: int = 4,
    *,
    smp: int = 1,
    count: int = COUNT,
    writable: bool = True,
    until: Callable[[list[Tier]], bool] = lambda decided: False,
) -> Run:
    """Boots, completes the same text so often, or until enough has been decided, and is switched
    off in order."""
    host = hosts.boot(image, smp=smp, extra=("--writable",) if writable else ())
    before = said(host, "/jit")
    completions: list[list[int]] = []
    for _ in range(rounds):
        events = host.command(f"/complete {count} {TEXT}", SECONDS)
        assert isinstance(events[-1], Done), events[-1]
        completions.append([e.id for e in events if isinstance(e, Token)])
        if until(decisions(host.events)):
            break
    host.command("/jit")
    host.send_line("/off")
    if host.wait_end(SECONDS).name != "PASS":
        pytest.fail(host.ending_text)
    text = bytes(host.text).decode(errors="replace")
    return Run(list(host.events), completions, text, before)
