"""`scons chat`: attaching to a port, played by fake_guest.py behind a socket."""

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

from fluid.attach import NO_RECORD, Link, converse_attached, run_attached
from fluid.errors import FluidError

FAKE = Path(__file__).with_name("fake_guest.py")
SITE = FAKE.parents[2] / "site_scons"
PATIENCE = 60.0


@pytest.fixture
def port() -> Iterator[str]:
    """The URL of a fake machine; it starts when somebody attaches."""
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(PATIENCE)
    started: list[subprocess.Popen[bytes]] = []

    def serve() -> None:
        with server, server.accept()[0] as channel:
            argv = [sys.executable, str(FAKE), f"socket,id=serial,fd={channel.fileno()}"]
            started.append(subprocess.Popen(argv, pass_fds=[channel.fileno()]))

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"socket://127.0.0.1:{server.getsockname()[1]}"
    thread.join(PATIENCE)
    for process in started:
        process.kill()
        process.wait()


def attached(port: str, typed: bytes, tmp_path: Path) -> str:
    """What is shown while a pipe says these lines."""
    source, sink = tmp_path / "source", tmp_path / "sink"
    source.write_bytes(typed)
    with source.open("rb") as said, sink.open("wb") as shown, Link(port) as link:
        assert converse_attached(link, said, shown) == 0
        assert not link.malformed
    return sink.read_text()


def test_lines_of_a_pipe_are_said_and_the_machine_goes_on(port: str, tmp_path: Path) -> None:
    shown = attached(port, b"one two\nthree\n", tmp_path)
    whole_lines = shown.rpartition("\n")[0]  # the last "> " comes behind the last prompt event
    assert whole_lines.endswith("> one two\nonetwo\n> three\nthree")
    assert "\x1e" not in shown


def test_off_is_a_clean_end(port: str, tmp_path: Path) -> None:
    assert attached(port, b"one\n/off\n", tmp_path).endswith("> /off\n")


def test_a_line_that_breaks_is_an_error(port: str, tmp_path: Path) -> None:
    with pytest.raises(FluidError, match=r"E-RUN-15 port=socket://127.0.0.1:\d+: an open line"):
        attached(port, b"/crash\n", tmp_path)


@pytest.mark.parametrize(
    "port", ["", "/dev/no-such-device", "socket://127.0.0.1:1", "socket://nonsense", "loop://",
             "bogus://x", __file__],
)  # fmt: skip
def test_unusable_ports_are_told(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_attached(port) == 1
    error = capsys.readouterr().err
    assert "E-RUN-14 port=" in error
    assert "socket" in error


def test_a_device_and_a_terminal() -> None:
    """Two pseudo-terminals: one is the serial device, one the user's."""
    device, device_far = pty.openpty()
    user, user_far = pty.openpty()
    name = os.ttyname(device_far)
    script = f"from fluid.attach import run_attached; raise SystemExit(run_attached({name!r}))"
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=user_far,
        stdout=user_far,
        env={**os.environ, "PYTHONPATH": str(SITE)},
    )

    def read_until(fd: int, wanted: bytes) -> bytes:
        seen = b""
        while wanted not in seen:
            assert select.select([fd], [], [], PATIENCE)[0], f"{wanted!r} expected, found {seen!r}"
            seen += os.read(fd, 4096)
        return seen

    watchdog = threading.Timer(PATIENCE, process.kill)
    watchdog.start()
    try:
        assert name.encode() in read_until(user, b"machine goes on.")
        os.write(device, b'\x1e{"ev":"prompt"}\n> ')
        assert b"\x1e" not in read_until(user, b"> ")
        os.write(user, b"hi\x03\x1b[A\r")
        assert read_until(device, b"\r") == NO_RECORD + b"hi\x03\x1b[A\r"
        os.write(user, b"\x1d")
        assert process.wait(PATIENCE) == 0
    finally:
        watchdog.cancel()
        process.kill()
        process.wait()
        for fd in (device, device_far, user, user_far):
            os.close(fd)
