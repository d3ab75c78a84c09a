"""Hotness files with seeded damage: read_hotness takes them or refuses them with a code of its own,
and what it takes can be planned from and written again."""

from __future__ import annotations

import copy
import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fluid.errors import FluidError
from fluid.hotness import HotnessFile, modules, read_hotness, write_hotness
from fluid.records import COUNT_MAX
from hotness_samples import OTHER_SOURCE, TARGET, file_data, function

SEED = 2718
QUICK, FULL = 2_000, 100_000

GOOD = file_data(
    function("llama", calls=9, cycles=5_000),
    function("tensor", caller="llama", calls=80, cycles=3_000, rows=64),
    function("tensor", calls=1, cycles=70, source=OTHER_SOURCE),
    runs=2,
)
VALUES: list[Any] = [
    *(0, 1, -1, 2, 2**31, 2**32, 2**63 - 1, 2**63, 2**64, 10**30, -(10**30)),
    *(0.0, 1.0, -0.5, 1e300, True, False, None, "", "0", "\x00", "\ud800", "é" * 300, "f" * 32),
    *([], {}, [[]], [1, 2], {"calls": 1}, float("nan"), float("inf")),
]
SCRAPS = [
    *(b"{", b"}", b"[", b"]", b'"', b",", b":", b"-", b".", b"e", b"0", b"9", b"\\", b"\\u", b" "),
    *(b"\x00", b"\xff", b"\xc3", b"\xed\xa0\x80", b"NaN", b"Infinity", b"null", b"true", b"1e999"),
    *(b"9" * 25, b"[" * 3000, b'"calls": 1, '),
]


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container in it with each of its keys or indices."""
    found: list[tuple[Any, Any]] = []
    keys = value if isinstance(value, dict) else range(len(value))
    for key in keys if isinstance(value, dict | list) else ():
        found += [
            (value, key),
            *(places(value[key]) if isinstance(value[key], dict | list) else []),
        ]
    return found


def with_values(draw: random.Random) -> bytes:
    """Some fields have other values."""
    data = copy.deepcopy(GOOD)
    for _ in range(draw.randint(1, 3)):
        container, key = draw.choice(places(data))
        container[key] = draw.choice([draw.choice(VALUES), draw.randint(-2, 10**4)])
    return json.dumps(data).encode()


def with_structure(draw: random.Random) -> bytes:
    """Fields are missing, exchanged, doubled, renamed or wrapped, and lists empty."""
    data = copy.deepcopy(GOOD)
    for _ in range(draw.randint(1, 3)):
        (container, key), (other, other_key) = (draw.choice(places(data)) for _ in range(2))
        what = draw.randrange(6)
        if what == 5 and isinstance(container[key], list):
            container[key] = []
        elif what == 0:
            del container[key]
        elif what == 1:
            container[key] = copy.deepcopy(other[other_key])
        elif what == 2:
            container[key] = draw.choice([[container[key]], {"calls": container[key]}])
        elif isinstance(container, list):
            container.insert(key, copy.deepcopy(container[key]))
        else:
            container[draw.choice(["note", "calls", "source", key + "s"])] = container.pop(key)
        if not places(data):
            break
    return json.dumps(data).encode()


def with_bytes(draw: random.Random) -> bytes:
    """The text is cut, flipped, repeated, or has something in it."""
    text = bytearray(json.dumps(GOOD, indent=draw.choice([None, 2])).encode())
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(len(text) + 1)
        end = min(len(text), at + draw.choice([0, 1, 1, 2, 40]))
        what = draw.randrange(4)
        if what == 0:
            text[at:end] = draw.choice(SCRAPS)
        elif what == 1:
            text[at:at] = text[at:end]
        elif what == 2 and at < len(text):
            text[at] ^= 1 << draw.randrange(8)
        elif what == 3:
            del text[at : draw.choice([end, end, end, len(text)])]
    return bytes(text)


CHANGES: list[Callable[[random.Random], bytes]] = [with_values, with_structure, with_bytes]


def check_taken(content: HotnessFile, path: Path) -> None:
    """It keeps the promises of the format."""
    assert content.runs and content.functions and content.target == TARGET
    for f in content.functions:
        assert 0 < f.calls < COUNT_MAX and 0 <= f.min <= f.median <= f.max < COUNT_MAX
        assert 0 <= f.rows < COUNT_MAX and 0 <= f.cols < COUNT_MAX
        assert re.fullmatch("[0-9a-f]{32}", f.source)
    for found in modules(content).values():
        assert found.calls >= 0 and found.cycles >= 0


@pytest.mark.parametrize("count", [QUICK, pytest.param(FULL, marks=pytest.mark.full)])
def test_damaged_files(tmp_path: Path, count: int) -> None:
    draw = random.Random(SEED)
    path = tmp_path / "hotness.json"
    said = {"E-HOT-01": 0, "E-HOT-02": 0, "taken": 0}
    for number in range(count):
        text = CHANGES[number % len(CHANGES)](draw)
        path.write_bytes(text)
        try:
            content = read_hotness(path, TARGET)
        except FluidError as error:
            said[error.code] += 1
            assert str(path) in error.text and len(error.text) < 1000, text
            continue
        except Exception as error:
            raise AssertionError(f"number {number} led to {error!r}: {text!r}") from error
        check_taken(content, path)
        said["taken"] += 1
    assert said["taken"] > count / 100 and said["E-HOT-01"] > count / 2 and said["E-HOT-02"], said


def test_damage_changes_nothing_that_was_written(tmp_path: Path) -> None:
    """What is taken is written in the same form, and read back as the same."""
    draw = random.Random(SEED)
    path, copied = tmp_path / "a.json", tmp_path / "b.json"
    taken = 0
    for _ in range(300):
        path.write_bytes(with_structure(draw))
        try:
            content = read_hotness(path, TARGET)
        except FluidError:
            continue
        write_hotness(content, copied)
        assert read_hotness(copied, TARGET) == content
        taken += 1
    assert taken > 0
