"""`scons bench tiers=1`: what variants of the build and code compiled on the machine are worth. One
model in several images, each in a fluid-host of its own; only the one that is asked works.

Each is warmed up first, with the same work, until nothing is decided any more, and then started
again: what is measured is the steady state. Without a compiler knobs are all that is decided about.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from fluid.emulator import HOST
from fluid.errors import FluidError
from fluid.event_types import Boot, Cache, Hotness, Ready, Speed, Tier
from fluid.hosted import MIB
from fluid.machine import Machine
from fluid.progress import show_progress, show_result
from fluid.tier_machine import (
    NEW,
    PROMPT,
    Progress,
    ask,
    boot,
    decided,
    machine_options,
    published,
    switch,
    told,
    warm_up,
)
from fluid.tier_results import (
    ABOUT,
    BASE,
    NAMES,
    NATIVE,
    SCHEMA,
    SECOND,
    Build,
    Operation,
    Split,
    Tiers,
    table,
    write_tiers,
)
from fluid.training import STEP_SECONDS
from fluid.warmup import prepare

ROUNDS, ROUNDS_LEAST = 20, 7
PATIENCE = 900  # seconds after which the least number of rounds is enough
SPLITS = 3  # measurements of where the time goes
OPERATIONS = "tensor_"  # modules


@dataclass(frozen=True)
class Subject:
    """An image and the program that runs it; compiles: it has a compiler."""

    name: str
    image: Path
    program: Path
    compiles: bool = False


def subjects_of(images: Sequence[Path], program: Path, native: Path) -> list[Subject]:
    """Images in the order of NAMES, the last one where it was built; `native` is its program."""
    return [
        Subject(name, image, native if name == NATIVE else program, name.endswith("-jit"))
        for name, image in zip(NAMES, images, strict=False)
    ]


@dataclass
class Measured:
    """What one machine has told so far."""

    machine: Machine
    ready: Ready
    prompt: list[int] = field(default_factory=list)
    decode: list[int] = field(default_factory=list)
    off: list[Speed] = field(default_factory=list)
    on: list[Speed] = field(default_factory=list)
    splits: list[Split] = field(default_factory=list)


def turns(rounds: int, what: Callable[[int], None]) -> Iterator[tuple[int, int]]:
    """Number and direction of each round, every second one backwards; fewer where that takes too
    long. The first one, 0, warms caches and is not counted. what: shows progress."""
    until = time.monotonic() + PATIENCE
    for number in range(rounds + 1):
        if number > ROUNDS_LEAST and time.monotonic() > until:
            return
        what(number)
        yield number, 1 - 2 * (number % 2)


def _operations(found: Hotness) -> list[Operation]:
    """Of the model, by name and shape."""
    sums: dict[tuple[str, int, int], tuple[int, int]] = {}
    for one in found.functions:
        if one.module.startswith(OPERATIONS):
            calls, cycles = sums.get((one.name, one.rows, one.cols), (0, 0))
            sums[one.name, one.rows, one.cols] = (calls + one.calls, cycles + one.cycles)
    return [
        Operation(name=name, rows=rows, cols=cols, calls=calls, ns=cycles * SECOND // found.hz)
        for (name, rows, cols), (calls, cycles) in sorted(sums.items())
    ]


def split(machine: Machine) -> Split:
    """Of tokens one at a time from an empty context on, so that no prompt has to be told apart."""
    machine.command("/profile reset", STEP_SECONDS)
    speed = ask(machine, 1, PROMPT + NEW)
    events = machine.command("/profile", STEP_SECONDS)
    found = next((event for event in events if isinstance(event, Hotness)), None)
    if found is None:
        raise FluidError(
            "E-TIER-01", f"a hotness event expected behind /profile, found {told(events)}"
        )
    ns = speed.prompt_ns + speed.new_ns
    return Split(tokens=speed.n_prompt + speed.n_new, ns=ns, operations=_operations(found))


def _others(name: str) -> FluidError:
    return FluidError(
        "E-TIER-03",
        f"the same tokens of all builds expected, found others of {name}; report this",
    )


def measure_own(name: str, one: Measured, progress: Progress, rounds: int) -> None:
    """With the image's code and with its own, in one process, so that both have all data in the
    same places. E-TIER-03 when they make other tokens."""
    for number, step in turns(rounds, lambda n: progress(f"its own code, {n} of {rounds}")):
        for on in (False, True)[::step]:
            switch(one.machine, on)
            speed = ask(one.machine)
            if one.off and speed.ids != one.off[0].ids:
                raise _others(name)
            if number > 0:
                (one.on if on else one.off).append(speed)
    switch(one.machine, True)


def measure(
    found: Mapping[str, Measured], progress: Progress, rounds: int, splits: int = SPLITS
) -> None:
    """In turns. E-TIER-03 when two of them make other tokens."""
    wanted: list[int] | None = None
    for number, step in turns(rounds, lambda n: progress(f"round {n} of {rounds}")):
        for name in list(found)[::step]:
            speed = ask(found[name].machine)
            wanted = wanted or speed.ids
            if speed.ids != wanted:
                raise _others(name)
            if number > 0:
                found[name].prompt.append(speed.prompt_ns)
                found[name].decode.append(speed.new_ns)
    for number in range(splits):
        progress(f"where the time goes, {number + 1} of {splits}")
        for one in found.values():
            one.splits.append(split(one.machine))


def _build(name: str, one: Measured, warmed: Sequence[Tier]) -> Build:
    events = one.machine.events
    values = published(warmed)
    return Build(
        name=name,  # type: ignore[arg-type]
        build=next(event.build for event in events if isinstance(event, Boot)),
        variant=one.ready.variant,
        prompt=one.prompt,
        decode=one.decode,
        off_prompt=[speed.prompt_ns for speed in one.off],
        off_decode=[speed.new_ns for speed in one.off],
        on_prompt=[speed.prompt_ns for speed in one.on],
        on_decode=[speed.new_ns for speed in one.on],
        splits=one.splits,
        compile_ms=[tier.compile_ms for tier in warmed if tier.compile_ms > 0],
        published=sum("=" not in to for to in values),
        tuned=sum("=" in to for to in values),
        used=sum(isinstance(event, Cache) and event.op == "hit" for event in events),
        decisions=len(decided(one.machine)),
    )


def check_memory(size: int, machines: int) -> None:
    """E-TIER-04 unless so many machines with a model of `size` bytes fit."""
    wanted = machines * (3 * size // MIB + 256)
    found = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // MIB
    if wanted > found:
        raise FluidError(
            "E-TIER-04",
            f"{wanted} MiB of memory expected for {machines} machines at a time, found {found}; "
            "take a smaller model with model=FILE",
        )


def run(
    subjects: Sequence[Subject],
    folder: Path,
    model: Path,
    *,
    target: str,
    tag: str,
    threads: int,
    progress: Progress = show_progress,
) -> Tiers:
    """Measures them; what is written to is a copy in `folder`, which goes again."""
    size = model.stat().st_size
    check_memory(size, len(subjects))
    options = machine_options(target, threads, size)
    warmed: dict[str, list[Tier]] = {}
    found: dict[str, Measured] = {}
    with TemporaryDirectory(prefix="tiers-", dir=folder) as scratch, ExitStack() as stack:
        for one in subjects:
            image, program = Path(scratch, f"{one.name}.img"), str(one.program)
            prepare(one.image, image)
            with Machine(image, writable=True, emulator=program, **options) as machine:
                warmed[one.name] = warm_up(machine, ABOUT[one.name], one.compiles, progress)
            machine = stack.enter_context(Machine(image, emulator=program, **options))
            found[one.name] = Measured(machine, boot(machine))
        measure(found, progress, ROUNDS)
        for subject in subjects:
            if subject.compiles or published(warmed[subject.name]):
                measure_own(subject.name, found[subject.name], progress, ROUNDS)
    first = found[BASE]
    return Tiers(
        schema=SCHEMA,
        target=tag,
        runner=HOST,
        cpu=next(event.cpu for event in first.machine.events if isinstance(event, Boot)),
        model=str(first.ready.model),
        threads=threads,
        prompt=PROMPT,
        new=NEW,
        builds=[_build(name, one, warmed[name]) for name, one in found.items()],
    )


def bench_tiers(
    subjects: Sequence[Subject],
    folder: Path,
    model: Path,
    *,
    target: str,
    tag: str,
    threads: int,
) -> int:
    """The command: tiers-host.json in `folder`, and its tables; 0 when all went well."""
    try:
        found = run(subjects, folder, model, target=target, tag=tag, threads=threads)
        write_tiers(found, folder / "tiers-host.json")
    except FluidError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    show_result(table(found))
    return 0
