"""The console's commands in a Linux process, with a model whose tokens are bytes."""

import json
import subprocess
from typing import Any

import pytest

from hostcc import CONSOLE, FAIL, LINE_INPUT, PRINT, ROOT, build

SOURCES = [
    *(ROOT / f"tests/host/command_{name}.c" for name in ("host", "env")),
    *(CONSOLE / f"{name}.c" for name in ("argument", "base64", "command", "command_model")),
    *(CONSOLE / f"{name}.c" for name in ("command_speed", "event", "number", "settings", "stop")),
    *LINE_INPUT,
    FAIL,
    PRINT,
]


def events(lines: bytes, allocations: int) -> list[dict[str, Any]]:
    program = build("command_host", SOURCES, flags=["-D_GNU_SOURCE", "-Itests/host"])
    command = [str(program), str(allocations)]
    done = subprocess.run(command, input=lines, check=True, capture_output=True, timeout=60)
    records = done.stdout.replace(b"\x1e", b"").decode().splitlines()
    return [json.loads(record) for record in records]


def test_a_score() -> None:
    [score] = events(b"/score abc\r", 1000)
    assert (score["ev"], score["ids"]) == ("score", [97, 98, 99])


@pytest.mark.parametrize(
    ("line", "allocations"),
    [(b"/score abc\r", 0), (b"/score abc\r", 1), (b"/complete 3 abc\r", 0), (b"/speed 3 1\r", 0)],
)
def test_no_memory_for_a_command(line: bytes, allocations: int) -> None:
    """What if memory runs out, for the tokens or for the predictions?"""
    [error] = events(line, allocations)
    assert (error["ev"], error["code"]) == ("error", "E-MEM-03")
    assert "bytes of memory expected" in error["text"]


def test_speed() -> None:
    """A prompt in several batches, then the model's own tokens; all within the vocabulary."""
    [speed] = events(b"/speed 20 3\r", 1000)
    assert (speed["ev"], speed["n_prompt"], speed["n_new"]) == ("speed", 20, 3)
    assert speed["ids"] == [(1 + 7919 * i) % 256 for i in range(20)] + [ord("x")] * 3
    assert {"prompt_ns", "new_ns"} <= speed.keys()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        *((words, "E-CON-03") for words in ("", "3", "3 ", "0 1", "x 1", "3 y", "3 1 1", "-1 1")),
        *((words, "E-CTX-01") for words in ("65 0", "64 1", "1 64", "4294967295 4294967295")),
    ],
)
def test_what_speed_does_not_take(words: str, code: str) -> None:
    [error] = events(f"/speed {words}\r".encode(), 1000)
    assert (error["ev"], error["code"]) == ("error", code)
