"""peers-<runner>.json: what the same models took here and in another program, in turns; and the
numbers that follow from it.

A token reads all weights once, so bandwidth over their bytes is a roofline of tokens a second.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from fluid.canonical import canonical_json
from fluid.errors import FluidError
from fluid.files import write_atomic
from fluid.records import EventError, from_object, no_constant

SCHEMA: Literal[1] = 1
SECOND = 10**9  # nanoseconds
COUNT = {"least": 1}

Counted = Literal["prompt", "new", "both"]  # what of the work a number is about


@dataclass(frozen=True, kw_only=True)
class Work:
    """One kind of work; nanoseconds of what is counted, by round."""

    name: str
    prompt: int = field(metadata=COUNT)
    new: int = field(metadata={"least": 0})
    counted: Counted
    ours: list[int]
    peer: list[int]

    @property
    def tokens(self) -> int:
        """That are counted."""
        return {"prompt": self.prompt, "new": self.new, "both": self.prompt + self.new}[
            self.counted
        ]

    def rates(self, times: Sequence[int]) -> list[float]:
        """Tokens a second."""
        return [self.tokens * SECOND / ns for ns in times]

    @property
    def ratios(self) -> list[float]:
        """Ours to the peer's in each round, in speed: above 1 ours is faster."""
        return [peer / ours for ours, peer in zip(self.ours, self.peer, strict=True)]


@dataclass(frozen=True, kw_only=True)
class Model:
    """One model; token_bytes: of the weights that a token reads; bandwidth: bytes a second, by
    round."""

    name: str
    file_bytes: int = field(metadata=COUNT)
    token_bytes: int = field(metadata=COUNT)
    bandwidth: list[int]
    works: list[Work]

    @property
    def rooflines(self) -> list[float]:
        """Tokens a second in each round, if nothing but reading took time."""
        return [one / self.token_bytes for one in self.bandwidth]

    def fractions(self, rates: Sequence[float]) -> list[float]:
        """Parts of the roofline that rates of new tokens reach."""
        return [rate / top for rate, top in zip(rates, self.rooflines, strict=True)]


@dataclass(frozen=True, kw_only=True)
class Peers:
    """The file."""

    schema: Literal[1]
    target: str
    runner: str
    cpu: str
    build: str
    threads: int = field(metadata=COUNT)
    peer: str  # name and version
    models: list[Model]


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """Lower, median, upper; of one value, that."""
    if len(values) == 1:
        return values[0], values[0], values[0]
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high


def write_peers(found: Peers, path: Path) -> None:
    write_atomic(path, canonical_json(asdict(found)))


def read_peers(path: Path | str, target: str) -> Peers:
    """E-RPT-03 when it is not what write_peers writes."""
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"), parse_constant=no_constant)
        found = from_object(data, Peers, "peers")
        _check(found, target)
    except (OSError, ValueError, EventError) as error:
        raise FluidError(
            "E-RPT-03",
            f"{path}: measurements of peers expected, found: {error}; remove it and run ./sconsw "
            f"bench runner=host peers=1 again",
        ) from error
    return found


def _check(found: Peers, target: str) -> None:
    if found.target != target:
        raise EventError(f"peers.target: {target} expected, {found.target} found")
    if not found.models:
        raise EventError("peers.models: at least one expected, none found")
    for model in found.models:
        rounds = len(model.bandwidth)
        for work in model.works:
            if not rounds == len(work.ours) == len(work.peer) > 0 or work.tokens < 1:
                raise EventError(f"{model.name}, {work.name}: as many numbers of each expected")
        numbers = [model.bandwidth, *(times for w in model.works for times in (w.ours, w.peer))]
        if any(number < 1 for times in numbers for number in times):
            raise EventError(f"{model.name}: times and bandwidth from 1 on expected")


def table(found: Peers) -> str:
    """For people: a row for each kind of work."""
    lines = [
        f"peers: {found.target}, {found.runner}, {found.cpu}, {found.threads} thread(s), against "
        f"{found.peer}",
        "tok/s: median (least to greatest); ours / peer: median of the rounds (quartiles); of the "
        "roofline: ours, peer",
    ]
    for model in found.models:
        top = quartiles(model.rooflines)[1]
        lines.append(
            f"{model.name}: {model.token_bytes / 1e6:.0f} MB for a token at "
            f"{statistics.median(model.bandwidth) / 1e9:.1f} GB/s, roofline {top:.1f} tok/s"
        )
        lines += [_row(model, work) for work in model.works]
    return "\n".join(lines)


def _row(model: Model, work: Work) -> str:
    ours, peer = work.rates(work.ours), work.rates(work.peer)
    low, middle, high = quartiles(work.ratios)
    row = f"  {work.name:<14}{_spread(ours):>26}{_spread(peer):>26}"
    row += f"{middle:>8.2f} ({low:.2f} to {high:.2f})"
    if work.counted == "new":
        parts = [quartiles(model.fractions(rates))[1] for rates in (ours, peer)]
        row += "   " + ", ".join(f"{part:.0%}" for part in parts)
    if work.counted == "both":
        times = [statistics.median(times) / 1e6 for times in (work.ours, work.peer)]
        row += f"   {times[0]:.0f} ms, {times[1]:.0f} ms"
    return row


def _spread(rates: Sequence[float]) -> str:
    return f"{statistics.median(rates):.1f} ({min(rates):.1f} to {max(rates):.1f})"
