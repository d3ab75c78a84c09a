"""`scons chat`: the console of a machine behind a serial port or a socket, on this terminal.

`port=` is anything that pyserial opens: a device (`/dev/ttyUSB0`) or a URL (`socket://host:port`).
"""

from __future__ import annotations

import select
import sys
import time
from types import TracebackType
from typing import BinaryIO, Self

import serial

from fluid.compile_server import CompileServer, serving
from fluid.errors import FluidError
from fluid.event_types import Bye, Event, Prompt
from fluid.events import EventStream, Malformed, Text
from fluid.terminal import Display, from_pipe, from_terminal, terminated_as_exit

BAUD = 115200
PORTION = 4096  # bytes moved at once
LEAVE_SECONDS = 1.0
# Ends a record that was cut off when somebody else left (docs/formats.md); no key, and no part of a
# line.
NO_RECORD = b"\x1e\x00"
HINT = (
    "Attached to {port}. Keys go to the machine; Enter shows its prompt, /help lists commands. "
    "Ctrl-] or Ctrl-A X leaves, the machine goes on.\r\n"
)


class Link:
    """A console that runs elsewhere; joined while the machine is at work or waits."""

    def __init__(self, port: str, server: CompileServer | None = None) -> None:
        if not port:
            raise FluidError(
                "E-RUN-14",
                "port= expected (a serial device or socket://host:port), found none; name one",
            )
        try:
            self._port = serial.serial_for_url(port, baudrate=BAUD, timeout=0, write_timeout=0)
        except (OSError, ValueError) as error:
            raise FluidError(
                "E-RUN-14",
                f"port={port}: a serial device or socket://host:port expected, found {error}; "
                "is it there, and may you use it?",
            ) from None
        try:
            self._fileno = int(self._port.fileno())
        except (AttributeError, OSError):
            self._port.close()
            raise FluidError(
                "E-RUN-14",
                f"port={port}: a device or a socket expected, found what cannot be awaited; name "
                "another",
            ) from None
        self.name = port
        self.log = bytearray()
        self.text = bytearray()
        self.events: list[Event] = []
        self.malformed: list[Malformed] = []
        self.running = True
        self._outbox = bytearray(NO_RECORD)
        self._stream = EventStream()
        self._server = server
        if server:
            server.announce()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._take_leave()
        self._port.close()

    def _take_leave(self) -> None:
        """The machine learns that its compiler goes, if the line takes that soon."""
        if not self._server or not self.running:
            return
        self._server.leave()
        self.pump()
        deadline = time.monotonic() + LEAVE_SECONDS
        while self._outbox and self.running and time.monotonic() < deadline:
            select.select([], [self], [], LEAVE_SECONDS)
            self.pump()

    def fileno(self) -> int:
        """For poll()."""
        return self._fileno

    @property
    def bells(self) -> tuple[CompileServer, ...]:
        """What else can wake the one who waits."""
        return (self._server,) if self._server and not self._server.closed else ()

    @property
    def unsent(self) -> bool:
        """Typed bytes wait for the port to take them."""
        return bool(self._outbox)

    def send(self, data: bytes) -> None:
        """Types bytes; they are delivered by pump()."""
        self._outbox += data

    def send_line(self, line: str | bytes) -> None:
        """Types one line and Enter."""
        self.send((line.encode() if isinstance(line, str) else line) + b"\r")

    def pump(self) -> None:
        """Moves what can be moved right now, without waiting."""
        self._take_outgoing()
        try:
            if self._outbox:
                del self._outbox[: self._port.write(bytes(self._outbox[:PORTION]))]
            data = bytes(self._port.read(PORTION))
        except OSError:
            self.running = False
            return
        self.log += data
        for item in self._stream.feed(data):
            if isinstance(item, Text):
                self.text += item.data
            elif isinstance(item, Malformed):
                self.malformed.append(item)
            elif not (self._server and self._server.take(item)):
                self.events.append(item)
        self._take_outgoing()

    def _take_outgoing(self) -> None:
        """Before anything that is typed from now on."""
        for server in self.bells:
            self._outbox += server.outgoing()


def converse_attached(link: Link, source: BinaryIO, sink: BinaryIO) -> int:
    """Joins a link with a terminal or a pipe. The machine goes on unless it is told /off."""
    if source.isatty():
        left = from_terminal(link, source, sink, HINT.format(port=link.name))
    else:
        left = _say_all(link, source, Display(link, sink, raw=False))
    if left or any(isinstance(event, Bye) for event in link.events[-1:]):
        return 0
    raise FluidError("E-RUN-15", f"port={link.name}: an open line expected, it was closed")


def _say_all(link: Link, source: BinaryIO, display: Display) -> bool:
    """Says each line of a pipe at a prompt; False when the line is closed before the end.

    A command asks for the first prompt and drops what was typed before (Ctrl-U). When the machine
    was at work, the prompt behind that work comes in front of the one that was asked for.
    """
    link.send_line(b"\x15/set events on")
    if not from_pipe(link, iter([]), display):
        return False
    answered = 1
    if not isinstance(link.events[0], Prompt):
        answered = 2
        if not from_pipe(link, iter([]), display, answered=1):
            return False
    return from_pipe(link, iter(source.readline, b""), display, answered=answered - 1)


def run_attached(port: str, compiler: str = "") -> int:
    """`scons chat`; 0 after leaving or a clean end. compiler: jit.elf, for a compile server."""
    try:
        with terminated_as_exit(), serving(compiler) as server, Link(port, server) as link:
            return converse_attached(link, sys.stdin.buffer, sys.stdout.buffer)
    except FluidError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
