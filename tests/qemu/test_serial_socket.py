"""`scons chat` to a machine whose serial port is a socket: attach, talk, detach, come back."""

import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fluid.attach import Link, converse_attached
from fluid.emulator import MachineConfig, command, ending_of
from fluid.event_types import Done, Error, Event, Prompt
from fluid.parent import signalled_by_death
from guests import TinyModel, check_schema
from qemu_images import image_of

PATIENCE = 120.0


@pytest.fixture
def machine(target: str, tiny: TinyModel) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A machine that nobody listens to yet: the URL of its serial port, and its process."""
    server = socket.create_server(("127.0.0.1", 0))
    qmp, qmp_far = socket.socketpair()
    fds = (server.fileno(), qmp_far.fileno())
    argv = command(MachineConfig(image_of(target, tiny()), target, mem=256), *fds)
    given = f"socket,id=serial,fd={fds[0]}"
    argv[argv.index(given)] = given + ",server=on,wait=off"
    process = subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, pass_fds=fds, preexec_fn=signalled_by_death(signal.SIGKILL)
    )
    try:
        yield f"socket://127.0.0.1:{server.getsockname()[1]}", process
    finally:
        process.kill()
        process.wait()
        for end in (server, qmp, qmp_far):
            end.close()


def say(port: str, lines: str, tmp_path: Path) -> tuple[str, list[Event]]:
    """Attaches, says these lines, detaches: what was shown, and the events."""
    source, sink = tmp_path / "source", tmp_path / "sink"
    source.write_text(lines)
    with source.open("rb") as said, sink.open("wb") as shown, Link(port) as link:
        assert converse_attached(link, said, shown) == 0
    assert not link.malformed
    check_schema(link.events)
    return sink.read_text(errors="replace"), link.events


def test_attach_talk_detach_and_come_back(
    machine: tuple[str, subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    port, process = machine
    shown, events = say(port, "/set max_tokens 4\nhello\n", tmp_path)
    assert "\x1e" not in shown
    assert any(isinstance(event, Done) for event in events)
    assert isinstance(events[-1], Prompt)
    assert process.poll() is None  # it goes on
    shown, events = say(port, "/nonsense\n", tmp_path)
    assert [event.code for event in events if isinstance(event, Error)] == ["E-CON-02"]
    assert "error E-CON-02" in shown


def test_joining_in_the_middle_of_a_reply(
    machine: tuple[str, subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    port, process = machine
    say(port, "/nonsense\n", tmp_path)
    with Link(port) as link:
        link.send_line("/complete 200 once")
        deadline = time.monotonic() + PATIENCE
        while not link.events and time.monotonic() < deadline:
            link.pump()
    _, events = say(port, "/nonsense\n/off\n", tmp_path)
    assert [event.code for event in events if isinstance(event, Error)] == ["E-CON-02"]
    assert ending_of(process.wait(PATIENCE)).name == "PASS"
