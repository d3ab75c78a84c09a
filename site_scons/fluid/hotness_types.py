"""The parts of a hotness export: what a machine measured of its modules (docs/formats.md)."""

from __future__ import annotations

from dataclasses import dataclass, field

DIGEST = {"pattern": r"^[0-9a-f]{32}$", "strict": True}
COUNT = {"least": 0}


@dataclass(frozen=True, kw_only=True)
class HotModule:
    """A loaded module; source: digest of what it was made from."""

    name: str
    target: str
    source: str = field(metadata=DIGEST)
    code_bytes: int = field(metadata=COUNT)
    live_bytes: int = field(metadata=COUNT)
    peak_bytes: int = field(metadata=COUNT)


@dataclass(frozen=True, kw_only=True)
class Calls:
    """Calls of an entry point with one shape, those of functions that it calls included; cycles in
    all and of one call."""

    module: str
    source: str = field(metadata=DIGEST)
    caller: str
    name: str
    rows: int = field(metadata=COUNT)
    cols: int = field(metadata=COUNT)
    calls: int = field(metadata=COUNT)
    cycles: int = field(metadata=COUNT)
    min: int = field(metadata=COUNT)
    median: int = field(metadata=COUNT)
    max: int = field(metadata=COUNT)


@dataclass(frozen=True, kw_only=True)
class HotFunction(Calls):
    """As a machine tells it; target: the variant; buckets: [least cycles, calls]."""

    target: str
    buckets: list[tuple[int, int]]


@dataclass(frozen=True, kw_only=True)
class Stack:
    """So many samples found these functions, outermost first."""

    count: int = field(metadata=COUNT)
    functions: list[str]


@dataclass(frozen=True, kw_only=True)
class Samples:
    """What the timer interrupted: idle, in a stack, or lost."""

    hz: int = field(metadata=COUNT)
    taken: int = field(metadata=COUNT)
    idle: int = field(metadata=COUNT)
    lost: int = field(metadata=COUNT)
    stacks: list[Stack]
