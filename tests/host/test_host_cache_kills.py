"""fluid-host is killed while it keeps what it has made; one cache goes from model to model."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from cache_images import cache_of
from fluid import modfile
from fluid.cache_image import partition, read
from fluid.cachefile import Cache
from fluid.cachelayout import HEAT_BOOTS, SECTOR
from fluid.cachelog import Row as Entry
from fluid.event_types import Cache as CacheEvent
from fluid.event_types import Done, Event, Prompt
from guests import BOOT_SECONDS
from host_machine import SECONDS, Hosts
from jit_modules import NAMES, ahead_module
from models import make_tiny
from tier_faults import Row, fake_compiler, response
from tier_images import TARGET, TEXT, modules, run, slow, tier_image
from tier_keys import KIND

FRESH = 10  # kills until the cache begins empty again
COMPLETIONS = 80  # on a fast machine few of them decide about anything
SLOW = ("tensor_act", "tensor_q8_0", "tensor_norm", "tensor_rope")
WRITABLE = ("--writable",)


def quick_compiler(folder: Path) -> Path:
    """Answers at once, with the build's own code."""
    rows = []
    for name in NAMES:
        module = ahead_module(name, TARGET, TARGET)
        for export in module.exports:
            mod = modfile.pack(replace(module, exports=[export]))
            rows.append(Row(export.name, answer=response(mod)))
    return fake_compiler(folder, rows)


def put_keys(host_events: Sequence[Event]) -> list[bytes]:
    puts = [e for e in host_events if isinstance(e, CacheEvent) and e.op == "put" and e.key]
    return [bytes.fromhex(e.key) for e in puts if e.key]


def killed(machines: Hosts, image: Path, rng: random.Random) -> list[bytes]:
    """Keys that it said it had put before it was killed, at some moment around a put."""
    host = machines.start(image, extra=WRITABLE)
    host.wait_for(Prompt, BOOT_SECONDS)
    for _ in range(COMPLETIONS):
        host.send_line(f"/complete 900 {TEXT}")
    puts, left = rng.randrange(4), COMPLETIONS
    while puts and left:  # there may be no more to decide
        event = host.read_event(SECONDS)
        puts -= event.ev == CacheEvent.ev
        left -= event.ev == Done.ev
    time.sleep(rng.random() / 20)
    host.kill()
    return put_keys(host.events)


def check(image: Path, keys: list[bytes]) -> None:
    cache = cache_of(image)
    assert cache.why_empty == "" or not keys
    found = cache.verify()
    assert found.bad_superblocks == 0 and found.bad_records == 0
    for key in keys:
        assert cache.get(KIND, key), key.hex()


@pytest.mark.parametrize("kills", [20, pytest.param(1000, marks=pytest.mark.full)])
def test_kills_lose_nothing(machines: Hosts, tmp_path: Path, kills: int) -> None:
    """What was said to be put is there, whatever came next; the next start goes on from it."""
    model = make_tiny(tmp_path / "tiny.gguf", quant="Q8_0", tokenizer="bpe", ctx=1024)
    parts = modules([slow(tmp_path, name) for name in SLOW])
    fresh = tier_image(tmp_path, model, parts, quick_compiler(tmp_path), label="fresh")
    image, rng, put, total = tmp_path / "killed.img", random.Random(8), list[bytes](), 0
    for number in range(kills):
        if number % FRESH == 0:
            shutil.copyfile(fresh, image)
            put = []
        made = killed(machines, image, rng)
        total += len(made)
        put += made
        check(image, put)
    assert total >= kills


def heat(cache: Cache, row: Entry) -> int:
    """docs/cache.md, rule 6."""
    return row.benefit >> min((cache.clock - row.last_use) // HEAT_BOOTS, 63)


MODELS = [(64 + 32 * (n % 7), 64 + 32 * n) for n in range(50)]  # dim, ffn


@pytest.mark.parametrize("count", [4, pytest.param(50, marks=pytest.mark.full)])
def test_many_models_share_a_cache(machines: Hosts, tmp_path: Path, count: int) -> None:
    """One after the other, of other shapes: the partition is never left, and what is worth most
    stays."""
    parts = modules([slow(tmp_path, name) for name in SLOW])
    compiler = quick_compiler(tmp_path)
    carried: bytes | None = None
    evicted = 0
    for number, (dim, ffn) in enumerate(MODELS[:count]):
        path = tmp_path / f"m{number}.gguf"
        model = make_tiny(path, quant="Q8_0", tokenizer="bpe", dim=dim, ffn=ffn, ctx=1024)
        image = tier_image(tmp_path, model, parts, compiler, cache=1)
        where = partition(image)
        if carried is not None:
            with image.open("r+b") as file:
                file.seek(where.lba * SECTOR)
                file.write(carried)
        size = image.stat().st_size
        old = cache_of(image)
        found = run(machines, image, 30, until=lambda decided: len(decided) >= 8)
        assert len({tuple(tokens) for tokens in found.completions}) == 1
        carried = read(image)
        assert image.stat().st_size == size and len(carried) == where.sectors * SECTOR
        cache = cache_of(image)
        assert cache.verify().sound()
        evicted += len(found.cache("evict"))
        gone = [heat(old, row) for name, row in old.rows.items() if name not in cache.rows]
        stayed = [heat(old, row) for name, row in old.rows.items() if name in cache.rows]
        assert not gone or not stayed or max(stayed) >= max(gone)
        image.unlink()
        model.unlink()
    assert evicted or count < 50
