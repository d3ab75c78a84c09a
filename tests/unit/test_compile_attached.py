"""`scons chat compile=1`: the server on a line with a user, behind a socket and on a terminal."""

from __future__ import annotations

import os
import pty
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from fluid.attach import Link, converse_attached
from fluid.compile_server import CompileServer, checksum
from fluid.jitlayout import Request, pack_request, with_limits
from fluid.machine import SITE
from fluid.terminal import from_terminal
from test_compile_requests import PATIENCE, program

__all__ = ["program"]  # the fixture
CLIENT = Path(__file__).with_name("fake_client.py")
QUIT = b"\x1d"


@pytest.fixture
def heard(tmp_path: Path) -> Path:
    """A file: what the machine heard of its host, besides answers."""
    return tmp_path / "heard"


@pytest.fixture
def port(heard: Path) -> Iterator[str]:
    """The URL of a machine; it starts when somebody attaches, and ends when he leaves."""
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(PATIENCE)
    ended: list[int] = []

    def serve() -> None:
        with listening, listening.accept()[0] as channel:
            fd = channel.fileno()
            process = subprocess.Popen(
                [sys.executable, str(CLIENT), str(fd), str(heard)],
                pass_fds=[fd],
                env={**os.environ, "PYTHONPATH": str(SITE)},
            )
        ended.append(process.wait(PATIENCE))

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"socket://127.0.0.1:{listening.getsockname()[1]}"
    thread.join(PATIENCE)
    assert ended == [0]
    assert heard.read_text().split() == ["H", "B"]


def answer_of(size: int) -> str:
    """What the machine prints of it."""
    wanted = Request(bytes(size), "echo", "x86-64", 62, features=(), entries=())
    answer = with_limits(pack_request(wanted), 1 << 30, 120)[::-1]
    return f"{len(answer)} {checksum(answer)}"


def test_from_a_pipe(port: str, program: Path, tmp_path: Path) -> None:
    """The user sees what the machine prints, and nothing of requests and answers."""
    source, sink = tmp_path / "source", tmp_path / "sink"
    source.write_text("/compile 100\none\n/compile 20000\n")
    with (
        CompileServer(program) as server,
        source.open("rb") as said,
        sink.open("wb") as shown,
        Link(port, server) as link,
    ):
        assert converse_attached(link, said, shown) == 0
        assert not link.malformed and {event.ev for event in link.events} == {"prompt"}
    text = sink.read_text()
    assert "\x1e" not in text
    lines = [line.lstrip(".") for line in text.splitlines()]
    assert [line for line in lines if line] == [
        "/set events on", "> /compile 100", answer_of(100), "> one", "> /compile 20000",
        answer_of(20000), "> ",
    ]  # fmt: skip


def test_on_a_terminal(port: str, program: Path) -> None:
    """The user types while jit.elf works; nobody waits for anything but keys, line and bell."""
    user, user_far = pty.openpty()
    shown = bytearray()

    def see(wanted: str) -> None:
        while wanted.encode() not in shown:
            assert select.select([user], [], [], PATIENCE)[0], f"{wanted} expected in {shown!r}"
            shown.extend(os.read(user, 4096))

    def type_keys() -> None:
        see("machine goes on")
        os.write(user, b"/compile 20000\r")
        see(answer_of(20000))
        os.write(user, b"two\r")
        see("> two" if b"> two" in shown else "two")
        os.write(user, QUIT)

    typist = threading.Thread(target=type_keys)
    typist.start()
    with (
        CompileServer(program) as server,
        os.fdopen(user_far, "r+b", buffering=0) as terminal,
        Link(port, server) as link,
    ):
        assert from_terminal(link, terminal, terminal, "machine goes on\r\n")
        assert server.answered == 1
    typist.join(PATIENCE)
    os.close(user)
    assert b"\x1e" not in shown
