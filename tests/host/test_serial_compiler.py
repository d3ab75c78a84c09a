"""A machine that is compiled for by a host: the kernel's end, with the server and alone."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from fluid import jit
from fluid.compile_server import RECORD_BYTES, CompileServer, checksum, record
from fluid.event_types import Compile, CompileNext
from fluid.jitlayout import REQUEST_MAX, pack_request, unpack_response
from jit_modules import request as module_request
from jit_modules import require
from serial_machine import Talk, live, scripted
from test_records import SESSION, TOOLCHAIN, announced, part

EVENT_BYTES = 768  # compiler_serial.h
REQUEST = random.Random(3).randbytes(2000)
ANSWER = random.Random(4).randbytes(2 * RECORD_BYTES + 5)
FIRST = [part(ANSWER, at, number=1) for at in range(0, len(ANSWER), RECORD_BYTES)]
LATE = b"\n" * 8000  # looks, of 2 ms each


@pytest.fixture
def asked(tmp_path: Path) -> Path:
    """A file with a request; what it means is the server's business."""
    path = tmp_path / "request"
    path.write_bytes(REQUEST)
    return path


def asked_parts(talk: Talk) -> list[int]:
    return [event.offset for event in talk.events if isinstance(event, CompileNext)]


def test_a_request_and_its_answer(asked: Path) -> None:
    talk = scripted([asked], announced() + b"\n" * 5 + b"".join(FIRST))
    assert talk.results == ["answer " + ANSWER.hex(), TOOLCHAIN]
    sent = [event for event in talk.events if isinstance(event, Compile)]
    assert [event.offset for event in sent] == [0, EVENT_BYTES, 2 * EVENT_BYTES]
    assert [event.check for event in sent] == [checksum(REQUEST), None, None]
    assert {(event.id, event.size) for event in sent} == {(1, len(REQUEST))}
    assert asked_parts(talk) == [RECORD_BYTES, 2 * RECORD_BYTES]


def test_a_part_that_is_lost_is_asked_for_again(asked: Path) -> None:
    script = announced() + FIRST[0] + LATE + FIRST[1] + LATE + FIRST[2]
    talk = scripted([asked], script)
    assert talk.results[0] == "answer " + ANSWER.hex()
    assert asked_parts(talk) == [RECORD_BYTES] * 2 + [2 * RECORD_BYTES] * 2
    talk = scripted([asked], announced() + LATE + b"".join(FIRST))  # the first one
    assert talk.results[0] == "answer " + ANSWER.hex() and asked_parts(talk)[0] == 0


@pytest.mark.parametrize("heard", [0, 1])
def test_a_host_that_says_nothing_is_forgotten(asked: Path, heard: int) -> None:
    """Until it announces itself. The request says nothing of its time: 120 s and 30."""
    talk = scripted([asked, asked], announced() + FIRST[0] * heard)
    assert talk.results[1:] == ["nobody", "nobody"]
    seconds = 60 if heard else 150
    assert talk.results[0].startswith(
        f"E-JIT-50 an answer of the host at the serial line expected within {seconds} s, none came"
    )


def test_the_time_that_it_has_is_the_requests(tmp_path: Path) -> None:
    path = tmp_path / "request"
    wanted = module_request("tensor_act", "x86-64-v2", "x86-64-v2", cpu_seconds=5)
    path.write_bytes(pack_request(wanted))
    talk = scripted([path], announced())
    assert "expected within 35 s" in talk.results[0]


def test_what_else_may_come_of_it(asked: Path) -> None:
    """Each leaves nothing behind: the next request is answered."""
    second = b"".join(FIRST).replace(b"R 1 ", b"R 2 ")
    hello = announced()
    changed = FIRST[1][:-50] + (b"A" if FIRST[1][-50:-49] != b"A" else b"B") + FIRST[1][-49:]
    for script, wanted in (
        (record("E 1 E-JIT-30 an answer of jit.elf expected, found SIGKILL"),
         "E-JIT-51 a module of the host's compiler expected, found: E-JIT-30 an answer of jit.elf "
         "expected, found SIGKILL; keep the code that is there"),
        (FIRST[0] + changed + FIRST[2], "E-JIT-52 an answer with SHA-256"),
        (part(bytes(1 << 20), 0, number=1), "E-JIT-56 1048576 bytes of memory"),
        (b"\n" * 10 + b"o\n" * 1 + b"\n" * 2, "E-JIT-53 events are expected to be on"),
        (b"s\n", "E-JIT-54 an answer of the host"),
        (FIRST[0] + b"s\n", "E-JIT-54 an answer of the host"),
        (record(f"B {SESSION}") + hello, "E-JIT-54 an answer of the host"),
        (announced(session="12345678"), "E-JIT-54 an answer of the host"),
    ):  # fmt: skip
        talk = scripted([asked, asked], hello + script + hello + second)
        assert talk.results[0].startswith(wanted), talk.results
        assert talk.results[1:] == ["answer " + ANSWER.hex(), TOOLCHAIN], wanted


@pytest.mark.parametrize("name", ["tensor_act", "tensor_q4_1"])
def test_the_server_answers_as_jit_elf_does(tmp_path: Path, name: str) -> None:
    """Byte for byte, but for the times; what it refuses comes in its own words."""
    good = module_request(name, "x86-64-v2", "x86-64-v2", level=1)
    bad = module_request(name, "x86-64-v2", "x86-64-v2", entries=("nonsense",))
    paths = [tmp_path / f"{number}" for number in range(4)]
    for path, data in zip(
        paths, (pack_request(good), pack_request(bad), REQUEST, pack_request(good)), strict=True
    ):
        path.write_bytes(data)
    with CompileServer(require()) as server:
        talk = live(paths, server)
        assert server.answered == 3
    first, refused, nonsense, again, toolchain = talk.results
    assert toolchain == jit.build_id(require())
    expected = jit.compile_module(require(), good)
    found = [unpack_response(bytes.fromhex(r.removeprefix("answer "))) for r in (first, again)]
    assert [answer.mod for answer in found] == [expected.mod] * 2
    assert any(answer.optimise_ns > 0 for answer in found)  # a busy host's clock may stand still
    assert unpack_response(bytes.fromhex(refused.removeprefix("answer "))).status == 8
    assert nonsense.startswith("E-JIT-51") and "E-JIT-61 a request of at least" in nonsense


def test_a_request_that_is_too_long(tmp_path: Path) -> None:
    """It is refused when its first part has come."""
    path = tmp_path / "longer"
    path.write_bytes(bytes(REQUEST_MAX + 1))
    with CompileServer(require()) as server:
        talk = live([path], server)
    assert f"E-JIT-62 of a request at most {REQUEST_MAX} bytes expected" in talk.results[0]
    assert len(talk.events) < 1000
