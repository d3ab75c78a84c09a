"""What the cache does with damage; the kernel's and its model."""

from __future__ import annotations

import pytest

from cache_crash import key
from cache_driver import CacheHost, CacheModel, Make, blank, refused
from fluid.cachelayout import ARENA_LBA, SECTOR, SUPERBLOCKS, unpack_superblock
from fluid.cachelog import Findings


def destroy(image: bytes, *lbas: int) -> bytes:
    changed = bytearray(image)
    for lba in lbas:
        changed[lba * SECTOR] ^= 0xFF
    return bytes(changed)


@pytest.mark.parametrize("lba", SUPERBLOCKS)
def test_one_superblock_is_enough(make: Make, lba: int) -> None:
    with make(blank()) as cache:
        cache.mount()
        for number in range(9):
            cache.put(1, key(number), bytes(1500), number)
        names = cache.rows().keys()
        cache.load(destroy(cache.save(), lba))
        cache.mount()
        assert cache.rows().keys() == names
        assert cache.verify().bad_superblocks == 1
        cache.put(1, key(1), b"heals", 1)
        assert cache.verify().sound()


def test_without_superblocks_it_is_empty(make: Make) -> None:
    with make(blank()) as cache:
        cache.mount()
        cache.put(1, key(1), b"one", 1)
        cache.put(1, key(2), b"two", 1)
        cache.load(destroy(cache.save(), *SUPERBLOCKS))
        cache.mount(1)
        assert cache.state()["why_empty"] == "damaged" and not cache.rows()
        assert cache.verify().bad_superblocks == 2
        cache.put(1, key(3), b"3", 1)  # where the first record was; the second one is still there
        for _ in range(2):
            assert list(cache.rows()) == [(1, key(3))] and cache.verify() == Findings(1)
            cache.mount()


def test_records_behind_a_damaged_header_do_not_come_back(make: Make) -> None:
    """The new record has the damaged one's size: behind it old ones of the same life follow, whose
    zeros-to-be were not written."""
    with make(blank()) as cache:
        cache.mount()
        for number in range(4):
            cache.put(1, key(number), bytes([number]) * 900, 1)
        before = cache.save()
        cache.load(destroy(before, ARENA_LBA + 3))
        cache.mount()
        assert list(cache.rows()) == [(1, key(0))] and cache.verify().damaged_end
        cache.put(1, key(9), bytes([9]) * 900, 1)
        after = bytearray(cache.save())
        zeros = (ARENA_LBA + 6) * SECTOR
        assert not any(after[zeros : zeros + SECTOR])
        after[zeros : zeros + SECTOR] = before[zeros : zeros + SECTOR]
        cache.load(bytes(after))
        cache.mount()
        assert {name[1] for name in cache.rows()} == {key(0), key(9)}


def test_a_damaged_payload_is_dropped(make: Make) -> None:
    with make(blank()) as cache:
        cache.mount()
        cache.put(1, key(1), bytes(900), 1)
        cache.put(1, key(2), b"two", 1)
        cache.load(destroy(cache.save(), ARENA_LBA + 2))
        cache.mount()
        assert len(cache.rows()) == 2, "payloads are looked at when they are read"
        refused("E-CACHE-10", cache.get, 1, key(1))
        refused("E-CACHE-09", cache.get, 1, key(1))
        assert cache.get(1, key(2)) == b"two"
        cache.mount()
        assert cache.verify() == Findings(2, bad_records=1)
        assert list(cache.rows()) == [(1, key(2))]


USED = (*SUPERBLOCKS, *range(ARENA_LBA, ARENA_LBA + 12))  # by fill_small; the last one is zero


def fill_small(cache: CacheHost | CacheModel) -> bytes:
    """Two entries, a touch, a tombstone and one in quarantine."""
    cache.mount()
    cache.put(1, key(1), b"one", 1)
    cache.put(1, key(2), bytes(513), 1)
    cache.put(1, key(3), b"three", 1)
    cache.mount()
    cache.get(1, key(1))
    cache.sync()
    cache.remove(1, key(3))
    cache.quarantine(1, key(4))
    image = cache.save()
    assert not any(image[USED[-1] * SECTOR :]) and any(image[USED[-2] * SECTOR :])
    return image


def test_every_flipped_bit_is_noticed_by_the_kernel() -> None:
    """None of them makes an entry something that it never was."""
    with CacheHost(blank()) as cache:
        fill_small(cache)
        for lba in USED:
            assert cache.ask("flips", lba, 1)[0] == f"{SECTOR * 8} 0 0", lba


def test_every_flipped_bit_is_noticed_by_the_model() -> None:
    image = fill_small(CacheModel(blank()))
    entries = {(1, key(1)): b"one", (1, key(2)): bytes(513)}
    changed = bytearray(image)
    for bit in (lba * SECTOR * 8 + i for lba in USED for i in range(0, SECTOR * 8, 3)):
        changed[bit // 8] ^= 1 << bit % 8
        cache = CacheModel(bytes(changed))
        cache.mount()
        assert not cache.verify().sound(), bit
        for name, row in list(cache.rows().items()):
            assert row.quarantined or cache.get(*name) == entries.get(name, b"three")
        changed[bit // 8] ^= 1 << bit % 8


def test_generations_count_superblocks() -> None:
    image = fill_small(CacheModel(blank()))
    found = [unpack_superblock(image[lba * SECTOR :][:SECTOR]) for lba in SUPERBLOCKS]
    assert [s and s.generation for s in found] == [1, 2]
