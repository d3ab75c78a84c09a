"""Caches of other versions, and such as nobody of good will has written."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from cache_crash import key
from cache_driver import CacheHost, CacheModel, Make
from cache_golden import EPOCH, SECTORS, all_images, load, record, versions
from fluid.cachelayout import (
    ARENA_LBA,
    CLOCK_MAX,
    GENERATION_MAX,
    NO_LINK,
    SECTOR,
    SUPERBLOCKS,
    TOUCH,
    Record,
    Superblock,
    Type,
    link_to,
    pack_record,
    pack_superblock,
    padded,
    sha256,
    unpack_record,
)
from fluid.cachelog import Findings
from fluid.errors import FluidError


@pytest.mark.parametrize("version", all_images())
def test_images_are_what_the_script_makes(version: str) -> None:
    """A change of the layout without a new version would show here."""
    assert load(version) == all_images()[version]


def test_our_version(make: Make) -> None:
    with make(load("1.0")) as cache:
        cache.mount()
        assert cache.verify() == Findings(5)
        rows = cache.rows()
        assert sorted(name[0] for name in rows) == [1, 2, 3]
        assert rows[3, key(3)].quarantined and rows[2, key(2)].benefit == 99
        assert cache.get(1, key(1)) == bytes(range(1, 200))
        assert cache.get(2, key(2)) == bytes(range(2, 200))


def test_records_of_a_later_minor_version_are_skipped(make: Make) -> None:
    """And what is put then stands behind them."""
    with make(load("1.1")) as cache:
        cache.mount()
        assert {name[1] for name in cache.rows()} == {key(1), key(3), key(6)}
        assert cache.state()["skipped"] == 3 and cache.verify() == Findings(6)
        assert cache.get(1, key(6)) == bytes([6]) * 600
        cache.put(1, key(7), b"seven", 1)
        cache.mount()
        assert cache.get(1, key(7)) == b"seven" and cache.state()["skipped"] == 3


def test_another_major_version_counts_as_empty(make: Make) -> None:
    with make(load("2.0")) as cache:
        cache.mount()
        assert cache.state()["why_empty"] == "version" and not cache.rows()
        assert cache.save() == load("2.0"), "nothing is written before there is something to keep"
        cache.put(1, key(7), b"seven", 1)
        cache.mount()
        assert list(cache.rows()) == [(1, key(7))] and cache.verify() == Findings(1)


@pytest.mark.parametrize("slot", [0, 1])
def test_the_newest_superblock_tells_the_version(make: Make, slot: int) -> None:
    image = bytearray(load("1.0"))
    lba = SUPERBLOCKS[slot]
    for generation, why in ((0, ""), (9, "version")):
        s = Superblock(0, generation, 1, 1, SECTORS, lba, version_major=2)
        image[lba * SECTOR : (lba + 1) * SECTOR] = pack_superblock(s)
        with make(bytes(image)) as cache:
            cache.mount()
            assert cache.state()["why_empty"] == why


def test_versions_that_are_written(make: Make) -> None:
    with make(load("1.1")) as cache:
        cache.mount()
        cache.put(1, key(7), b"seven", 1)
        at = cache.rows()[1, key(7)].lba
        header = unpack_record(cache.save()[at * SECTOR :][:SECTOR])
        assert header and (header.version_major, header.version_minor) == (1, 0)


def with_superblocks(image: bytes, **fields: int) -> bytes:
    """Both changed, with right checksums."""
    changed = bytearray(image)
    for generation, lba in enumerate(SUPERBLOCKS, 1):
        s = replace(Superblock(0, generation, EPOCH, 1, SECTORS, lba), **fields)
        changed[lba * SECTOR : (lba + 1) * SECTOR] = pack_superblock(s)
    return bytes(changed)


@pytest.mark.parametrize(
    "fields",
    [
        {"arena": 2},
        {"arena": 0xFFFFFFFF},
        {"sectors": 63},
        {"sectors": 1 << 63},
        {"lba": 1},
        {"life": 0},
        {"life": 3},
        {"generation": GENERATION_MAX + 1},
        {"generation": (1 << 64) - 1},
        {"generation": 0},
    ],
    ids=str,
)
def test_superblocks_that_are_not_possible(make: Make, fields: dict[str, int]) -> None:
    with make(with_superblocks(load("1.0"), **fields)) as cache:
        cache.mount()
        assert cache.state()["why_empty"] == "damaged" and not cache.rows()
        cache.put(1, key(7), b"seven", 1)
        cache.mount()
        assert list(cache.rows()) == [(1, key(7))] and cache.verify() == Findings(1)


@pytest.mark.parametrize("generation", [GENERATION_MAX, GENERATION_MAX - 1])
def test_generations_that_end(make: Make, generation: int) -> None:
    """Two boots later at most, the cache works again."""
    with make(with_superblocks(load("1.0"), generation=generation)) as cache:
        for boot in range(3):
            cache.mount(boot)
            for number in range(10, 30):
                cache.put(1, key(number), bytes(2000), 1)
        cache.mount()
        assert cache.rows() and cache.verify().sound()


HOSTILE: dict[str, dict[str, int | bytes]] = {
    "size": {"payload_size": 0xFFFFFFFF},
    "size_of_the_arena": {"payload_size": 24 * SECTOR},
    "size_wraps": {"payload_size": 0xFFFFFE01},
    "lba": {"lba": ARENA_LBA + 1},
    "lba_wraps": {"lba": (1 << 32) + ARENA_LBA},
    "epoch": {"epoch": EPOCH + 1},
    "life": {"life": 2},
    "link": {"link": bytes([1]) * 16},
    "major": {"version_major": 2},
}


def hostile_image(number: int, fields: dict[str, int | bytes]) -> bytes:
    """Records 1 and 2, of which one is changed and has the right checksum."""
    at, link = ARENA_LBA, NO_LINK
    image = bytearray(versions(1, 0, []))
    for this in (1, 2):
        data = record(at, link, this)
        if this == number:
            header = unpack_record(data[:SECTOR])
            assert header
            data = pack_record(replace(header, **fields)) + data[SECTOR:]  # type: ignore[arg-type]
        image[at * SECTOR : at * SECTOR + len(data)] = data
        at, link = at + len(data) // SECTOR, link_to(data[:SECTOR])
    return bytes(image)


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_record_that_does_not_belong_ends_the_chain(make: Make, name: str, number: int) -> None:
    with make(hostile_image(number, HOSTILE[name])) as cache:
        cache.mount()
        assert [name[1] for name in cache.rows()] == [key(1)][: number - 1]
        assert cache.verify().damaged_end
        cache.put(1, key(7), b"seven", 1)
        cache.mount()
        assert cache.get(1, key(7)) == b"seven" and cache.verify().sound()


def test_clocks_do_not_wrap(make: Make) -> None:
    with make(hostile_image(2, {"last_use": (1 << 64) - 1, "benefit": (1 << 64) - 1})) as cache:
        cache.mount()
        assert cache.state()["clock"] == CLOCK_MAX
        cache.put(1, key(7), bytes(2000), 1)
        for number in range(20):
            cache.put(1, key(10 + number), bytes(2000), 1)
        assert (1, key(2)) in cache.rows()
        cache.mount()
        assert (1, key(2)) in cache.rows()


def chain(records: list[tuple[Record, bytes]]) -> bytes:
    """An image with these records, as far as they fit; place, life and links are put right."""
    image = bytearray(versions(1, 0, []))
    at, link = ARENA_LBA, NO_LINK
    for r, payload in records:
        data = padded(payload)
        header = pack_record(replace(r, lba=at, link=link))
        if at + 1 + len(data) // SECTOR > ARENA_LBA + 24:
            break
        image[at * SECTOR : (at + 1) * SECTOR + len(data)] = header + data
        at, link = at + 1 + len(data) // SECTOR, link_to(header)
    return bytes(image)


def some_record(rng: random.Random) -> tuple[Record, bytes]:
    big = rng.choice((0, 1, 2, (1 << 32) - 1, 1 << 48, (1 << 64) - 1))
    kind_of = rng.choice((*Type, *Type, *Type, 0, 5, 0xFFFF))
    payload = rng.randbytes(rng.choice((0, 1, 24, 30, 48, 511, 512, 1200)))
    if kind_of == Type.TOUCH:
        lbas = (ARENA_LBA, ARENA_LBA + rng.randrange(9), big, (1 << 32) + ARENA_LBA)
        payload = b"".join(TOUCH.pack(lba, big, rng.randrange(99)) for lba in lbas) + payload[:30]
    digest = sha256(padded(payload)) if rng.random() < 0.9 else bytes(32)
    minor = rng.choice((0, 0, 0, 0, 1, 0xFFFF))
    r = Record(
        *(1, minor, kind_of, rng.randrange(3), len(payload), 0, EPOCH, 1),
        *(big, rng.choice((big, 7)), NO_LINK, key(rng.randrange(4)), digest),
    )
    return r, payload


@pytest.mark.parametrize("seed", range(40))
def test_kernel_and_model_take_anything_alike(seed: int) -> None:
    """Chains of records that are sound as such and make little sense."""
    rng = random.Random(seed)
    image = chain([some_record(rng) for _ in range(20)])
    with CacheHost(image) as kernel:
        model = CacheModel(image)
        for boot in range(3):
            for cache in (kernel, model):
                cache.mount(boot)
            assert kernel.rows() == model.rows() and kernel.state() == model.state()
            assert kernel.verify() == model.verify()
            for number in range(4):
                results = []
                for cache in (kernel, model):
                    try:
                        cache.put(1, key(number), bytes(1000), 5)
                        results.append(cache.get(1, key(number)))
                    except FluidError as error:
                        results.append(error.code.encode())
                assert results[0] == results[1]
        assert kernel.save() == model.save()
