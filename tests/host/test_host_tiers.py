"""fluid-host makes its code better while it runs, keeps it, and starts with it the next time."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from cache_images import cache_of
from fluid import cache_image
from fluid.cache_image import KINDS, partition
from fluid.cachedisk import MemoryDisk
from fluid.cachefile import Cache
from fluid.cachekey import KeyFields, cache_key
from fluid.cachelayout import SECTOR
from fluid.cpu_scan import PROC, linux_says, processors
from fluid.event_types import Tier, Token
from fluid.modlayout import Module
from guests import codes, said
from host_machine import SECONDS, Hosts
from models import make_tiny
from tier_faults import FAULT, bad_add
from tier_images import (
    TEXT,
    Run,
    better_works,
    decisions,
    modules,
    real_compiler,
    run,
    slow,
    tier_image,
)
from tier_keys import KIND, entry, machine_of, others

SLOW = ("tensor_act", "tensor_attention", "tensor_q8_0")
ENOUGH = 8  # decisions to wait for
ROUNDS = 150  # completions, at most
AGAIN = 12  # completions of a second start


@dataclass(frozen=True)
class Story:
    """The same model: without a compiler, with one, and started again."""

    model: Path
    parts: list[Module]
    image: Path  # as it is after the second start
    fresh: Path  # as it was built
    reference: list[int]  # tokens
    first: Run
    second: Run


@pytest.fixture(scope="module")
def story(machines: Hosts, tmp_path_factory: pytest.TempPathFactory) -> Story:
    folder = tmp_path_factory.mktemp("tiers")
    model = make_tiny(folder / "tiny.gguf", quant="Q8_0", tokenizer="bpe", ctx=1024)
    parts = modules([slow(folder, name) for name in SLOW], better=better_works())
    plain = run(machines, tier_image(folder, model, parts, None, label="plain"), 2)
    assert plain.completions[0] == plain.completions[1] and not plain.tiers
    fresh = tier_image(folder, model, parts, real_compiler(), label="fresh")
    image = Path(shutil.copyfile(fresh, folder / "tiers.img"))
    first = run(machines, image, ROUNDS, smp=2, until=lambda decided: len(decided) >= ENOUGH)
    second = run(machines, image, AGAIN, smp=2)
    return Story(model, parts, image, fresh, plain.completions[0], first, second)


def test_code_gets_better(story: Story) -> None:
    """Decisions are of measurements, and some of them good."""
    assert len(story.first.tiers) >= ENOUGH
    assert story.first.of("published")
    for t in story.first.tiers:
        assert (t.reason is None) == (t.result == "published")
        if t.reason in (None, "not-faster"):
            assert t.cycles_before > 0 and t.cycles_after > 0 and t.compile_ms > 0
        if t.result == "published":
            assert (t.cycles_after < t.cycles_before and t.from_ < t.to) or t.from_ == "T0"
    assert {t.reason for t in story.first.of("rejected")} <= {"not-faster"}


def test_tokens_stay_the_same(story: Story) -> None:
    """Before and after each change, while calls are taken down and measured, and with code of the
    cache."""
    for found in (story.first, story.second):
        assert all(tokens == story.reference for tokens in found.completions)


def test_every_decision_is_kept(story: Story) -> None:
    """Keys are those that the build's function has for the same fields."""
    machine = machine_of(story.first)
    made = story.first.made()
    assert len(made) == len(story.first.tiers)
    for (op, shape, level), key in made.items():
        if op in ("add", "swiglu", "attention") or op.startswith(("matmul_", "row_")):
            assert cache_key(machine.fields(op, shape, level)).hex() == key
    assert cache_of(story.image).verify().sound()


def test_the_second_start_has_it_all(story: Story) -> None:
    """From the first token on, without compiling any of it again."""
    made = story.first.made()
    best = {(t.op, t.shape): made[t.op, t.shape, t.to] for t in story.first.of("published")}
    found = story.second.keys("hit")
    assert len(found & set(best.values())) >= 0.95 * len(best)
    assert not {(t.op, t.shape, t.to) for t in story.second.tiers} & made.keys()
    for op, shape in best:
        rows = [line.split() for line in story.second.before.splitlines()]
        (row,) = [r for r in rows if r[:2] == [op, shape]]
        assert row[3] == "cached"
    assert "cached" not in story.first.before


def test_code_without_a_compiler(story: Story, machines: Hosts, tmp_path: Path) -> None:
    """Where nobody compiles any more, what the cache has is used all the same."""
    alone = tier_image(tmp_path, story.model, story.parts, None, label="alone")
    cache_image.pull(story.image, tmp_path / "cache")
    cache_image.push(tmp_path / "cache", alone)
    found = run(machines, alone, 2, smp=2)
    assert found.keys("hit") >= story.second.keys("hit") and not found.tiers
    assert "No compiler" in found.before and "cached" in found.before
    assert all(tokens == story.reference for tokens in found.completions)


def foresees() -> bool:
    """Whether nothing is fetched ahead on this processor unless that is found to be better."""
    here = processors(PROC.read_text(encoding="utf-8"))
    return here[0]["vendor_id"] == "AuthenticAMD" and "avx512f" in linux_says(here)


def test_knobs_without_a_compiler(story: Story, machines: Hosts, tmp_path: Path) -> None:
    """Each is tried for some product, but for what slots have already; tokens stay the same."""
    image = tier_image(tmp_path, story.model, story.parts, None, label="knobs")
    host = machines.boot(image, smp=2, extra=("--writable",))
    knobs = {f"ahead={bytes_}" for bytes_ in (1024, 2048, 8192, 16384)}
    knobs |= {f"piece={1 << log}" for log in (17, 18, 20, 21)}
    knobs |= set() if foresees() else {"ahead=none"}
    tried: set[str] = set()
    for _ in range(ROUNDS):
        events = host.command(f"/complete 900 {TEXT}")
        assert [e.id for e in events if isinstance(e, Token)] == story.reference
        decided = [t for t in host.events if isinstance(t, Tier)]
        tried |= {t.to for t in decided}
        if tried >= knobs:
            break
    assert tried == knobs and all(t.op.startswith("matmul_") for t in decided)
    host.send_line("/off")
    assert host.wait_end(SECONDS).name == "PASS"
    kept = [row for row in cache_of(image).rows.values() if KINDS[row.kind] == "knobs"]
    assert len(kept) <= len({(t.op, t.shape) for t in decided})


def test_who_compiled_is_known_after_a_clear(story: Story, machines: Hosts, tmp_path: Path) -> None:
    """Code that is put into an empty cache is found without a compiler, too."""
    image = Path(shutil.copyfile(story.fresh, tmp_path / "cleared.img"))
    host = machines.boot(image, extra=("--writable",))
    for _ in range(2):
        before = len(decisions(host.events))
        assert codes(host.command("/cache clear")) == []
        while len(decisions(host.events)) == before:
            host.command(f"/complete 900 {TEXT}")
    host.send_line("/off")
    assert host.wait_end(SECONDS).name == "PASS"
    alone = tier_image(tmp_path, story.model, story.parts, None, label="alone")
    cache_image.pull(image, tmp_path / "cache")
    cache_image.push(tmp_path / "cache", alone)
    assert run(machines, alone, 1).keys("hit")


def test_off_and_on(story: Story, machines: Hosts) -> None:
    """The image's code in each slot, then what was there; the model says the same."""
    host = machines.boot(story.image)
    before = said(host, "/jit")
    host.command("/jit off")
    off = said(host, "/jit")
    assert "Off:" in off and "cached" not in off and off.count(" T0 ") >= before.count("x")
    for line in ("/jit off", "/jit on", "/jit on"):
        events = host.command(f"/complete 900 {TEXT}")
        assert [e.id for e in events if isinstance(e, Token)] == story.reference
        host.command(line)
    assert said(host, "/jit").count("cached") >= before.count("cached") > 0


def test_each_slot_hits_or_misses(story: Story) -> None:
    """One event each at the first start, which finds nothing."""
    slots = len(story.first.before.splitlines()) - 3
    assert len(story.first.cache("miss")) == slots and not story.first.cache("hit")
    known = {(op, shape) for op, shape, _ in story.first.made()}
    assert len(story.second.cache("miss")) == slots - len(known)


def seeded(image: Path, folder: Path, entries: dict[bytes, bytes]) -> Path:
    """A copy whose cache has these and nothing else."""
    where = partition(image)
    disk = MemoryDisk(bytes(where.sectors * SECTOR))
    cache = Cache(disk, lambda: 7)
    for key, payload in entries.items():
        cache.put(KIND, key, payload, 1 << 40)
    out = Path(shutil.copyfile(image, folder / "seeded.img"))
    with out.open("r+b") as file:
        file.seek(where.lba * SECTOR)
        file.write(disk.data)
    return out


def add_fields(story: Story, level: str = "O3") -> KeyFields:
    """Of the slot of `add`, whatever was decided on it."""
    return machine_of(story.first).fields("add", "0x64", level)


def add_key(story: Story, level: str = "O3") -> bytes:
    return cache_key(add_fields(story, level))


def test_what_was_made_for_another_machine_is_a_miss(
    story: Story, machines: Hosts, tmp_path: Path
) -> None:
    """Code that would fault when it is called: it is not."""
    payload = entry(bad_add(tmp_path, FAULT))
    keys = [cache_key(fields) for fields in others(add_fields(story))]
    image = seeded(story.fresh, tmp_path, dict.fromkeys(keys, payload))
    found = run(machines, image, 1)
    assert found.completions == [story.reference]
    assert not found.cache("hit") and not found.warnings
    assert add_key(story, "O1").hex() in found.keys("miss")


def test_another_build_of_the_compiler_finds_nothing(
    story: Story, machines: Hosts, tmp_path: Path
) -> None:
    toolchain = machine_of(story.first).toolchain
    data = story.image.read_bytes()
    other = tmp_path / "other.img"
    assert data.count(bytes.fromhex(toolchain)) == 1
    other.write_bytes(data.replace(bytes.fromhex(toolchain), bytes.fromhex(toolchain)[::-1]))
    found = run(machines, other, 1)
    assert found.completions == [story.reference]
    assert not found.keys("hit") & set(story.first.made().values())


def test_code_of_the_cache_is_called(story: Story, machines: Hosts, tmp_path: Path) -> None:
    """What the cache has for the right key is taken; here it faults at its first call, and is
    condemned."""
    key = add_key(story)
    image = seeded(story.fresh, tmp_path, {key: entry(bad_add(tmp_path, FAULT))})
    found = run(machines, image, 2)
    assert found.completions == [story.reference] * 2
    assert key.hex() in found.keys("hit") and key.hex() in found.keys("reject")
    assert "fault" in found.reasons("add")
    again = run(machines, image, 2)
    assert again.completions == [story.reference] * 2
    assert key.hex() not in again.keys("hit") and "E-MOD-16" not in again.warnings


def damaged(image: Path, key: str) -> None:
    """One bit of an entry's payload."""
    row = next(r for (_, k), r in cache_of(image).rows.items() if k.hex() == key)
    with image.open("r+b") as file:
        at = (partition(image).lba + row.lba + 1) * SECTOR + 40
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 1]))


def test_a_damaged_entry_is_made_again(story: Story, machines: Hosts, tmp_path: Path) -> None:
    image = Path(shutil.copyfile(story.image, tmp_path / "damaged.img"))
    best = story.first.of("published")[0]  # of the operation that takes most time
    made = story.first.made()
    levels = [k for (op, shape, _), k in made.items() if (op, shape) == (best.op, best.shape)]
    for key in levels:
        damaged(image, key)
    found = run(machines, image, ROUNDS, smp=2, until=lambda decided: len(decided) >= 6)
    assert all(tokens == story.reference for tokens in found.completions)
    rejected = {e.key: e.reason for e in found.cache("reject")}
    assert rejected.items() >= dict.fromkeys(levels[-1:], "E-CACHE-10").items()
    assert set(levels) & found.keys("put")


@pytest.mark.parametrize(
    ("payload", "reason", "warning"),
    [
        (lambda folder: entry(b"", version=1), "version", None),
        (lambda folder: entry(b"no module"), "quarantine", "E-MOD-01"),
        (lambda folder: entry(bad_add(folder))[:-1], "version", None),
        (lambda folder: entry(b"") + b"x", "version", None),
    ],
    ids=["version", "no-module", "shorter", "longer"],
)
def test_an_entry_that_makes_no_sense(
    story: Story,
    machines: Hosts,
    tmp_path: Path,
    payload: Callable[[Path], bytes],
    reason: str,
    warning: str | None,
) -> None:
    key = add_key(story)
    found = run(machines, seeded(story.fresh, tmp_path, {key: payload(tmp_path)}), 1)
    assert found.completions == [story.reference]
    assert {e.key: e.reason for e in found.cache("reject")}[key.hex()] == reason
    assert found.warnings == ([warning] if warning else [])


def test_an_entry_without_its_entry_point(story: Story, machines: Hosts, tmp_path: Path) -> None:
    """A sound module of another operation: E-JIT-38."""
    key = add_key(story)
    other = cache_key(machine_of(story.first).fields("swiglu", "0x192", "O3"))
    image = seeded(story.fresh, tmp_path, {other: entry(bad_add(tmp_path))})
    found = run(machines, image, 1)
    assert found.completions == [story.reference]
    assert found.warnings == ["E-JIT-38"] and other.hex() in found.keys("reject")
    assert key.hex() not in found.keys("hit")


def test_no_faster_than_code_that_is_gone(story: Story, machines: Hosts, tmp_path: Path) -> None:
    """It was measured against O2, which the cache has no more: that says nothing about T0."""
    key = add_key(story)
    for level_before, tried in ((0, "O3"), (2, "T0")):
        image = seeded(story.fresh, tmp_path, {key: entry(b"", level_before)})
        found = run(machines, image, 1)
        (row,) = [r.split() for r in found.before.splitlines() if r.split()[:1] == ["add"]]
        assert row[2:4] == ["T0", tried] and key.hex() in found.keys("hit")
