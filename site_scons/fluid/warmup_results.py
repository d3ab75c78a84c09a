"""warmup.json: two starts of one image with the same prompts, the first with an empty cache; when
each token came, what was decided about code meanwhile, and the numbers that follow from it.

Times are microseconds by the clock of the machine that watches, from the start of the program or
emulator on.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Literal

from fluid.canonical import canonical_json
from fluid.files import write_atomic
from fluid.records import EventError
from fluid.samples import read_as

SCHEMA: Literal[1] = 1
SECOND = 1_000_000
COUNT = {"least": 0}
WINDOW = 16  # tokens of the moving median
FIRST, LAST = 32, 64  # tokens that the summary is about


@dataclass(frozen=True, kw_only=True)
class Decision:
    """A `tier` event."""

    time: int = field(metadata=COUNT)
    op: str
    shape: str
    origin: str
    to: str
    result: Literal["published", "rejected"]
    reason: str | None
    before: int = field(metadata=COUNT)  # cycles of a call; 0: not measured
    after: int = field(metadata=COUNT)
    compile_ms: int = field(metadata=COUNT)

    @property
    def published(self) -> bool:
        """It is used from then on."""
        return self.result == "published"

    @property
    def compiled(self) -> bool:
        """It is about code, not about a knob."""
        return "=" not in self.to


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A `cache` event about an entry."""

    time: int = field(metadata=COUNT)
    op: Literal["hit", "put", "evict", "reject"]
    key: str | None
    reason: str | None


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One prompt: when it was typed, and each token of the answer with its time."""

    time: int = field(metadata=COUNT)
    ids: list[int]
    times: list[int]


@dataclass(frozen=True, kw_only=True)
class Start:
    """One life of the machine; kept: entries of the cache when it was mounted."""

    ready: int = field(metadata=COUNT)
    kept: int = field(metadata=COUNT)
    turns: list[Turn]
    decisions: list[Decision]
    entries: list[Entry]

    @property
    def ids(self) -> list[int]:
        """Of all turns."""
        return [one for turn in self.turns for one in turn.ids]

    @property
    def steps(self) -> list[tuple[int, int]]:
        """(time of a token, since the one before), of a turn all but the first, whose time is
        mostly the prompt's."""
        pairs = (pair for turn in self.turns for pair in pairwise(turn.times))
        return [(later, later - earlier) for earlier, later in pairs]

    @property
    def published(self) -> int:
        """How often code was used from then on."""
        return sum(one.published and one.compiled for one in self.decisions)

    @property
    def rejected(self) -> int:
        """How often it was not."""
        return sum(one.compiled and not one.published for one in self.decisions)

    @property
    def tuned(self) -> int:
        """How often a knob was given another value."""
        return sum(one.published and not one.compiled for one in self.decisions)

    @property
    def compile_ms(self) -> int:
        """Of all that was compiled."""
        return sum(one.compile_ms for one in self.decisions)

    def count(self, op: str) -> int:
        """Entries of the cache that this happened to."""
        return sum(one.op == op for one in self.entries)

    @property
    def first(self) -> float:
        """Tokens a second of the first ones."""
        return rate(self.steps[:FIRST])

    @property
    def last(self) -> float:
        """The same of the last ones."""
        return rate(self.steps[-LAST:])


@dataclass(frozen=True, kw_only=True)
class Warmup:
    """The file; lines: what was typed in both starts."""

    schema: Literal[1]
    target: str
    runner: str
    cpu: str
    build: str
    model: str
    threads: int = field(metadata={"least": 1})
    lines: list[str]
    starts: list[Start]

    @property
    def equal(self) -> bool:
        """Whether every token is the same in both."""
        cold, warm = self.starts
        return cold.ids == warm.ids


def rate(steps: Sequence[tuple[int, int]]) -> float:
    """Tokens a second over these steps; 0 of none."""
    taken = sum(step for _, step in steps)
    return len(steps) * SECOND / taken if taken else 0.0


def moving(start: Start, window: int = WINDOW) -> Iterator[tuple[float, float]]:
    """(seconds, tokens a second) at each token that has so many before it: by the median step."""
    steps = start.steps
    for end in range(window, len(steps) + 1):
        step = statistics.median(taken for _, taken in steps[end - window : end])
        yield steps[end - 1][0] / SECOND, SECOND / max(step, 1)


def write_warmup(found: Warmup, path: Path) -> None:
    write_atomic(path, canonical_json(asdict(found)))


def read_warmup(path: Path | str, target: str) -> Warmup:
    """E-RPT-03 when it is not what write_warmup writes."""
    return read_as(path, Warmup, SCHEMA, target, _check)


def _check(found: Warmup) -> None:
    if len(found.starts) != 2:
        raise EventError(f"warmup.starts: 2 expected, {len(found.starts)} found")
    for start in found.starts:
        if len(start.turns) != len(found.lines) or not start.steps:
            raise EventError("warmup.starts: a turn for each line and tokens expected")
        if any(len(turn.ids) != len(turn.times) for turn in start.turns):
            raise EventError("warmup.starts: a time for each token expected")
        if any(taken < 0 for _, taken in start.steps):
            raise EventError("warmup.starts: times that ascend expected")


def table(found: Warmup) -> str:
    """For people."""
    cold, warm = found.starts
    rows: list[tuple[str, float, float, str]] = [
        ("ready, ms", cold.ready / 1000, warm.ready / 1000, ".0f"),
        (f"first {FIRST} tokens, tok/s", cold.first, warm.first, ".1f"),
        (f"last {LAST} tokens, tok/s", cold.last, warm.last, ".1f"),
        ("code published", cold.published, warm.published, "d"),
        ("code rejected", cold.rejected, warm.rejected, "d"),
        ("knobs set", cold.tuned, warm.tuned, "d"),
        ("compiled, ms", cold.compile_ms, warm.compile_ms, "d"),
        ("entries of the cache used", cold.count("hit"), warm.count("hit"), "d"),
        ("entries written", cold.count("put"), warm.count("put"), "d"),
    ]
    equal = "equal in both" if found.equal else "NOT equal in both"
    return "\n".join(
        [
            f"warm-up: {found.target}, {found.runner}, {found.cpu}, {found.threads} thread(s), "
            f"{found.model}, {len(found.lines)} prompts",
            f"  {'':<28}{'first start':>12}{'second start':>14}",
            *(f"  {name:<28}{cold:>12{how}}{warm:>14{how}}" for name, cold, warm, how in rows),
            f"  token ids: {len(cold.ids)}, {equal}",
        ]
    )
