"""The kernel's cache and its model: the same operations write the same sectors in the same order,
and the same key comes out of the same fields."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from cache_crash import FLUSH, RecordingDisk, key, payload
from cache_driver import CacheHost, SplitMix
from fluid.cachefile import Cache
from fluid.cachekey import KeyFields, cache_key
from fluid.cachelayout import SECTOR
from fluid.errors import FluidError

FIELDS = KeyFields(
    kernel_abi=7,
    cpu_mask=0x0123456789ABCDEF,
    xcr0=0xE7,
    toolchain="clang 19.1.7 (LLVM)",
    flags="-O2 -mavx2 ünïcode",
    bitcode=bytes(range(32)),
    plan='{"level":"O2"}',
    rows=576,
    cols=1536,
    quant="q4_1",
)
CHANGED = {
    "kernel_abi": 8,
    "cpu_mask": 0x0123456789ABCDEE,
    "xcr0": 0x07,
    "toolchain": "",
    "flags": "-O2 -mavx2 ünïcod",
    "bitcode": bytes(32),
    "plan": "",
    "rows": 1536,
    "cols": 576,
    "quant": "q8_0",
}


def same(host: CacheHost, model: Cache) -> None:
    assert host.rows() == model.rows
    assert host.state() == {
        name: getattr(model, name)
        for name in (
            *("why_empty", "read_only", "skipped", "rejected", "evicted", "compactions", "clock"),
            "written",
        )
    }


def both(host: CacheHost, model: Cache, operation: str, *arguments: object) -> None:
    """The same result, or the same code."""
    results: list[object] = []
    for one in (host, model):
        try:
            results.append(getattr(one, operation)(*arguments))
        except FluidError as error:
            results.append(error.code)
    assert results[0] == results[1], operation


def some(host: CacheHost, model: Cache, rng: random.Random) -> None:
    name = 1 + rng.randrange(3), key(rng.randrange(12))
    roll = rng.randrange(20)
    if roll < 10:
        data = b"" if rng.randrange(30) == 0 else payload(rng) * rng.choice((1, 1, 1, 7, 30))
        both(host, model, "put", *name, data, rng.randrange(1 << rng.choice((3, 20, 63))))
    elif roll < 14:
        both(host, model, "get", *name)
    elif roll < 15:
        both(host, model, "remove", *name)
    elif roll < 16:
        both(host, model, "note", *name, rng.randrange(1000))
    elif roll < 18:
        both(host, model, "sync")
    elif roll < 19:
        both(host, model, "verify")
    elif rng.randrange(3):
        both(host, model, "quarantine", *name)
    else:
        both(host, model, "clear")


@pytest.mark.parametrize("sectors", [64, 65, 96, 500, 4096])
def test_the_same_bytes_in_the_same_order(sectors: int) -> None:
    rng = random.Random(sectors)
    changes = 0
    disk = RecordingDisk(bytes(sectors * SECTOR))
    with CacheHost(bytes(disk.data)) as host:
        for boot in range(12):
            limit = rng.choice((1 << 14, 1 << 17, 1 << 30))
            model = Cache(disk, SplitMix(boot), limit)
            host.mount(boot, limit)
            same(host, model)
            for _ in range(rng.randrange(40)):
                some(host, model, rng)
                same(host, model)
            assert host.events() == disk.events
            assert FLUSH in disk.events or not disk.events
            disk.events.clear()
            changes += model.compactions
        assert host.save() == bytes(disk.data)
    assert changes > 2, "arenas hardly ever change"


@pytest.mark.parametrize("field", ["", *CHANGED])
def test_keys(field: str) -> None:
    """The same key in C and Python; another one when any field changes."""
    fields = replace(FIELDS, **({field: CHANGED[field]} if field else {}))  # type: ignore[arg-type]
    with CacheHost(bytes(64 * SECTOR)) as host:
        assert host.key(fields) == cache_key(fields)
    assert (cache_key(fields) == cache_key(FIELDS)) == (field == "")


def test_keys_keep_fields_apart() -> None:
    moved = replace(FIELDS, toolchain=FIELDS.toolchain + FIELDS.flags[0], flags=FIELDS.flags[1:])
    assert cache_key(moved) != cache_key(FIELDS)


def test_a_key_that_does_not_change() -> None:
    """What is in caches already must be found by later builds."""
    expected = "9a54d9eafe583b216d605c43af227a69e50f4e116f97f4ff599f4db2edb8c80d"
    assert cache_key(FIELDS).hex() == expected
