"""The console of a machine on the user's terminal, or fed from a pipe.

On a terminal every key goes to the machine (Ctrl-C too); Ctrl-] or Ctrl-A X leaves. From a pipe,
each line is typed when the machine prompts for one; after the last one it is switched off.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import select
import signal
import sys
import termios
import threading
import time
import tty
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import BinaryIO, Protocol

from fluid.compile_server import CompileServer
from fluid.emulator import Ending
from fluid.errors import FluidError
from fluid.event_types import Bye, Event, Panic, Prompt
from fluid.events import Malformed
from fluid.machine import Machine

SILENCE_SECONDS = 900.0  # from a pipe: no byte for so long means that the machine hangs
OFF_SECONDS = 60.0
QUIT_KEY = 0x1D  # Ctrl-]
PREFIX_KEY = 0x01  # Ctrl-A, as in QEMU's own multiplexer
HINT = "Keys go to the machine. Ctrl-] or Ctrl-A X leaves, /help lists commands.\r\n"


class Console(Protocol):
    """What a terminal or a pipe is joined with: an emulated machine, or a port (attach.py)."""

    log: bytearray
    text: bytearray
    events: list[Event]
    malformed: list[Malformed]

    @property
    def running(self) -> bool: ...
    @property
    def unsent(self) -> bool: ...
    @property
    def bells(self) -> Sequence[CompileServer]: ...
    def fileno(self) -> int: ...
    def pump(self) -> None: ...
    def send(self, data: bytes) -> None: ...
    def send_line(self, line: str | bytes) -> None: ...


def converse(machine: Machine, source: BinaryIO, sink: BinaryIO) -> int:
    """Joins a started machine with a terminal or a pipe until one of them ends."""
    if os.isatty(source.fileno()):
        if from_terminal(machine, source, sink, HINT):
            return 0
    else:
        lines = iter(source.readline, b"")
        from_pipe(machine, itertools.chain(lines, [b"/off"]), Display(machine, sink, raw=False))
    ending = machine.wait_end(OFF_SECONDS)
    asked = bool(machine.events) and isinstance(machine.events[-1], Bye)
    if ending is Ending.PASS or (ending is Ending.RESET and asked):
        return 0
    print(f"\nE-RUN-10 the machine {machine.ending_text}{_why(machine)}", file=sys.stderr)
    if machine.emulator_said:
        print(f"its emulator said: {machine.emulator_said}", file=sys.stderr)
    return 1


class Display:
    """Shows a machine's text, without the events, and reports records that are no events."""

    def __init__(self, console: Console, sink: BinaryIO, *, raw: bool) -> None:
        self._console = console
        self._sink = sink
        self._raw = raw  # the terminal does not translate line ends
        self._shown = 0  # bytes of the machine's text
        self._reported = 0  # malformed records
        sink.flush()

    def update(self) -> bool:
        """Shows what has come since the last call; True when anything came, events included."""
        before = len(self._console.log)
        self._console.pump()
        text = bytes(self._console.text[self._shown :])
        self._shown += len(text)
        self._sink.write(text if self._raw else text.replace(b"\r", b""))
        for record in self._console.malformed[self._reported :]:
            self._sink.write(f"\r\nE-RUN-06 an event expected, found {record}\r\n".encode())
        self._reported = len(self._console.malformed)
        self._sink.flush()
        return len(self._console.log) > before


class KeyFilter:
    """Finds the keys that leave among what is typed."""

    def __init__(self) -> None:
        self._prefixed = False

    def feed(self, data: bytes) -> tuple[bytes, bool]:
        """(bytes for the machine, whether the user leaves). Ctrl-A Ctrl-A is one Ctrl-A."""
        through = bytearray()
        for byte in data:
            if self._prefixed:
                self._prefixed = False
                if byte in b"xX":
                    return bytes(through), True
                through += bytes([byte]) if byte == PREFIX_KEY else bytes([PREFIX_KEY, byte])
            elif byte == QUIT_KEY:
                return bytes(through), True
            elif byte == PREFIX_KEY:
                self._prefixed = True
            else:
                through.append(byte)
        return bytes(through), False


def from_terminal(console: Console, source: BinaryIO, sink: BinaryIO, hint: str) -> bool:
    """Every key goes to the console. True when the user leaves, False when the console ends."""
    with _raw_mode(source.fileno()):
        sink.write(hint.encode())
        left = _pass_keys(console, source.fileno(), Display(console, sink, raw=True))
    if left:
        sink.write(b"\r\n")
    return left


def _watch(poll: select.poll, console: Console) -> None:
    """For all that the console may be moved by."""
    poll.register(console.fileno(), select.POLLIN | (select.POLLOUT if console.unsent else 0))
    for bell in console.bells:
        poll.register(bell, select.POLLIN)


def _pass_keys(console: Console, keyboard: int, display: Display) -> bool:
    keys = KeyFilter()
    poll = select.poll()
    poll.register(keyboard, select.POLLIN)
    while console.running:
        _watch(poll, console)
        if dict(poll.poll(1000)).get(keyboard):
            data = os.read(keyboard, 4096)
            through, leave = keys.feed(data)
            if leave or not data:
                return True
            console.send(through)
        display.update()
    while display.update():
        pass
    return False


def from_pipe(
    console: Console, lines: Iterator[bytes], display: Display, *, answered: int = 0
) -> bool:
    """Types each line at a prompt. True when the prompt behind the last one has come, False when
    the console ends before. answered: prompts that are not to be answered."""
    seen, prompts = 0, -answered  # events looked at, prompts among them not yet answered
    heard = time.monotonic()
    poll = select.poll()
    while console.running:
        _watch(poll, console)
        poll.poll(1000)
        if display.update():
            heard = time.monotonic()
        if time.monotonic() - heard > SILENCE_SECONDS:
            raise FluidError(
                "E-RUN-11",
                f"output within {SILENCE_SECONDS:g} s expected, none came; does the machine "
                "hang? (say less, or talk to it on a terminal)",
            )
        prompts += sum(isinstance(event, Prompt) for event in console.events[seen:])
        seen = len(console.events)
        if prompts > 0:
            prompts -= 1
            line = next(lines, None)
            if line is None:
                return True
            console.send_line(line.rstrip(b"\r\n"))
            heard = time.monotonic()
    while display.update():
        pass
    return False


def _why(machine: Machine) -> str:
    """What a panic says about itself, as the end of a sentence."""
    panics = [event for event in machine.events if isinstance(event, Panic)]
    if not panics:
        return ""
    vector = panics[-1].vector
    where = panics[-1].backtrace[0] if panics[-1].backtrace else f"{panics[-1].ip:#x}"
    return f": vector {vector} at {where}" if vector is not None else f" at {where}"


@contextlib.contextmanager
def _raw_mode(fd: int) -> Iterator[None]:
    """The terminal passes every key unchanged; its mode comes back however the block is left."""
    before = termios.tcgetattr(fd)
    try:
        tty.setraw(fd)
        yield
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)


@contextlib.contextmanager
def terminated_as_exit() -> Iterator[None]:
    """Signals unwind the stack, so that the terminal and the emulator are tidied up."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signal handlers belong to the main thread
        return

    def leave(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, leave) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
