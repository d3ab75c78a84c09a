"""The events of the console: one dataclass per event, and the JSON schema derived from them.

This file is the one owner of the fields in Python; the kernel writes them (src/kernel/console/),
docs/formats.md explains them. Reading checks field names and types strictly; a field that is not
listed here is kept in `Event.data` but is a schema violation, so that tests notice it.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from fluid.hotness_types import HotFunction, HotModule, Samples
from fluid.records import EventError, Json, object_schema, values

_CODE = {"pattern": r"^E-[A-Z0-9]+-[0-9]{2}$"}
Counters = list[tuple[str, int | None]]  # of the processor by name; None: it does not count that
_COUNT = {"least": 0}
_CHECK = {"pattern": r"^[0-9a-f]{16}$", "strict": True}
_EMPTY = "blank|damaged|version|read-only|read-error"  # why the cache is, or is not written to
_REASON = {"pattern": rf"^({_EMPTY}|full|quarantine|E-[A-Z0-9]+-[0-9]{{2}})$"}
_KEY = {"pattern": "^[0-9a-f]{64}$"}
_TO = {"pattern": "^(O[123]|ahead=none|(ahead|piece)=[0-9]+)$", "strict": True}  # level or knob
_SHAPE = {"pattern": "^[0-9]+x[0-9]+$"}
_WHY = {"pattern": r"^([a-z]+(-[a-z]+)*|E-[A-Z0-9]+-[0-9]{2})$"}
_BASE64 = {"pattern": r"^[A-Za-z0-9+/]*={0,2}$"}


@dataclass(frozen=True, kw_only=True)
class Event:
    """One event; `data` is the JSON object as it came."""

    ev: ClassVar[str] = ""
    extra_schema: ClassVar[Json] = {}
    data: Json = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class Boot(Event):
    """The kernel runs; the first event of every boot."""

    ev: ClassVar[str] = "boot"
    build: str
    target: str
    cpu: str
    features: list[str]
    cores: int


@dataclass(frozen=True, kw_only=True)
class Ready(Event):
    """Start-up is over. ms since kernel entry; model is null when none is usable."""

    ev: ClassVar[str] = "ready"
    ms: float
    model: str | None
    mem_total: int
    mem_used: int
    variant: str | None


@dataclass(frozen=True, kw_only=True)
class Prompt(Event):
    """A line of input is awaited."""

    ev: ClassVar[str] = "prompt"


@dataclass(frozen=True, kw_only=True)
class Token(Event):
    """One generated token; text, or b64 where its bytes are not valid UTF-8 alone."""

    ev: ClassVar[str] = "token"
    extra_schema: ClassVar[Json] = {"oneOf": [{"required": ["text"]}, {"required": ["b64"]}]}
    id: int
    text: str | None = None
    b64: str | None = field(default=None, metadata=_BASE64)

    @property
    def piece(self) -> bytes:
        """The token's bytes."""
        if self.b64 is not None:
            return base64.b64decode(self.b64)
        return (self.text or "").encode()


@dataclass(frozen=True, kw_only=True)
class Done(Event):
    """A reply or completion ended."""

    ev: ClassVar[str] = "done"
    reason: Literal["eog", "stop", "length", "context", "cancel"]
    n_prompt: int
    n_gen: int
    cycles: int
    prompt_tps: float
    gen_tps: float
    drafted: int
    accepted: int


@dataclass(frozen=True, kw_only=True)
class Score(Event):
    """/score: entry i predicts the token after ids[i]."""

    ev: ClassVar[str] = "score"
    ids: list[int]
    argmax: list[int]
    margin: list[float]
    top: list[list[tuple[int, float]]]
    logsumexp: list[float]
    nll: float | None


@dataclass(frozen=True, kw_only=True)
class Speed(Event):
    """/speed: n_prompt tokens read at once, then n_new ones made, in nanoseconds; ids of both."""

    ev: ClassVar[str] = "speed"
    ids: list[int]
    n_prompt: int
    n_new: int
    prompt_ns: int
    new_ns: int


@dataclass(frozen=True, kw_only=True)
class Bench(Event):
    """A benchmark has ended, in the background; cycles of one call, checksum as it must be; units:
    of work in a call; counters: in all calls."""

    ev: ClassVar[str] = "bench"
    name: str
    tag: str
    size: int
    calls: int
    min: int
    median: int
    max: int
    checksum: int
    units: int
    unit: str
    counters: Counters


@dataclass(frozen=True, kw_only=True)
class Hotness(Event):
    """/profile: everything that was measured since the start or /profile reset. hz: cycles in a
    second; overhead: cycles to record one call."""

    ev: ClassVar[str] = "hotness"
    schema: int
    build: str
    target: str
    cpu: str
    hz: int
    overhead: int
    counters: Counters
    modules: list[HotModule]
    functions: list[HotFunction]
    samples: Samples


@dataclass(frozen=True, kw_only=True)
class ProfRaw(Event):
    """/profile counters: the sections of one instrumented module; counters_at: from the start of
    functions, names_at: address of names."""

    ev: ClassVar[str] = "profraw"
    module: str
    target: str
    counters_at: int
    names_at: int
    functions: str = field(metadata=_BASE64)
    counters: str = field(metadata=_BASE64)
    names: str = field(metadata=_BASE64)


@dataclass(frozen=True, kw_only=True)
class Tier(Event):
    """The code of a slot was to be replaced: `published` is in use from now on, `rejected` is not,
    or not any more. Cycles of a call, measured in turns; 0: not measured."""

    ev: ClassVar[str] = "tier"
    op: str
    shape: str = field(metadata=_SHAPE)
    from_: Literal["T0", "O0", "O1", "O2", "O3"]
    to: str = field(metadata=_TO)
    result: Literal["published", "rejected"]
    reason: str | None = field(metadata=_WHY)
    cycles_before: int
    cycles_after: int
    compile_ms: int


@dataclass(frozen=True, kw_only=True)
class Cache(Event):
    """The cache partition. mount: key is null, reason why it is empty or cannot be written, or
    null. The others are of one entry: hit, miss, put, evict (others went for it), reject (reason
    says why it is of no use). entries: how many there are now."""

    ev: ClassVar[str] = "cache"
    op: Literal["mount", "hit", "miss", "put", "evict", "reject"]
    key: str | None = field(metadata=_KEY)
    reason: str | None = field(metadata=_REASON)
    entries: int


@dataclass(frozen=True, kw_only=True)
class Compile(Event):
    """A part of a request to the compiler at the other end of the serial line, of size bytes in
    all; check, in the first one: the first digits of its SHA-256."""

    ev: ClassVar[str] = "compile"
    id: int = field(metadata=_COUNT)
    size: int = field(metadata=_COUNT)
    offset: int = field(metadata=_COUNT)
    check: str | None = field(default=None, metadata=_CHECK)
    b64: str = field(metadata=_BASE64)


@dataclass(frozen=True, kw_only=True)
class CompileNext(Event):
    """The part at offset of the answer to that request is awaited."""

    ev: ClassVar[str] = "compile_next"
    id: int = field(metadata=_COUNT)
    offset: int = field(metadata=_COUNT)


@dataclass(frozen=True, kw_only=True)
class Warn(Event):
    """Something is not as expected; the system goes on."""

    ev: ClassVar[str] = "warn"
    code: str = field(metadata=_CODE)
    text: str


@dataclass(frozen=True, kw_only=True)
class Error(Event):
    """A request or a step of start-up failed."""

    ev: ClassVar[str] = "error"
    code: str = field(metadata=_CODE)
    text: str


@dataclass(frozen=True, kw_only=True)
class Panic(Event):
    """The kernel stopped. vector is null for a broken invariant, otherwise 0..31."""

    ev: ClassVar[str] = "panic"
    vector: int | None
    error_code: int | None
    ip: int
    address: int | None
    backtrace: list[str]


@dataclass(frozen=True, kw_only=True)
class Bye(Event):
    """The last disk flush is done; power goes off next."""

    ev: ClassVar[str] = "bye"


EVENTS: dict[str, type[Event]] = {
    cls.ev: cls
    for cls in (
        *(Boot, Ready, Prompt, Token, Done, Score, Speed, Bench, Hotness, ProfRaw, Tier),
        *(Cache, Compile, CompileNext, Warn, Error, Panic, Bye),
    )
}


def from_json(data: object) -> Event:
    """The typed event of one JSON object."""
    if not isinstance(data, dict):
        raise EventError(f"a JSON object expected, {type(data).__name__} found")
    ev = data.get("ev")
    cls = EVENTS.get(ev) if isinstance(ev, str) else None
    if cls is None:
        raise EventError(f"a known event expected, ev {ev!r:.80} found")
    event = cls(data=data, **values(data, cls, cls.ev))
    if isinstance(event, Token) and (event.text is None) == (event.b64 is None):
        raise EventError("token: exactly one of 'text' and 'b64' expected")
    return event


def json_schema() -> Json:
    """The JSON schema (draft 2020-12) that every event satisfies."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Events of the Fluid OS console",
        "oneOf": [_event_schema(cls) for cls in EVENTS.values()],
    }


def event_schema(ev: str) -> Json:
    """The JSON schema of one kind of event."""
    return _event_schema(EVENTS[ev])


def _event_schema(cls: type[Event]) -> Json:
    shape = object_schema(cls)
    return {
        **shape,
        "properties": {"ev": {"const": cls.ev}, **shape["properties"]},
        "required": ["ev", *shape["required"]],
        **cls.extra_schema,
    }
