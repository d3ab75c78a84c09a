"""`scons warmup`: an image with an empty cache is started twice and answers the same prompts. The
first time the machine compiles what is hot while it answers; the second time it begins with that.

Drafts are off, so that each token is one step of the model. The first start goes on until a whole
prompt has brought no decision about code, or all prompts are used up; the second has as many.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from pathlib import Path
from typing import Any

from fluid import cache_image, report, report_warmup
from fluid.emulator import HOST, Ending
from fluid.errors import FluidError
from fluid.event_types import Boot, Bye, Cache, Error, Event, Prompt, Ready, Tier, Token
from fluid.files import replacing, write_atomic
from fluid.machine import Machine
from fluid.probe import choose_runner
from fluid.progress import show_progress, show_result
from fluid.training import BOOT_SECONDS, STEP_SECONDS
from fluid.warmup_results import (
    SCHEMA,
    Decision,
    Entry,
    Start,
    Turn,
    Warmup,
    rate,
    table,
    write_warmup,
)

LEAST = 3  # prompts
SHOWN = 16  # tokens between two lines of progress
TEXTS = (
    "The history of bread begins",
    "In a small village by the sea there lived",
    "To build a wooden table, one needs",
    "The planets of the solar system are",
    "A letter to my grandmother about the summer:",
    "How rain is made, told to a child:",
    "The first computers filled whole rooms, and",
    "On the morning of the race all of them",
)
TOKENS = {HOST: 256}  # of each answer, by runner
TOKENS_EMULATED = 48

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Seen:
    """An event and when it came, microseconds since the start."""

    event: Event
    time: int


class Watched:
    """A machine whose events are noted with their times."""

    def __init__(self, machine: Machine, clock: Callable[[], int]) -> None:
        self.machine = machine
        self.seen: list[Seen] = []
        self._clock = clock
        self._begun = clock()

    def now(self) -> int:
        """Microseconds since the start."""
        return (self._clock() - self._begun) // 1000

    def until(
        self, kind: type[Event], seconds: float, progress: Callable[[list[Seen]], None]
    ) -> list[Seen]:
        """Events up to and including the next one of this kind."""
        found: list[Seen] = []
        while not found or not isinstance(found[-1].event, kind):
            event = self.machine.read_event(seconds)
            found.append(Seen(event, self.now()))
            progress(found)
        self.seen += found
        return found

    def all(self, kind: type[Event]) -> list[tuple[Any, int]]:
        """Those of this kind, each with its time."""
        return [(one.event, one.time) for one in self.seen if isinstance(one.event, kind)]


def _wrong(what: str, seen: Sequence[Seen]) -> FluidError:
    told = next((f"{e.code} {e.text}" for s in seen if isinstance(e := s.event, Error)), "nothing")
    return FluidError("E-WARM-01", f"{what} expected, found {told}; try it with ./sconsw run")


def _quiet(seen: list[Seen]) -> None:
    """Shows nothing."""


def _boot(watched: Watched) -> Ready:
    seen = watched.until(Prompt, BOOT_SECONDS, _quiet)
    ready = next((s.event for s in seen if isinstance(s.event, Ready)), None)
    if ready is None or ready.model is None:
        raise _wrong("a machine with a model", seen)
    seen = _typed(watched, "/set lookup off", _quiet)
    if any(isinstance(one.event, Error) for one in seen):
        raise _wrong("a machine that makes no drafts", seen)
    return ready


def _typed(watched: Watched, line: str, progress: Callable[[list[Seen]], None]) -> list[Seen]:
    watched.machine.send_line(line)
    return watched.until(Prompt, STEP_SECONDS, progress)


def _turn(watched: Watched, line: str, name: str, progress: Progress) -> tuple[Turn, bool]:
    """The answer, and whether anything was decided about code meanwhile."""

    def show(seen: list[Seen]) -> None:
        times = [one.time for one in seen if isinstance(one.event, Token)]
        if isinstance(seen[-1].event, Token) and len(times) % SHOWN == 0:
            last = times[-SHOWN:]
            steps = [(b, b - a) for a, b in pairwise(last)]
            made = sum(e.result == "published" for e, _ in watched.all(Tier))
            made += sum(isinstance(s.event, Tier) and s.event.result == "published" for s in seen)
            progress(f"{name}: {len(times)} tokens, {rate(steps):.1f} tok/s, {made} published")

    typed = watched.now()
    seen = _typed(watched, line, show)
    tokens = [(one.event.id, one.time) for one in seen if isinstance(one.event, Token)]
    if len(tokens) < 2:
        raise _wrong(f"tokens behind {line}", seen)
    turn = Turn(time=typed, ids=[i for i, _ in tokens], times=[t for _, t in tokens])
    return turn, any(isinstance(one.event, Tier) for one in seen)


def _switch_off(watched: Watched) -> None:
    watched.machine.send_line("/off")
    watched.until(Bye, STEP_SECONDS, _quiet)
    ending = watched.machine.wait_end(STEP_SECONDS)
    if ending is not Ending.PASS:
        raise FluidError(
            "E-WARM-01",
            f"a machine that switches itself off expected, found that it {ending.value}",
        )


def _decision(event: Tier, at: int) -> Decision:
    return Decision(
        time=at,
        op=event.op,
        shape=event.shape,
        origin=event.from_,
        to=event.to,
        result=event.result,
        reason=event.reason,
        before=event.cycles_before,
        after=event.cycles_after,
        compile_ms=event.compile_ms,
    )


def life(
    machine: Machine,
    lines: Sequence[str],
    least: int,
    name: str,
    progress: Progress,
    clock: Callable[[], int] = time.monotonic_ns,
) -> tuple[Start, Ready]:
    """One start of a machine that has just been entered: `least` lines, then more of them as long
    as code is decided about; then it is switched off."""
    watched = Watched(machine, clock)
    ready = _boot(watched)
    turns = []
    for number, line in enumerate(lines, 1):
        turn, busy = _turn(watched, line, f"{name}, prompt {number}", progress)
        turns.append(turn)
        if number >= least and not busy:
            break
    _switch_off(watched)
    caches = watched.all(Cache)
    start = Start(
        ready=next(at for _, at in watched.all(Ready)),
        kept=sum(event.entries for event, _ in caches if event.op == "mount"),
        turns=turns,
        decisions=[_decision(event, at) for event, at in watched.all(Tier)],
        entries=[
            Entry(time=at, op=event.op, key=event.key, reason=event.reason)
            for event, at in caches
            if event.op != "mount"
        ],
    )
    return start, ready


def measure(
    start: Callable[[], Machine],
    tokens: int,
    progress: Progress,
    *,
    target: str,
    texts: Sequence[str] = TEXTS,
) -> Warmup:
    """Both starts; `target` is a CPU tag. E-WARM-01 when a machine does not do what it is asked."""
    lines = [f"/complete {tokens} {text}" for text in texts]
    with start() as machine:
        cold, _ = life(machine, lines, LEAST, "first start", progress)
    lines = lines[: len(cold.turns)]
    with start() as machine:
        warm, ready = life(machine, lines, len(lines), "second start", progress)
    boot = next(event for event in machine.events if isinstance(event, Boot))
    return Warmup(
        schema=SCHEMA,
        target=target,
        runner=machine.config.runner,
        cpu=boot.cpu,
        build=boot.build,
        model=str(ready.model),
        threads=machine.config.smp,
        lines=lines,
        starts=[cold, warm],
    )


def check(found: Warmup) -> None:
    """E-WARM-02 when nothing was compiled, 03 when tokens are others, 04 when nothing was kept."""
    cold, warm = found.starts
    if not found.equal:
        pairs = enumerate(zip_longest(cold.ids, warm.ids))
        at = next(n for n, (a, b) in pairs if a != b)
        raise FluidError(
            "E-WARM-03",
            f"the same tokens in both starts expected, found others from token {at} on; compiled "
            "code is wrong: report this with warmup.json",
        )
    if not cold.published:
        raise FluidError(
            "E-WARM-02",
            f"code that is compiled and published in the first start expected, found none in "
            f"{len(cold.decisions)} decisions; take variants=base, and a machine that can run "
            "jit.elf (x86-64)",
        )
    if not warm.count("hit"):
        raise FluidError(
            "E-WARM-04",
            f"entries of the cache that the second start uses expected, found none of "
            f"{cold.count('put')} that were written; see ./sconsw cache-show image=FILE",
        )


def prepare(image: Path, copy: Path) -> None:
    """A copy of the image whose cache is empty."""
    with replacing(copy) as new:
        shutil.copyfile(image, new)
        cache_image.clear(new)


def run_warmup(
    image: Path,
    folder: Path,
    *,
    target: str,
    tag: str,
    runner: str,
    mem: int,
    smp: int,
    program: str | None = None,
) -> int:
    """The command: warmup.img, .json and .html in `folder`, and a summary; 0 when all went well.

    target: as emulated. program: instead of the target's QEMU or fluid-host."""
    copy = folder / "warmup.img"
    try:
        runner = choose_runner(runner, image, target)
        options: dict[str, Any] = {"runner": runner, "mem": mem, "smp": smp, "emulator": program}
        show_progress("copies the image")
        prepare(image, copy)
        found = measure(
            lambda: Machine(copy, target=target, writable=True, **options),
            TOKENS.get(runner, TOKENS_EMULATED),
            show_progress,
            target=tag,
        )
        write_warmup(found, folder / "warmup.json")
        page = report.page_of(tag, [report_warmup.section(found)])
        write_atomic(folder / "warmup.html", page.encode())
        show_result(f"{table(found)}\n  chart: {folder.name}/warmup.html")
        check(found)
    except FluidError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    return 0
