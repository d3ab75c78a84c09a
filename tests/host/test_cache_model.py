"""The model of the cache under power cuts, and proof that these would find a log that is wrong."""

from __future__ import annotations

import pytest

from cache_crash import campaign
from fluid import cachelog
from fluid.cachefile import Cache
from fluid.cachelayout import (
    RECORD,
    RECORD_MAGIC,
    SHA_SIZE,
    Record,
    Superblock,
    Type,
    payload_sectors,
    sha256,
    unpack_superblock,
)
from fluid.cachelog import Chain, Row


@pytest.mark.parametrize("seed", range(4))
def test_power_cuts(seed: int) -> None:
    assert campaign(Cache, seed, 1000) >= 1000


@pytest.mark.full
@pytest.mark.parametrize("seed", range(100, 110))
def test_many_power_cuts(seed: int) -> None:
    assert campaign(Cache, seed, 10_000) >= 10_000


class NoFlush(Cache):
    """Acknowledges a record that is not on the medium."""

    def _append(self, kind_of: Type, kind: int, key: bytes, payload: bytes, benefit: int) -> int:
        self._flush = lambda: None  # type: ignore[method-assign]
        try:
            return super()._append(kind_of, kind, key, payload, benefit)
        finally:
            del self._flush


class LateFlush(NoFlush):
    """Flushes a record before the next one is written."""

    def _prepare(self, need: int, grows: bool) -> None:
        self._flush()
        super()._prepare(need, grows)


class SwitchesTooEarly(Cache):
    """Does not flush what it has copied before a superblock tells of it."""

    def _change_arenas(self, plan: list[Row]) -> None:
        once = iter([lambda: None])
        self._flush = lambda: next(once, super(SwitchesTooEarly, self)._flush)()  # type: ignore[method-assign]
        try:
            super()._change_arenas(plan)
        finally:
            del self._flush


class OneSuperblock(Cache):
    """Writes over the superblock that is in use."""

    def _switch(self, chain: Chain) -> None:
        for _ in range(2):
            self._write_superblock(0, chain)


class AnyLife(Cache):
    """Takes records of an arena's earlier life."""

    def _follows(self, r: Record, at: int, room: int, link: bytes) -> bool:
        return r.lba == at


class AnyPayload(Cache):
    """Does not look whether the last record is whole."""

    def payload(self, record: Record) -> bytes | None:
        data = self.read(record.lba + 1, payload_sectors(record.payload_size))
        return data and data[: record.payload_size]


class InPlace(Cache):
    """Writes each record where the arena begins."""

    def _append(self, kind_of: Type, kind: int, key: bytes, payload: bytes, benefit: int) -> int:
        self.chain.at, self.chain.link = self.geometry.start(self.chain.arena), bytes(16)
        return super()._append(kind_of, kind, key, payload, benefit)


@pytest.mark.parametrize(
    "wrong",
    [NoFlush, LateFlush, SwitchesTooEarly, OneSuperblock, AnyLife, AnyPayload, InPlace],
)
def test_a_wrong_log_is_found(wrong: type[Cache]) -> None:
    with pytest.raises(AssertionError):
        campaign(wrong, 1, 20_000)


def unchecked_record(sector: bytes) -> Record | None:
    magic, *fields, _, _ = RECORD.unpack(sector)
    return Record(*fields) if magic == RECORD_MAGIC else None


def unchecked_superblock(sector: bytes) -> Superblock | None:
    return unpack_superblock(sector[:-SHA_SIZE] + sha256(sector[:-SHA_SIZE]))


def test_superblocks_without_checksum_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cachelog, "unpack_superblock", unchecked_superblock)
    with pytest.raises(AssertionError):
        campaign(Cache, 1, 20_000)


def test_records_without_checksums_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A torn header alone is noticed by the payload's checksum, too; a flipped bit is not:
    test_cache_damage.py."""
    monkeypatch.setattr(cachelog, "unpack_record", unchecked_record)
    with pytest.raises(AssertionError):
        campaign(AnyPayload, 1, 20_000)
