"""Writing to the cache partition: put, delete, quarantine, touch, and the change of arenas. The
model of src/kernel/cache/, byte for byte: the same operations write the same sectors in the same
order, with a flush at the same places. docs/cache.md has the rules, and why they suffice.

E-CACHE-05 the cache cannot be written, 06 the payload's size is not possible, 07 this boot has
written enough, 08 the entry is in quarantine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from fluid.cachedisk import Disk, DiskFault
from fluid.cachelayout import (
    ENTRIES_MAX,
    HEAT_BOOTS,
    KEY_SIZE,
    SECTOR,
    SUPERBLOCKS,
    TOUCH,
    VERSION_MAJOR,
    VERSION_MINOR,
    ZERO_SECTOR,
    Record,
    Superblock,
    Type,
    link_to,
    pack_record,
    pack_superblock,
    padded,
    payload_sectors,
    sha256,
)
from fluid.cachelog import Chain, Log, Name, Row
from fluid.errors import FluidError

WRITE_LIMIT = 64 << 20  # bytes of one boot
OPENING = 3  # sectors at most, before the first record of a boot
SWITCHING = 3  # sectors of a change of arenas: zeros behind the last record, two superblocks


class Cache(Log):
    """A mounted partition. random: 64 bits that nobody can foretell, for new epochs."""

    def __init__(
        self, disk: Disk, random: Callable[[], int], write_limit: int = WRITE_LIMIT
    ) -> None:
        super().__init__(disk)
        self.random, self.write_limit = random, write_limit
        self.written = self.compactions = self.evicted = 0
        self.opened = False

    def put(self, kind: int, key: bytes, payload: bytes, benefit: int) -> None:
        """When it returns, the entry survives a power cut."""
        row = self.rows.get((kind, key))
        need = 1 + payload_sectors(len(payload))
        if not payload or need > self.geometry.record_max():
            raise FluidError(
                "E-CACHE-06",
                f"1 to {(self.geometry.record_max() - 1) * SECTOR} bytes expected, found "
                f"{len(payload)}; make the partition larger",
            )
        if row and row.quarantined:
            raise FluidError(
                "E-CACHE-08",
                "an entry that may be kept expected, found its key in quarantine; clear the cache",
            )
        self._prepare(need, row is None)
        at = self._append(Type.PUT, kind, key, payload, benefit)
        self.keep(Row(kind, key, at, len(payload), self.clock, benefit))

    def remove(self, kind: int, key: bytes) -> None:
        """The entry is no more; none, or one in quarantine: nothing happens."""
        row = self.rows.get((kind, key))
        if row is None or row.quarantined:
            return
        self._prepare(1, False)
        self._append(Type.DELETE, kind, key, b"", 0)
        self.rows.pop((kind, key), None)

    def quarantine(self, kind: int, key: bytes) -> None:
        """The entry is no more, nor may it come back before clear(); until the next boot also when
        that cannot be written."""
        row = self.rows.get((kind, key))
        if row and row.quarantined and row.lba:
            return
        self.keep(Row(kind, key, 0, 0, self.clock, 0, quarantined=True))
        self._prepare(1, False)
        at = self._append(Type.QUARANTINE, kind, key, b"", 0)
        self.keep(Row(kind, key, at, 0, self.clock, 0, quarantined=True))

    def note(self, kind: int, key: bytes, benefit: int) -> None:
        """What the entry has been found to be worth; sync() writes it."""
        row = self.rows.get((kind, key))
        if row and not row.quarantined and row.benefit != benefit:
            row.benefit, row.dirty = benefit, True

    def sync(self) -> None:
        """Writes last uses and benefits that have changed, in one record. Where there is no room
        for it they stay in memory: the next change of arenas writes them."""
        rows = sorted((r for r in self.rows.values() if r.dirty), key=lambda r: r.lba)
        payload = b"".join(TOUCH.pack(r.lba, r.last_use, r.benefit) for r in rows)
        need = 1 + payload_sectors(len(payload))
        if not rows or self.read_only or self.broken or not self._room(self.chain, need):
            return
        if not self._within(self._cost(need)):
            return
        self._open()
        self._append(Type.TOUCH, 0, bytes(KEY_SIZE), payload, 0)
        for row in rows:
            row.dirty = False

    def clear(self) -> None:
        """Forgets all entries, those in quarantine too; an error of reading ends with that."""
        before = self.read_only
        if before == "read error":
            self.read_only = ""
        try:
            self._must_write(self._cost(0) + SWITCHING)
        except FluidError:
            self.read_only = before
            raise
        self._open()
        self._change_arenas([])

    def _must_write(self, sectors: int) -> None:
        if self.read_only:
            raise FluidError(
                "E-CACHE-05",
                f"a cache that can be written expected, found it read-only ({self.read_only}); "
                "check the disk and restart",
            )
        if not self._within(sectors):
            raise FluidError(
                "E-CACHE-07",
                f"at most {self.write_limit} bytes a boot expected, found {self.written} written "
                f"and {sectors * SECTOR} more wanted; restart",
            )

    def _cost(self, need: int) -> int:
        return need + 1 + (0 if self.opened else OPENING)

    def _within(self, sectors: int) -> bool:
        return self.written + sectors * SECTOR <= self.write_limit

    def _room(self, chain: Chain, need: int) -> bool:
        return need <= self.geometry.end(chain.arena) - chain.at

    def _prepare(self, need: int, grows: bool) -> None:
        """Room for a record of so many sectors, or a refusal before anything is written."""
        full = self.broken or not self._room(self.chain, need)
        full = full or (grows and len(self.rows) >= ENTRIES_MAX)
        plan = self._plan() if full else []
        moved = sum(row.sectors() for row in plan) + SWITCHING if full else 0
        self._must_write(self._cost(need) + moved)
        self._open()
        if full:
            self._change_arenas(plan)

    def _open(self) -> None:
        """Before the first record of a boot: two superblocks that tell of this chain."""
        if self.opened:
            return
        if self.chain.life == 0:
            self._write(self.chain.at, ZERO_SECTOR)
            self._flush()
            chain = replace(self.chain, epoch=self.random(), life=self.generation + 1)
            self._switch(chain)
            self.chain = chain
        for slot, s in enumerate(self.slots):
            if s is None or (s.epoch, s.life) != (self.chain.epoch, self.chain.life):
                self._write_superblock(slot, self.chain)
        self.opened = True
        self.why_empty = ""

    def _write_superblock(self, slot: int, chain: Chain) -> None:
        self.generation += 1
        fields = (chain.arena, self.generation, chain.epoch, chain.life, self.geometry.sectors)
        s = Superblock(*fields, SUPERBLOCKS[slot])
        self._write(SUPERBLOCKS[slot], pack_superblock(s))
        self._flush()
        self.slots[slot] = s

    def _switch(self, chain: Chain) -> None:
        """To a chain that is on the medium. The newest superblock is written over last."""
        first, second = self.slots
        older = 1 if first and (not second or second.generation < first.generation) else 0
        self._write_superblock(older, chain)
        self._write_superblock(1 - older, chain)

    def _append(self, kind_of: Type, kind: int, key: bytes, payload: bytes, benefit: int) -> int:
        """Writes a record and flushes; returns where it is."""
        at, data = self.chain.at, padded(payload)
        row = Row(kind, key, at, len(payload), self.clock, benefit)
        header = _header(kind_of, row, self.chain, sha256(data))
        end = ZERO_SECTOR if self._room(self.chain, row.sectors() + 1) else b""
        self._write(at, header + data + end)
        self._flush()
        self.chain.at, self.chain.link = at + row.sectors(), link_to(header)
        self.damaged_end = False
        return at

    def _heat(self, row: Row) -> tuple[bool, int, int, int]:
        boots = self.clock - min(row.last_use, self.clock)
        heat = row.benefit >> min(boots // HEAT_BOOTS, 63)
        return not row.quarantined, -heat, -row.last_use, row.lba

    def _plan(self) -> list[Row]:
        """What the other arena gets, hottest first: at most half of it, and of the table."""
        plan: list[Row] = []
        room = self.geometry.arena_sectors - self.geometry.record_max()
        used = 0
        for row in sorted(self.rows.values(), key=self._heat):
            limit = room // 2 if row.quarantined else room
            if used + row.sectors() <= limit and len(plan) < ENTRIES_MAX // 2:
                plan.append(row)
                used += row.sectors()
        return plan

    def _change_arenas(self, plan: list[Row]) -> None:
        """Copies, flushes, then switches; nothing has changed before the switch is on the medium.
        What is damaged stays behind."""
        arena = 1 - self.chain.arena
        chain = Chain(arena, self.random(), self.generation + 1, self.geometry.start(arena))
        kept: dict[Name, Row] = {}
        for row in plan:
            moved = self._move(row, chain)
            if moved:
                kept[row.kind, row.key] = moved
            else:
                self.rejected += 1
        if self._room(chain, 1):
            self._write(chain.at, ZERO_SECTOR)
        self._flush()
        with self._after_first_superblock(chain, kept):
            self._switch(chain)
        self.damaged_end = False
        self.compactions += 1

    @contextmanager
    def _after_first_superblock(self, chain: Chain, kept: dict[Name, Row]) -> Iterator[None]:
        """Once one superblock tells of the new chain, it is the one in use, whatever follows."""
        try:
            yield
        finally:
            if any(s and (s.epoch, s.life) == (chain.epoch, chain.life) for s in self.slots):
                live = [sum(not r.quarantined for r in t.values()) for t in (self.rows, kept)]
                self.evicted += live[0] - live[1]
                self.chain, self.rows, self.broken = chain, kept, False

    def _move(self, row: Row, chain: Chain) -> Row | None:
        """Copies an entry to the end of a chain; returns its new row, None when it is damaged. The
        header is written behind the payload."""
        kind_of, digest = Type.QUARANTINE, sha256(b"")
        if not row.quarantined:
            kind_of = Type.PUT
            source = self.source(row)
            data = self.read(row.lba + 1, payload_sectors(row.size)) if source else None
            if source is None or data is None:
                return None
            self._write(chain.at + 1, data)
            digest = source.payload_sha256
            if sha256(data) != digest:
                return None
        moved = replace(row, lba=chain.at, dirty=False)
        header = _header(kind_of, moved, chain, digest)
        self._write(chain.at, header)
        chain.at, chain.link = chain.at + row.sectors(), link_to(header)
        return moved

    def _write(self, lba: int, data: bytes) -> None:
        self.written += len(data)
        try:
            self.disk.write(lba, data)
        except DiskFault:
            self.read_only = "write error"
            raise

    def _flush(self) -> None:
        try:
            self.disk.flush()
        except DiskFault:
            self.read_only = "write error"
            raise


def _header(kind_of: Type, row: Row, chain: Chain, digest: bytes) -> bytes:
    return pack_record(
        Record(
            version_major=VERSION_MAJOR,
            version_minor=VERSION_MINOR,
            type=kind_of,
            kind=row.kind,
            payload_size=row.size,
            lba=chain.at,
            epoch=chain.epoch,
            life=chain.life,
            last_use=row.last_use,
            benefit=row.benefit,
            link=chain.link,
            key=row.key,
            payload_sha256=digest,
        )
    )
