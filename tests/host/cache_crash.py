"""Power cuts for the model of the cache: a disk that records sector writes and flushes, images of
what may be on the medium at any moment, and what has to hold of each.

Of the writes since the last flush any subset may be there, and any of them torn. What was
acknowledged before the cut must be there; of the operation that was under way, the state before or
behind it; nothing else, and every payload as it was put. The same in C: cache_crash.c.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from fluid.cachedisk import DiskFault, MemoryDisk
from fluid.cachefile import Cache
from fluid.cachelayout import SECTOR
from fluid.cachelog import Name
from fluid.errors import FluidError

SECTORS = 96
KEYS = 7
FIELDS = 160  # bytes of a header sector in which something stands
FLUSH = None
Event = tuple[int, bytes] | None  # a sector that is written, or FLUSH
State = dict[Name, bytes | None]  # None: in quarantine
Maker = Callable[[MemoryDisk, Callable[[], int]], Cache]


class RecordingDisk(MemoryDisk):
    """Keeps what was written when; write_faults: after so many more sectors all writes fail."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.events: list[Event] = []
        self.write_faults = -1
        self.flush_fails = False
        self.bad = range(0)  # sectors that cannot be read

    def read(self, lba: int, count: int) -> bytes:
        if any(at in self.bad for at in range(lba, lba + count)):
            raise DiskFault("E-DISK-01")
        return super().read(lba, count)

    def write(self, lba: int, data: bytes) -> None:
        for i in range(0, len(data), SECTOR):
            if self.write_faults == 0:
                raise DiskFault("E-DISK-05")
            self.write_faults -= self.write_faults > 0
            self.events.append((lba + i // SECTOR, data[i : i + SECTOR]))
            super().write(lba + i // SECTOR, data[i : i + SECTOR])

    def flush(self) -> None:
        if self.flush_fails:
            raise DiskFault("E-DISK-07")
        self.events.append(FLUSH)


def crash_image(base: bytes, events: list[Event], cut: int, rng: random.Random) -> bytes:
    """What may be on the medium when the power goes behind `cut` events."""
    image = bytearray(base)
    done = max((i for i in range(cut) if events[i] is FLUSH), default=-1)
    likely = rng.choice((0.1, 0.5, 0.9, 1.0))
    for i, event in enumerate(events[:cut]):
        if event is FLUSH:
            continue
        lba, data = event
        if i > done and rng.random() >= likely:
            continue
        if i > done and rng.random() < 0.3:
            torn = rng.randrange(rng.choice((FIELDS // 4, FIELDS, SECTOR)))
            old = bytes(image[lba * SECTOR : (lba + 1) * SECTOR])
            data = rng.choice((data[:torn] + old[torn:], old[:torn] + data[torn:]))
        image[lba * SECTOR : (lba + 1) * SECTOR] = data
    return bytes(image)


def state_of(cache: Cache) -> State:
    """Every entry, read and checked."""
    found: State = {name: None for name, row in cache.rows.items() if row.quarantined}
    for name in [n for n, row in cache.rows.items() if not row.quarantined]:
        try:
            found[name] = cache.get(*name)
        except FluidError as error:
            raise AssertionError(f"what the table has cannot be read: {error}") from error
    return found


@dataclass
class Session:
    """One boot: what was written, and the state behind each operation with the number of events
    by then. switched: operations in which the arenas changed."""

    base: bytes
    disk: RecordingDisk
    states: list[tuple[int, State]] = field(default_factory=list)
    switched: set[int] = field(default_factory=set)


def key(number: int) -> bytes:
    return hashlib.sha256(b"key %d" % number).digest()


def payload(rng: random.Random) -> bytes:
    return rng.randbytes(rng.choice((1, 40, 511, 512, 513, 1024, 2300, 5000)))


def operate(cache: Cache, rng: random.Random, expected: State) -> None:
    """One operation; `expected` follows it."""
    name = 1 + rng.randrange(2), key(rng.randrange(KEYS))
    roll = rng.randrange(100)
    if roll < 62:
        data = payload(rng)
        try:
            cache.put(*name, data, rng.randrange(1000))
            expected[name] = data
        except FluidError as error:
            assert error.code == "E-CACHE-08" and expected[name] is None
    elif roll < 72:
        cache.remove(*name)
        if expected.get(name) is not None:
            del expected[name]
    elif roll < 75:
        cache.quarantine(*name)
        expected[name] = None
    elif roll < 77:
        cache.clear()
        expected.clear()
    else:
        for used in rng.sample(sorted(cache.rows), min(2, len(cache.rows))):
            if not cache.rows[used].quarantined:
                assert cache.get(*used) == expected[used]
                cache.note(*used, rng.randrange(1000))
        cache.sync()


def run_session(make: Maker, base: bytes, rng: random.Random, operations: int) -> Session:
    """Mounts and operates. Entries go only when a key is removed, or arenas change."""
    disk = RecordingDisk(base)
    cache = make(disk, lambda: rng.getrandbits(64))
    session = Session(base, disk, [(0, state_of(cache))])
    expected = dict(session.states[0][1])
    for _ in range(operations):
        changes = cache.compactions
        operate(cache, rng, expected)
        if cache.compactions > changes:
            session.switched.add(len(session.states))
            expected = {n: v for n, v in expected.items() if n in cache.rows}
        found = state_of(cache)
        assert found == expected, "the state in memory is not what the operations make it"
        session.states.append((len(disk.events), found))
    return session


def allowed(session: Session, cut: int) -> tuple[State, State, bool]:
    """The states before and behind the operation that the cut hits; the same one twice between
    operations. true: what is new behind it may have left its old place before that."""
    before = max(i for i, (events, _) in enumerate(session.states) if events <= cut)
    behind = before if session.states[before][0] == cut else before + 1
    return session.states[before][1], session.states[behind][1], behind in session.switched


def check(make: Maker, session: Session, cut: int, rng: random.Random) -> bytes:
    """Cuts, mounts, compares; returns the image."""
    image = crash_image(session.base, session.disk.events, cut, rng)
    cache = make(MemoryDisk(image), lambda: 0)
    found = state_of(cache)
    assert cache.rejected <= 1, "more than the last record is damaged"
    before, behind, switched = allowed(session, cut)
    absent = b""
    for name in found.keys() | before.keys() | behind.keys():
        either = [before.get(name, absent), behind.get(name, absent)]
        if switched and either[0] != either[1]:
            either.append(absent)
        assert found.get(name, absent) in either, f"cut behind {cut}: neither old nor new"
    return image


def some_cut(events: list[Event], rng: random.Random) -> int:
    """Anywhere; often before a flush, where most is under way."""
    cut = rng.randrange(len(events) + 1)
    if rng.random() < 0.5:
        while cut < len(events) and events[cut] is not FLUSH:
            cut += 1
    return cut


def campaign(make: Maker, seed: int, images: int, each: int = 40) -> int:
    """So many images at least, of machines that are cut off again and again; returns how many."""
    rng = random.Random(seed)
    done = 0
    while done < images:
        base = bytes(SECTORS * SECTOR)
        for _ in range(6):
            session = run_session(make, base, rng, rng.randrange(1, rng.choice((6, 14, 40))))
            for _ in range(each):
                base = check(make, session, some_cut(session.disk.events, rng), rng)
            done += each
    return done
