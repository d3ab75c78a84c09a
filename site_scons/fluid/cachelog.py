"""The cache partition, mounted: which chain of records is in use, and what it holds.

E-CACHE-02 the partition is too small, 09 there is no such entry, 10 it is damaged.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from fluid.cachedisk import Disk, DiskFault
from fluid.cachelayout import (
    CLOCK_MAX,
    ENTRIES_MAX,
    NO_LINK,
    QUARANTINE_MAX,
    SECTORS_MIN,
    SUPERBLOCKS,
    TOUCH,
    TOUCH_BYTES_MAX,
    VERSION_MAJOR,
    VERSION_MINOR,
    ZERO_SECTOR,
    Record,
    Superblock,
    Type,
    geometry,
    link_to,
    payload_sectors,
    sha256,
    unpack_record,
    unpack_superblock,
    usable,
)
from fluid.errors import FluidError

Name = tuple[int, bytes]  # kind and key


@dataclass
class Row:
    """An entry. lba: of its record, 0: none is written; size: of the payload; dirty: last_use or
    benefit are not what the disk says."""

    kind: int
    key: bytes
    lba: int
    size: int
    last_use: int
    benefit: int
    quarantined: bool = False
    dirty: bool = False

    def sectors(self) -> int:
        return 1 + payload_sectors(self.size)


@dataclass
class Chain:
    """The records of one life of an arena; the next one goes to `at` and has `link`."""

    arena: int
    epoch: int
    life: int  # 0: none yet
    at: int
    link: bytes = NO_LINK


@dataclass(frozen=True)
class Findings:
    """What verify() saw: records of the chain, and what is wrong."""

    records: int = 0
    bad_superblocks: int = 0
    bad_records: int = 0
    damaged_end: bool = False

    def sound(self) -> bool:
        return not (self.bad_superblocks or self.bad_records or self.damaged_end)


class Log:
    """Reads a partition; writes nothing. why_empty: "", "blank", "damaged" or "version"; read_only:
    "", "disk", "read error" or "write error"."""

    def __init__(self, disk: Disk) -> None:
        found = geometry(disk.sectors)
        if found is None:
            raise FluidError(
                "E-CACHE-02",
                f"a cache partition of at least {SECTORS_MIN} sectors expected, found "
                f"{disk.sectors}; make a larger one",
            )
        self.disk = disk
        self.geometry = found
        self.rows: dict[Name, Row] = {}
        self.why_empty = ""
        self.read_only = "" if disk.writable else "disk"
        self.damaged_end = False
        self.broken = False  # a header before the last one is damaged: what follows would be lost
        self.skipped = self.rejected = 0
        self.generation = 0
        self.clock = 1
        self.slots, newest = self._superblocks()
        self.chain = Chain(0, 0, 0, found.start(0))
        if newest:
            self.generation = newest.generation
        if newest and newest.version_major != VERSION_MAJOR:
            self.why_empty = "version"
        elif newest:
            at = found.start(newest.arena)
            self.chain = Chain(newest.arena, newest.epoch, newest.life, at)
            self._scan()

    def read(self, lba: int, count: int) -> bytes | None:
        """None: the disk reports an error."""
        try:
            return self.disk.read(lba, count)
        except DiskFault:
            return None

    def _superblocks(self) -> tuple[list[Superblock | None], Superblock | None]:
        """Of each slot, if it is sound and ours; and the newest sound one of any version."""
        slots: list[Superblock | None] = [None, None]
        newest: Superblock | None = None
        self.why_empty = "blank"
        for slot, lba in enumerate(SUPERBLOCKS):
            sector = self.read(lba, 1)
            if sector is None:
                self.read_only = self.read_only or "read error"
            if sector != ZERO_SECTOR:
                self.why_empty = "damaged"
            s = unpack_superblock(sector) if sector else None
            if s is None:
                continue
            if s.version_major == VERSION_MAJOR:
                if not usable(s, lba, self.geometry.sectors):
                    continue
                slots[slot] = s
            if newest is None or s.generation > newest.generation:
                newest = s
        if newest:
            self.why_empty = ""
        return slots, newest

    def walk(self) -> Iterator[tuple[Record, bytes]]:
        """The chain's records, each with the link to it. Afterwards damaged_end says whether
        something else than zeros follows the last."""
        at, end = self.geometry.start(self.chain.arena), self.geometry.end(self.chain.arena)
        link = NO_LINK
        self.damaged_end = False
        while at < end:
            sector = self.read(at, 1)
            if sector is None:  # what may lie behind it must not be written over
                self.read_only = self.read_only or "read error"
            record = unpack_record(sector) if sector else None
            if not sector or not record or not self._follows(record, at, end - at, link):
                self.damaged_end = sector != ZERO_SECTOR
                return
            link = link_to(sector)
            yield record, link
            at += 1 + payload_sectors(record.payload_size)

    def _follows(self, r: Record, at: int, room: int, link: bytes) -> bool:
        return (
            r.version_major == VERSION_MAJOR
            and self.of_this_life(r, at)
            and r.link == link
            and 1 + payload_sectors(r.payload_size) <= room
        )

    def of_this_life(self, r: Record, lba: int) -> bool:
        return r.lba == lba and (r.epoch, r.life) == (self.chain.epoch, self.chain.life)

    def payload(self, record: Record) -> bytes | None:
        """None when it is not what was written."""
        data: bytes | None = b""
        if record.payload_size:
            data = self.read(record.lba + 1, payload_sectors(record.payload_size))
        if data is None or sha256(data) != record.payload_sha256:
            return None
        return data[: record.payload_size]

    def _scan(self) -> None:
        """Each record was flushed before the next was begun: only the last one's payload may be
        missing. Then it is as if that record were not there; the next one takes its place."""
        last: tuple[Record, bytes] | None = None
        for found in self.walk():
            if last:
                self._take(*last)
            last = found
        if last and self.payload(last[0]) is not None:
            self._take(*last)
        elif last:
            self.rejected += 1
            self.damaged_end = True
            if self.read(last[0].lba + 1, payload_sectors(last[0].payload_size)) is None:
                self.read_only = self.read_only or "read error"  # it may be whole
        self.clock = min(max([r.last_use for r in self.rows.values()], default=0) + 1, CLOCK_MAX)

    def _take(self, record: Record, link: bytes) -> None:
        self.chain.at = record.lba + 1 + payload_sectors(record.payload_size)
        self.chain.link = link
        name = record.kind, record.key
        row = self.rows.get(name)
        if record.version_minor > VERSION_MINOR or record.type not in list(Type):
            self.skipped += 1
        elif record.type == Type.TOUCH:
            self._take_touches(record)
        elif row and row.quarantined:
            return
        elif record.type == Type.DELETE:
            self.rows.pop(name, None)
        elif record.type == Type.QUARANTINE:
            self.keep(replace(_row(record), quarantined=True))
        elif record.payload_size:
            self.keep(_row(record))

    def _take_touches(self, record: Record) -> None:
        payload = self.payload(record) if record.payload_size <= TOUCH_BYTES_MAX else None
        if payload is None:
            self.rejected += 1
            return
        by_lba = {row.lba: row for row in self.rows.values() if not row.quarantined}
        whole = len(payload) // TOUCH.size * TOUCH.size
        for lba, last_use, benefit in TOUCH.iter_unpack(payload[:whole]):
            if lba in by_lba:
                by_lba[lba].last_use = min(last_use, CLOCK_MAX)
                by_lba[lba].benefit = benefit

    def keep(self, row: Row) -> None:
        """Into the table; where it is full, in place of the entry with the lowest LBA that is not
        in quarantine, and where the quarantine is, of its oldest."""
        self.rows.pop((row.kind, row.key), None)
        kept = [r for r in self.rows.values() if r.quarantined]
        if row.quarantined and len(kept) >= QUARANTINE_MAX:
            self.drop(min(kept, key=lambda r: (r.last_use, r.lba == 0, r.lba)))
        if len(self.rows) >= ENTRIES_MAX:
            others = (r for r in self.rows.values() if not r.quarantined)
            self.drop(min(others, key=lambda r: r.lba))
        self.rows[row.kind, row.key] = row

    def drop(self, row: Row) -> None:
        del self.rows[row.kind, row.key]

    def source(self, row: Row) -> Record | None:
        """The header of an entry's record; None when it is damaged."""
        sector = self.read(row.lba, 1)
        r = unpack_record(sector) if sector else None
        if r is None or not self.of_this_life(r, row.lba):
            return None
        same = (r.type, r.kind, r.key, r.payload_size) == (Type.PUT, row.kind, row.key, row.size)
        return r if same else None

    def get(self, kind: int, key: bytes) -> bytes:
        """The payload, checked; the entry counts as used in this boot."""
        row = self.rows.get((kind, key))
        if row is None or row.quarantined:
            raise FluidError("E-CACHE-09", "an entry of this key expected, none found; make it")
        record = self.source(row)
        payload = self.payload(record) if record else None
        self.broken |= record is None
        if payload is None:
            self.rejected += 1
            self.drop(row)
            raise FluidError(
                "E-CACHE-10",
                f"the entry at sector {row.lba} expected as it was written, found damaged; it is "
                "dropped, make it again",
            )
        if row.last_use != self.clock:
            row.last_use, row.dirty = self.clock, True
        return payload

    def verify(self) -> Findings:
        """Reads everything of the chain again, superseded records too; drops damaged entries."""
        why_empty = self.why_empty
        slots, _ = self._superblocks()
        self.why_empty = why_empty
        if self.chain.life == 0:
            return Findings(bad_superblocks=2 if why_empty == "damaged" else 0)
        good = [s for s in slots if s and (s.epoch, s.life) == (self.chain.epoch, self.chain.life)]
        records = bad = 0
        end = self.geometry.start(self.chain.arena)
        for record, _ in self.walk():
            records += 1
            end = record.lba + 1 + payload_sectors(record.payload_size)
            if self.payload(record) is None:
                bad += 1
                lba = record.lba
                at = [r for r in self.rows.values() if r.lba == lba and not r.quarantined]
                for row in at:
                    self.drop(row)
        self.broken |= end < self.chain.at
        return Findings(records, len(SUPERBLOCKS) - len(good), bad, self.damaged_end)


def _row(r: Record) -> Row:
    use = min(r.last_use, CLOCK_MAX)
    return Row(r.kind, r.key, r.lba, r.payload_size, use, r.benefit)
