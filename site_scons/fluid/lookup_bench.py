"""`scons bench lookup=1`: replies with drafts (prompt lookup) against the same ones without, in
turns in one fluid-host. Both must have the same tokens."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from fluid.canonical import canonical_json
from fluid.emulator import HOST
from fluid.errors import FluidError
from fluid.event_types import Boot, Done, Token
from fluid.files import write_atomic
from fluid.lookup_texts import TEXTS, TOKENS, Text
from fluid.machine import Machine
from fluid.peer_results import quartiles
from fluid.progress import show_progress, show_result
from fluid.tier_machine import Progress, boot, machine_options, told
from fluid.training import OWN_CODE_OFF, STEP_SECONDS

SCHEMA = 1
ROUNDS = 9


@dataclass
class Reply:
    """on, off: tokens a second by round, with drafts and without."""

    name: str
    kind: str
    ids: list[int]
    drafted: int = 0
    accepted: int = 0
    on: list[float] = field(default_factory=list)
    off: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> tuple[float, float, float]:
        """Quartiles of the rounds; above 1: drafts are faster."""
        return quartiles([on / off for on, off in zip(self.on, self.off, strict=True)])


@dataclass(frozen=True)
class Lookup:
    """The file."""

    schema: int
    target: str
    runner: str
    cpu: str
    model: str
    threads: int
    replies: list[Reply]


def _say(machine: Machine, line: str) -> tuple[list[int], Done]:
    """The reply's tokens and its end. E-LOOK-01 when there is none."""
    events = machine.command(line, STEP_SECONDS)
    ids = [event.id for event in events if isinstance(event, Token)]
    done = next((event for event in events if isinstance(event, Done)), None)
    if done is None or len(ids) < 2:
        raise FluidError(
            "E-LOOK-01",
            f"a reply of two tokens or more expected, found {told(events)}; try another model",
        )
    return ids, done


def measure_text(machine: Machine, text: Text, rounds: int) -> Reply:
    """E-LOOK-02 when drafts change the reply."""
    reply: Reply | None = None
    for number in range(rounds):
        for lookup in ("off", "on")[:: 1 - 2 * (number % 2)]:
            for line in ("/clear", f"/set lookup {lookup}"):
                machine.command(line, STEP_SECONDS)
            ids, done = _say(machine, text.line)
            reply = reply or Reply(text.name, text.kind, ids)
            if ids != reply.ids:
                raise FluidError(
                    "E-LOOK-02",
                    f"{text.name}: the same tokens with drafts and without expected, found others; "
                    "report this",
                )
            (reply.on if lookup == "on" else reply.off).append(done.gen_tps)
            if lookup == "on":
                reply.drafted, reply.accepted = done.drafted, done.accepted
    assert reply is not None
    return reply


def run(
    image: Path,
    program: Path,
    *,
    target: str,
    tag: str,
    threads: int,
    texts: Sequence[Text],
    rounds: int,
    progress: Progress = show_progress,
) -> Lookup:
    """Measures all texts."""
    options = machine_options(target, threads, image.stat().st_size)
    with Machine(image, emulator=str(program), **options) as machine:
        ready = boot(machine)
        for line in (OWN_CODE_OFF, f"/set max_tokens {TOKENS}"):
            machine.command(line, STEP_SECONDS)
        replies = []
        for number, text in enumerate(texts):
            progress(f"text {number + 1} of {len(texts)}: {text.name}")
            replies.append(measure_text(machine, text, rounds))
        cpu = next(event.cpu for event in machine.events if isinstance(event, Boot))
    return Lookup(SCHEMA, tag, HOST, cpu, str(ready.model), threads, replies)


def table(found: Lookup) -> str:
    """For people."""
    lines = [
        f"lookup: {found.target}, {found.runner}, {found.cpu}, {found.threads} thread(s), "
        f"{found.model}; ratios: median of {len(found.replies[0].on)} rounds (quartiles)",
        f"{'text':<20}{'kind':<14}{'tokens':>7}{'drafted':>9}{'accepted':>9}{'tok/s':>8}{'ratio':>24}",
    ]
    for one in found.replies:
        low, middle, high = one.ratio
        ratio = f"{middle:.2f} ({low:.2f} to {high:.2f})"
        lines.append(
            f"{one.name:<20}{one.kind:<14}{len(one.ids):>7}{one.drafted:>9}{one.accepted:>9}"
            f"{statistics.median(one.on):>8.1f}{ratio:>24}"
        )
    for kind in dict.fromkeys(one.kind for one in found.replies):
        of_kind = [one.ratio[1] for one in found.replies if one.kind == kind]
        lines.append(
            f"{kind}: median of {len(of_kind)} texts {statistics.median(of_kind):.2f}, "
            f"{min(of_kind):.2f} to {max(of_kind):.2f}"
        )
    return "\n".join(lines)


def bench_lookup(
    image: Path, program: Path, folder: Path, *, target: str, tag: str, threads: int
) -> int:
    """The command: lookup-host.json in `folder`, and its table; 0 when all went well."""
    try:
        found = run(
            image, program, target=target, tag=tag, threads=threads, texts=TEXTS, rounds=ROUNDS
        )
        write_atomic(folder / "lookup-host.json", canonical_json(asdict(found)))
    except FluidError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    show_result(table(found))
    return 0
