"""fluid-host with a cache partition: mounted at boot, shown, checked and cleared."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from cache_images import KEYS, cache_of, filled, with_cache
from fluid.cachelayout import SECTOR, SUPERBLOCKS
from fluid.emulator import Ending
from fluid.event_types import Cache, Error, Event, Warn
from fluid.machine import Machine
from guests import TinyModel, names
from host_machine import SECONDS, Hosts, image_of

WRITABLE = ("--writable",)
TABLE, ENTRY = 446, 16  # of partitions: where, and bytes of an entry


def cached(hosts: Hosts, tiny: TinyModel, folder: Path, partition: bytes) -> Path:
    return with_cache(image_of(hosts.build, tiny()), folder / "cached.img", partition)


def off(host: Machine) -> None:
    host.send_line("/off")
    assert host.wait_end(SECONDS) is Ending.PASS


def mounted(host: Machine) -> Cache:
    (found,) = [e for e in host.events if isinstance(e, Cache)]
    return found


def codes(events: list[Event]) -> list[str]:
    return [e.code for e in events if isinstance(e, Warn | Error)]


def test_mounts_and_lists(hosts: Hosts, tiny: TinyModel, tmp_path: Path) -> None:
    image = cached(hosts, tiny, tmp_path, filled())
    before = image.read_bytes()
    host = hosts.boot(image, extra=WRITABLE)
    assert names(host.events) == ["boot", "cache", "ready", "prompt"]
    event = mounted(host)
    assert (event.op, event.key, event.reason, event.entries) == ("mount", None, None, 4)
    host.command("/cache")
    for number, key in enumerate(KEYS[:3]):
        shown = f"code      {key[:8].hex()}      {1000 + number} bytes  benefit {100 * number},"
        assert shown.encode() in host.text
    assert f"{KEYS[3][:8].hex()}  in quarantine".encode() in host.text
    assert b"4 entries, 3003 bytes" in host.text and b"0 bytes written" in host.text
    host.command("/cache verify")
    assert b"4 records, 0 of them damaged; 0 of 2 superblocks damaged; the end is sound" in (
        host.text
    )
    off(host)
    assert image.read_bytes() == before, "nothing was used, nothing is written"


def test_clear_stays_cleared(hosts: Hosts, tiny: TinyModel, tmp_path: Path) -> None:
    image = cached(hosts, tiny, tmp_path, filled())
    host = hosts.boot(image, extra=WRITABLE)
    assert codes(host.command("/cache clear")) == []
    host.command("/cache")
    assert b"0 entries" in host.text
    off(host)
    assert cache_of(image).verify().sound() and not cache_of(image).rows
    assert mounted(hosts.boot(image, extra=WRITABLE)).entries == 0


def test_an_image_that_may_not_be_written(hosts: Hosts, tiny: TinyModel, tmp_path: Path) -> None:
    image = cached(hosts, tiny, tmp_path, filled())
    before = image.read_bytes()
    host = hosts.boot(image)
    assert mounted(host).reason == "read-only" and mounted(host).entries == 4
    assert codes(host.command("/cache clear")) == ["E-CACHE-05"]
    off(host)
    assert image.read_bytes() == before


def destroyed(image: bytes) -> bytes:
    changed = bytearray(image)
    for lba in SUPERBLOCKS:
        changed[lba * SECTOR] ^= 1
    return bytes(changed)


@pytest.mark.parametrize(
    ("partition", "reason", "warning"),
    [
        (bytes(64 * SECTOR), "blank", []),
        (destroyed(filled()), "damaged", ["E-CACHE-03"]),
        (b"\xff" * 64 * SECTOR, "damaged", ["E-CACHE-03"]),
        ("2.0", "version", ["E-CACHE-04"]),
    ],
    ids=["blank", "destroyed", "noise", "version"],
)
def test_no_state_stops_a_boot(
    hosts: Hosts,
    tiny: TinyModel,
    tmp_path: Path,
    partition: bytes | str,
    reason: str,
    warning: list[str],
) -> None:
    if isinstance(partition, str):
        from cache_golden import load

        partition = load(partition)
    image = cached(hosts, tiny, tmp_path, partition)
    host = hosts.boot(image, extra=WRITABLE)
    assert codes(host.events) == warning
    assert mounted(host).reason == reason and mounted(host).entries == 0
    assert codes(host.command("/cache clear")) == []
    off(host)
    assert cache_of(image).why_empty == "" and cache_of(image).verify().sound()


def test_a_partition_that_is_too_small(hosts: Hosts, tiny: TinyModel, tmp_path: Path) -> None:
    host = hosts.boot(cached(hosts, tiny, tmp_path, bytes(63 * SECTOR)))
    assert codes(host.events) == ["E-CACHE-02"]
    assert names(host.events) == ["boot", "warn", "ready", "prompt"]
    assert codes(host.command("/cache")) == ["E-CACHE-02"]


@pytest.mark.parametrize(("lba", "sectors"), [(40, 64), (None, 64)])
def test_a_partition_over_something_else(
    hosts: Hosts, tiny: TinyModel, tmp_path: Path, lba: int | None, sectors: int
) -> None:
    """In the boot area, or over the model's first sectors: neither mounted nor written to."""
    image = cached(hosts, tiny, tmp_path, filled())
    data = bytearray(image.read_bytes())
    model = struct.unpack_from("<I", data, TABLE + 8)[0]
    struct.pack_into("<II", data, TABLE + ENTRY + 8, model if lba is None else lba, sectors)
    image.write_bytes(data)
    host = hosts.boot(image, extra=WRITABLE)
    assert codes(host.events) == ["E-CACHE-13"]
    assert codes(host.command("/cache clear")) == ["E-CACHE-13"]
    off(host)
    assert image.read_bytes() == data


def test_an_image_without_a_cache(hosts: Hosts, tiny: TinyModel) -> None:
    host = hosts.model(tiny())
    assert names(host.events) == ["boot", "ready", "prompt"]
    assert codes(host.command("/cache")) == ["E-CACHE-01"]


def test_another_word(hosts: Hosts, tiny: TinyModel, tmp_path: Path) -> None:
    host = hosts.boot(cached(hosts, tiny, tmp_path, filled()))
    for word in ("cleared", "clea", "clear ", "help"):
        assert codes(host.command(f"/cache {word}")) == ["E-CACHE-12"]


def test_one_process_writes(hosts: Hosts, tiny: TinyModel, tmp_path: Path) -> None:
    image = cached(hosts, tiny, tmp_path, filled())
    hosts.boot(image, extra=WRITABLE)
    second = hosts.start(image, extra=WRITABLE)
    assert second.wait_end(SECONDS) is Ending.FAIL
    assert codes(second.events) == ["E-HOST-02"]
