"""The console's parsers and writers (lines, events, base64, numbers, UTF-8) in a Linux process."""

from __future__ import annotations

import base64
import json
import random
import subprocess
from pathlib import Path

import pytest

from hostcc import CONSOLE, LINE_INPUT, PRINT, ROOT, build

SOURCES = [CONSOLE / f"{name}.c" for name in ("base64", "event", "number", "stop")] + LINE_INPUT


@pytest.fixture(scope="module")
def console() -> Path:
    return build("console_host", [ROOT / "tests/host/console_host.c", PRINT, *SOURCES])


def run(console: Path, mode: str, data: bytes, *words: str) -> subprocess.CompletedProcess[bytes]:
    command = [str(console), mode, *words]
    return subprocess.run(command, input=data, capture_output=True, check=True, timeout=60)


def lines(console: Path, data: bytes) -> list[bytes | None]:
    """The lines that the console reads from data; None for one that was dropped as too long."""
    found: list[bytes | None] = []
    for row in run(console, "lines", data).stdout.decode().splitlines():
        too_long, _, text = row.partition(" ")
        found.append(None if too_long == "1" else bytes.fromhex(text))
    return found


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"a\rb\nc\r\nd\n\re\r", [b"a", b"b", b"c", b"d", b"", b"e"]),
        (b"\r\r\n\n", [b"", b"", b""]),
        (b"abc\x08\x7fd\r", [b"ad"]),
        ("aä€\x08\x08b\r".encode(), [b"ab"]),
        (b"\x08\x08a\r", [b"a"]),
        (b"one two\x17three\r", [b"one three"]),
        (b"junk\x15new\r", [b"new"]),
        (b"junk\x03new\r", [b"new"]),
        (b"one\r\x03two\r", [b"one", b"two"]),
        (b"x" * 65537 + b"\x15new\r", [b"new"]),
        (b"tab\there\x01\x02\x1b\r", [b"tab\there"]),
        (b"\xff\xfe\r", [b"\xff\xfe"]),
        (b"unfinished", []),
    ],
)
def test_lines_end_and_are_edited(console: Path, data: bytes, expected: list[bytes]) -> None:
    assert lines(console, data) == expected


def test_longest_line_and_one_more(console: Path) -> None:
    longest = b"x" * 65536
    assert lines(console, longest + b"\r" + longest + b"y\rz\r") == [longest, None, b"z"]


def test_event_is_one_json_object(console: Path) -> None:
    text = 'quote " back \\ tab \t nul-free ünï €😀\x7f'
    out = run(console, "events", text.encode()).stdout
    assert out[:1] == b"\x1e" and out[-1:] == b"\n" and out.count(b"\n") == 1
    assert json.loads(out[1:]) == {
        "ev": "test", "text": text, "string": text, "null": None, "negative": -(2**63),
        "large": 2**64 - 1, "array": [[], [-1.5, 0.000001]], "none": None,
    }  # fmt: skip


def test_event_bytes_that_are_not_utf8_become_base64(console: Path) -> None:
    rng = random.Random(1)
    for n in range(1, 40):
        data = bytes([0xFF, *(rng.randrange(1, 256) for _ in range(n))])
        event = json.loads(run(console, "events", data).stdout[1:])
        assert base64.b64decode(event["b64"]) == data
        assert "text" not in event
        assert "�" in event["string"]


@pytest.mark.parametrize("n", range(12))
def test_base64_round_trip(console: Path, n: int) -> None:
    data = bytes(range(250, 250 - n, -1))
    out = run(console, "base64", base64.b64encode(data)).stdout.decode()
    assert out == f"{n} {data.hex()}"


@pytest.mark.parametrize(
    "bad", [b"A", b"AAA", b"AA=A", b"A===", b"====", b"AA A", b"A\x00AA", b"AAAA="]
)
def test_base64_refuses(console: Path, bad: bytes) -> None:
    assert run(console, "base64", bad).stdout == b"-1 "


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"0", "1 0"), (b"0.7", "1 700000"), (b"1.000001", "1 1000001"), (b"5", "1 5000000"),
        (b"5.000001", "0 -1"), (b"", "0 -1"), (b".", "0 -1"), (b"1.", "0 -1"), (b".5", "0 -1"),
        (b"-1", "0 -1"), (b"1.0000001", "0 -1"), (b"9" * 25, "0 -1"), (b"1e3", "0 -1"),
    ],
)  # fmt: skip
def test_micro_numbers(console: Path, text: bytes, expected: str) -> None:
    assert run(console, "micro", text).stdout.decode() == expected


def test_utf8_agrees_with_python(console: Path) -> None:
    rng = random.Random(2)
    edges = [
        b"\xc0\x80",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\xe0\x9f\xbf",
        b"\xf0\x8f\xbf\xbf",
    ]
    edges += ["\U0010ffff".encode(), "\ud7ff".encode(), b"\xe2\x82", b"", b"\xf0\x90\x80"]
    for _ in range(60):
        edges.append(
            bytes(rng.choice(b"\x20\x7f\x80\xbf\xc2\xe0\xed\xf0\xf4\xa0") for _ in range(4))
        )
    for data in edges:
        try:
            data.decode()
            valid = b"1"
        except UnicodeDecodeError:
            valid = b"0"
        assert run(console, "utf8", data).stdout == valid, data.hex()


@pytest.mark.parametrize("piece", [1, 3, 100])
@pytest.mark.parametrize(
    ("text", "stops", "expected"),
    [
        ("one two three", ["two"], "one <stop>"),
        ("one two three", ["four"], "one two three"),
        ("one tw", ["two"], "one tw"),
        ("aab", ["ab"], "a<stop>"),
        ("ababac", ["abac", "zzz"], "ab<stop>"),
        ("User: hi", ["User:", "\n\n"], "<stop>"),
        ("a\n\nb", ["User:", "\n\n"], "a<stop>"),
        ("grün, 你好", ["你"], "grün, <stop>"),
        ("abcd", ["bcx", "bc"], "a<stop>"),
        ("x" * 64 + "y", ["x" * 63 + "y"], "x<stop>"),
        ("xab", ["abc", "b"], "xa<stop>"),  # the longer one has begun when the text ends
        ("nothing", [], "nothing"),
    ],
)
def test_stop_strings(
    console: Path, text: str, stops: list[str], expected: str, piece: int
) -> None:
    """Found wherever the text is split; what only began like one is not lost."""
    assert run(console, "stop", text.encode(), str(piece), *stops).stdout.decode() == expected


def test_stop_strings_have_limits(console: Path) -> None:
    assert run(console, "stop", b"", "1", "", "x" * 65).stdout == b"refused 0\nrefused 1\n"
    assert run(console, "stop", b"", "1", *"abcde").stdout == b"refused 4\n"
