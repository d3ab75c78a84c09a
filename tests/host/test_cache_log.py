"""What the cache does with full arenas, failing disks and damage; the kernel's and its model."""

from __future__ import annotations

import random

import pytest

from cache_crash import key
from cache_driver import SECTORS, CacheHost, Make, blank, refused
from fluid.cachelayout import (
    ARENA_LBA,
    ENTRIES_MAX,
    QUARANTINE_MAX,
    SECTOR,
    SUPERBLOCKS,
    geometry,
)
from fluid.cachelog import Findings
from fluid.errors import FluidError

ARENA = 40  # sectors


def test_an_entry_stays(make: Make) -> None:
    with make(blank()) as cache:
        cache.mount()
        assert cache.state()["why_empty"] == "blank" and cache.state()["written"] == 0
        refused("E-CACHE-09", cache.get, 1, key(1))
        cache.put(1, key(1), b"one", 5)
        cache.put(2, key(1), b"other kind", 5)
        cache.put(1, key(1), b"one again", 6)
        for _ in range(2):
            assert cache.get(1, key(1)) == b"one again"
            assert cache.get(2, key(1)) == b"other kind"
            assert cache.rows()[1, key(1)].benefit == 6
            assert cache.verify() == Findings(3)
            cache.mount(1)
        cache.remove(1, key(1))
        cache.mount(2)
        refused("E-CACHE-09", cache.get, 1, key(1))
        assert list(cache.rows()) == [(2, key(1))]


def test_sizes_that_are_not_possible(make: Make) -> None:
    most = (ARENA // 2 - 1) * SECTOR
    with make(blank()) as cache:
        cache.mount()
        refused("E-CACHE-06", cache.put, 1, key(1), b"", 1)
        refused("E-CACHE-06", cache.put, 1, key(1), bytes(most + 1), 1)
        assert cache.state()["written"] == 0
        for number in range(5):
            cache.put(1, key(number), bytes([number]) * most, 1)
            assert cache.get(1, key(number)) == bytes([number]) * most


def test_a_buffer_that_is_too_small() -> None:
    with CacheHost(blank()) as cache:
        cache.mount()
        cache.put(1, key(1), b"four", 5)
        refused("E-CACHE-11", cache.ask, "get", 1, key(1).hex(), 1)
        assert cache.get(1, key(1)) == b"four"


def test_partition_that_is_too_small(make: Make) -> None:
    with make(blank(63)) as cache:
        refused("E-CACHE-02", cache.mount)


def test_uses_and_benefits_stay(make: Make) -> None:
    with make(blank()) as cache:
        for boot in range(1, 4):
            cache.mount(boot)
            assert cache.state()["clock"] == boot
            cache.put(1, key(boot), b"x", boot)
        cache.mount()
        cache.get(1, key(1))
        cache.note(1, key(2), 77)
        before = cache.state()["written"]
        cache.sync()
        assert cache.state()["written"] == 3 * SECTOR + int(before), "header, payload, zeros"
        cache.sync()
        assert cache.state()["written"] == 3 * SECTOR + int(before), "once is enough"
        cache.mount()
        found = {name[1]: (row.last_use, row.benefit) for name, row in cache.rows().items()}
        assert found == {key(1): (4, 1), key(2): (2, 77), key(3): (3, 3)}
        assert cache.state()["clock"] == 5


def test_quarantine_is_for_good(make: Make) -> None:
    with make(blank()) as cache:
        cache.mount()
        cache.put(1, key(1), b"crashes", 1 << 60)
        cache.quarantine(1, key(1))
        for round_ in range(60):
            refused("E-CACHE-08", cache.put, 1, key(1), b"again", 1)
            refused("E-CACHE-09", cache.get, 1, key(1))
            cache.put(1, key(2 + round_ % 5), bytes(1500), 1)
            cache.mount(round_)
        assert cache.rows()[1, key(1)].quarantined
        cache.clear()
        assert not cache.rows()
        cache.mount()
        cache.put(1, key(1), b"again", 1)
        assert cache.get(1, key(1)) == b"again"


def test_quarantine_takes_no_more_than_its_part(make: Make) -> None:
    with make(blank(1024)) as cache:
        cache.mount()
        cache.put(1, key(0), b"good", 1)
        for number in range(1, QUARANTINE_MAX + 9):
            cache.quarantine(1, key(number))
        cache.mount()
        rows = cache.rows()
        assert sum(row.quarantined for row in rows.values()) == QUARANTINE_MAX
        assert (1, key(QUARANTINE_MAX + 8)) in rows and (1, key(1)) not in rows
        assert cache.get(1, key(0)) == b"good"


def test_the_latest_stay_in_quarantine(make: Make) -> None:
    """Over several boots, with a change of arenas between them, which puts the latest first."""
    with make(blank(1024)) as cache:
        number = 0
        for _ in range(3):
            cache.mount()
            for _ in range(QUARANTINE_MAX // 2):
                number += 1
                cache.quarantine(1, key(number))
            for other in range(1000, 1120):  # fills the arena
                cache.put(1, key(other), bytes(2000), 1)
        assert int(cache.state()["compactions"]) > 0
        for _ in range(2):
            banned = {name[1] for name, row in cache.rows().items() if row.quarantined}
            assert banned == {key(n) for n in range(number - QUARANTINE_MAX + 1, number + 1)}
            cache.mount()


def test_nothing_is_lost_behind_a_damaged_header(make: Make) -> None:
    """Once a search for damage or a read has met it, the next record goes to the other arena."""
    for search in (True, False):
        with make(blank()) as cache:
            cache.mount()
            for number in range(3):
                cache.put(1, key(number), bytes([number]) * 9, 1)
            image = bytearray(cache.save())
            image[(ARENA_LBA + 2) * SECTOR + 40] ^= 1
            cache.load(bytes(image))
            if search:
                cache.verify()
            refused("E-CACHE-10", cache.get, 1, key(1))
            cache.put(1, key(3), b"after", 1)
            cache.mount()
            assert cache.get(1, key(3)) == b"after" and cache.get(1, key(2)) == bytes([2]) * 9
            assert cache.verify().sound()


def test_the_most_beneficial_stay(make: Make) -> None:
    """As long as half an arena holds them, nothing else pushes them out."""
    with make(blank()) as cache:
        cache.mount()
        for number in range(4):  # 4 x 4 of 20 sectors
            cache.put(1, key(number), bytes([number]) * 1500, 1000 + number)
        for number in range(100, 160):
            cache.put(1, key(number), bytes(700), number)
        assert int(cache.state()["compactions"]) > 5 and int(cache.state()["evicted"]) > 30
        for _ in range(2):
            for number in range(4):
                assert cache.get(1, key(number)) == bytes([number]) * 1500
            cache.mount()


def test_what_is_not_used_goes_in_the_end(make: Make) -> None:
    with make(blank()) as cache:
        cache.mount()
        cache.put(1, key(0), bytes(1500), 1000)
        cache.put(1, key(1), bytes(1500), 1000)
        for boot in range(60):
            cache.mount(boot)
            cache.get(1, key(1))
            for number in range(4):  # with the one in use 20 sectors, half an arena
                cache.put(1, key(100 + number), bytes(1500), 10)
            cache.sync()
        names = {name[1] for name in cache.rows()}
        assert key(1) in names and key(0) not in names


def test_fifty_fillings_stay_inside(make: Make) -> None:
    """cache_host looks that nothing before the partition is written; the disk ends with it."""
    rng = random.Random(7)
    last: dict[bytes, bytes] = {}
    with make(blank()) as cache:
        for boot in range(50):
            cache.mount(boot)
            for _ in range(12):  # more than half an arena each time
                name, data = key(rng.randrange(30)), rng.randbytes(rng.randrange(1, 3000))
                cache.put(1, name, data, rng.randrange(100))
                last[name] = data
            assert cache.verify().sound()
            for _, name in list(cache.rows()):
                assert cache.get(1, name) == last[name]
        image = cache.save()
        used = geometry(SECTORS)
        assert used and not any(image[SECTOR : SUPERBLOCKS[1] * SECTOR])
        assert not any(image[(SUPERBLOCKS[1] + 1) * SECTOR : ARENA_LBA * SECTOR])
        assert not any(image[used.end(1) * SECTOR :])


def test_a_full_table(make: Make) -> None:
    with make(blank(8192)) as cache:
        cache.mount(0, 1 << 30)
        for number in range(ENTRIES_MAX + 1):
            cache.put(1, key(number), b"x", number)
        assert cache.state()["compactions"] == 1
        rows = cache.rows()
        kept = {key(n) for n in range(ENTRIES_MAX // 2, ENTRIES_MAX + 1)}
        assert {name[1] for name in rows} == kept
        cache.mount()
        assert cache.rows().keys() == rows.keys()


@pytest.mark.parametrize("writes", [*range(8), 40])
def test_an_error_of_writing_ends_writing(make: Make, writes: int) -> None:
    """What was acknowledged stays readable, now and after the next start."""
    with make(blank()) as cache:
        cache.mount()
        cache.put(1, key(1), b"one", 1000)
        cache.put(1, key(2), bytes(1500), 1000)
        cache.mount()
        cache.fail(writes)
        code = ""
        last = -1
        for number in range(30):
            try:
                cache.put(1, key(3), bytes([number]) * 2000, 1)
                last = number
            except FluidError as error:
                code = code or error.code
        assert code == "E-DISK-05" and cache.state()["read_only"] == "write error"
        cache.fail()  # it would work again
        refused("E-CACHE-05", cache.put, 1, key(4), b"x", 1)
        refused("E-CACHE-05", cache.remove, 1, key(1))
        refused("E-CACHE-05", cache.clear)
        for _ in range(2):
            assert cache.get(1, key(1)) == b"one" and cache.get(1, key(2)) == bytes(1500)
            if last >= 0:
                assert cache.get(1, key(3)) in (bytes([last]) * 2000, bytes([last + 1]) * 2000)
            cache.mount()
        cache.put(1, key(4), b"x", 1)


def test_an_error_of_flushing_ends_writing(make: Make) -> None:
    with make(blank()) as cache:
        cache.mount()
        cache.put(1, key(1), b"one", 1)
        cache.fail(flush=True)
        refused("E-DISK-07", cache.put, 1, key(2), b"two", 1)
        cache.fail()
        refused("E-CACHE-09", cache.get, 1, key(2))
        refused("E-CACHE-05", cache.put, 1, key(2), b"two", 1)
        assert cache.get(1, key(1)) == b"one"


def test_a_quarantine_that_cannot_be_written_holds_until_the_end(make: Make) -> None:
    with make(blank()) as cache:
        cache.mount()
        cache.put(1, key(1), b"crashes", 1)
        cache.fail(0)
        refused("E-DISK-05", cache.quarantine, 1, key(1))
        refused("E-CACHE-09", cache.get, 1, key(1))
        cache.fail()
        refused("E-CACHE-05", cache.quarantine, 1, key(1))


def test_a_disk_that_cannot_be_written(make: Make) -> None:
    with make(blank()) as cache:
        cache.mount()
        cache.put(1, key(1), b"one", 1)
        image = cache.save()
        cache.writable(False)
        cache.mount()
        assert cache.get(1, key(1)) == b"one"
        cache.sync()
        refused("E-CACHE-05", cache.put, 1, key(2), b"two", 1)
        refused("E-CACHE-05", cache.clear)
        assert cache.save() == image


@pytest.mark.parametrize("lba", [*SUPERBLOCKS, ARENA_LBA, ARENA_LBA + 2, ARENA_LBA + 3])
def test_what_cannot_be_read_is_not_written_over(make: Make, lba: int) -> None:
    """clear() gives the partition up."""
    with make(blank()) as cache:
        cache.mount()
        cache.put(1, key(1), b"one", 1)
        cache.put(1, key(2), b"two", 1)
        cache.bad(lba, 1)
        cache.mount()
        refused("E-CACHE-05", cache.put, 1, key(3), b"three", 1)
        cache.bad(0, 0)
        cache.mount()
        assert cache.get(1, key(1)) == b"one" and cache.get(1, key(2)) == b"two"
        cache.bad(lba, 1)
        cache.mount()
        cache.clear()
        cache.put(1, key(3), b"three", 1)
        assert cache.get(1, key(3)) == b"three"


def test_a_boot_writes_no_more_than_it_may(make: Make) -> None:
    limit = 64 * SECTOR
    with make(blank()) as cache:
        cache.mount(0, limit)
        code = ""
        for number in range(40):
            try:
                cache.put(1, key(number % 3), bytes(1000), 1)
            except FluidError as error:
                code = error.code
        assert code == "E-CACHE-07" and limit // 2 < int(cache.state()["written"]) <= limit
        with pytest.raises(FluidError, match="E-CACHE-07"):
            while True:
                cache.clear()
        assert cache.state()["read_only"] == "" and int(cache.state()["written"]) <= limit
        assert cache.verify().sound()
