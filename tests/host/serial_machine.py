"""A machine that asks a compile server, as a Linux process: the kernel's code, without a kernel."""

from __future__ import annotations

import os
import select
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fluid.compile_server import CompileServer
from fluid.event_types import Compile, Event
from fluid.events import EventStream, Malformed, Text
from hostcc import CONSOLE, FAIL, PRINT, ROOT, build

KERNEL = ROOT / "src/kernel"
SOURCES = [
    ROOT / "tests/host/serial_host.c",
    *(CONSOLE / f"{name}.c" for name in ("base64", "event", "number", "record", "utf8")),
    *(KERNEL / f"jit/{name}.c" for name in ("compiler", "compiler_serial", "serial_records")),
    *(KERNEL / "load/sha256.c", FAIL, PRINT),
]
PATIENCE = 120.0


def program() -> Path:
    return build("serial_host", SOURCES, flags=["-D_GNU_SOURCE"])


@dataclass
class Talk:
    """What was said, and what came of it."""

    results: list[str]  # one for each request, then who compiles at the end
    events: list[Event] = field(default_factory=list)
    sent: int = 0  # bytes from the machine
    received: int = 0  # by the machine


def scripted(requests: Sequence[Path], script: bytes) -> Talk:
    """The machine hears one line of the script at each look; its clock needs no time."""
    done = subprocess.run(
        [str(program()), "scripted", *map(str, requests)],
        input=script,
        capture_output=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    items = EventStream().feed(done.stdout)
    assert not any(isinstance(item, Text | Malformed) for item in items)
    events = [item for item in items if isinstance(item, Event)]
    return Talk(done.stderr.decode().splitlines(), events, len(done.stdout), len(script))


def live(requests: Sequence[Path], server: CompileServer) -> Talk:
    """The machine and the server, until all requests have an answer."""
    command = [str(program()), "live", *map(str, requests)]
    pipe = subprocess.PIPE
    with (
        tempfile.TemporaryFile() as results,
        subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=results) as process,
    ):
        assert process.stdin and process.stdout
        talk, stream = Talk([]), EventStream()
        poll = select.poll()
        poll.register(process.stdout, select.POLLIN)
        poll.register(server, select.POLLIN)
        deadline = time.monotonic() + PATIENCE
        server.announce()
        while time.monotonic() < deadline:
            data = server.outgoing()
            process.stdin.write(data)
            process.stdin.flush()
            talk.received += len(data)
            for fd, _ in poll.poll(1000):
                if fd != process.stdout.fileno():
                    continue
                data = os.read(fd, 65536)
                if not data:
                    assert process.wait(PATIENCE) == 0
                    results.seek(0)
                    talk.results = results.read().decode().splitlines()
                    return talk
                talk.sent += len(data)
                for item in stream.feed(data):
                    assert isinstance(item, Event)
                    talk.events.append(item)
                    assert server.take(item) or not isinstance(item, Compile)
        process.kill()
    raise AssertionError(f"an end within {PATIENCE:g} s expected, found {talk}")
