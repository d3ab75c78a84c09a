"""One machine with its console, in QEMU, Bochs or fluid-host: start, talk with deadlines, end.

    with Machine(image, target="i686") as machine:
        machine.wait_for(Ready, 60)
        events = machine.command("/score Once upon a time")

The machine is ended on leaving the block. All waits have a limit; a machine as a whole has one too.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import tempfile
import time
from collections import deque
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from fluid import bochs, hosted
from fluid.compile_server import CompileServer
from fluid.emulator import (
    ACCELERATORS,
    BOCHS,
    HOST,
    Ending,
    MachineConfig,
    command,
    ending_of,
    ending_text,
)
from fluid.errors import FluidError
from fluid.event_types import Event, Prompt, Token
from fluid.events import EventStream, Item, Malformed, Text
from fluid.parent import signalled_by_death
from fluid.qmp import Qmp

LIFE_SECONDS = 1800.0  # no machine outlives this
END_SECONDS = 60.0  # from the end of the serial line to the end of the process
SITE = Path(__file__).resolve().parents[1]  # where Python finds the package
STALL_SECONDS = 2.0  # of silence, with -icount
LOG_TAIL = 3000  # bytes of console shown in error messages

E = TypeVar("E", bound=Event)


class MachineEnded(FluidError):
    """The machine ended while something was expected from it."""

    def __init__(self, text: str, ending: Ending) -> None:
        super().__init__("E-RUN-05", text)
        self.ending = ending


class MachineTimeout(FluidError):
    """Nothing that was expected came in time."""

    def __init__(self, text: str) -> None:
        super().__init__("E-RUN-04", text)


class Machine:
    """A running machine; see MachineConfig for the options."""

    def __init__(
        self,
        image: Path,
        *,
        target: str,
        life: float = LIFE_SECONDS,
        server: CompileServer | None = None,
        **options: Any,
    ) -> None:
        self.config = MachineConfig(image=image, target=target, **options)
        self.log = bytearray()  # every byte of the console
        self.text = bytearray()  # the console without events
        self.events: list[Event] = []  # every event since the start
        self.malformed: list[Malformed] = []
        self.ending: Ending | None = None
        self._life = life
        self._server = server
        self._outbox = bytearray()  # typed, not yet taken by the emulator
        self._queue: deque[Event | Malformed] = deque()
        self._stream = EventStream()
        self._open = False  # the serial line

    def __enter__(self) -> Self:
        self._serial, serial_far = socket.socketpair()
        qmp_near, qmp_far = socket.socketpair()
        self._qmp_socket = qmp_near
        self._stderr = tempfile.TemporaryFile()  # closed in close()
        try:
            self._process = self._start(serial_far, qmp_far)
        except BaseException:
            self._serial.close()
            qmp_near.close()
            self._stderr.close()
            raise
        finally:
            serial_far.close()
            qmp_far.close()
        self._serial.setblocking(False)
        self._open = True
        self._death = time.monotonic() + self._life
        return self

    def _start(self, serial: socket.socket, qmp: socket.socket) -> subprocess.Popen[bytes]:
        """The process, with the far ends of its serial line and, for an emulator, of QMP."""
        config = self.config
        if config.runner == HOST:
            argv = hosted.command(
                config.image,
                config.target,
                config.mem,
                config.smp,
                config.reboot,
                (*config.extra, *(("--writable",) if config.writable else ())),
                config.emulator,
            )
            return subprocess.Popen(
                [*config.within, *argv],
                stdin=serial.fileno(),
                stdout=serial.fileno(),
                stderr=self._stderr,
                preexec_fn=signalled_by_death(signal.SIGKILL),
            )
        if config.runner == BOCHS:
            return subprocess.Popen(
                bochs.session_command(config, serial.fileno()),
                stdin=subprocess.DEVNULL,
                stdout=self._stderr,
                stderr=self._stderr,
                env={**os.environ, "PYTHONPATH": str(SITE)},
                pass_fds=(serial.fileno(),),
                start_new_session=True,  # its debugger would answer the terminal's Ctrl-C
                preexec_fn=signalled_by_death(signal.SIGTERM),  # it tidies up
            )
        return subprocess.Popen(
            command(config, serial.fileno(), qmp.fileno()),
            stdin=subprocess.DEVNULL,
            stdout=self._stderr,
            stderr=self._stderr,
            pass_fds=(serial.fileno(), qmp.fileno()),
            preexec_fn=signalled_by_death(signal.SIGKILL),
        )

    @cached_property
    def qmp(self) -> Qmp:
        """QEMU's control channel: keys and screenshots."""
        if self.config.runner not in ACCELERATORS:
            raise FluidError(
                "E-RUN-12", f"QEMU expected for QMP, found runner={self.config.runner}; use tcg"
            )
        return Qmp(self._qmp_socket)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the emulator and gives its files back; what it said stays. May be called again."""
        if self._stderr.closed:
            return
        self.kill()
        self._serial.close()
        self._qmp_socket.close()
        self._stderr.close()

    # ---- talking

    def send(self, data: bytes) -> None:
        """Types bytes; they are delivered while reading."""
        self._outbox += data
        self._exchange(0.0)

    def send_line(self, line: str | bytes) -> None:
        """Types one line and Enter."""
        self.send((line.encode() if isinstance(line, str) else line) + b"\r")

    def read_event(self, timeout: float) -> Event:
        """The next event."""
        deadline = time.monotonic() + timeout
        while not self._queue:
            self._advance(deadline, "an event", timeout)
        item = self._queue.popleft()
        if isinstance(item, Malformed):
            raise FluidError("E-RUN-06", self._story(f"an event expected, found {item}"))
        return item

    def wait_for(self, kind: type[E], timeout: float) -> list[Event]:
        """The events up to and including the next one of this kind, which is the last."""
        deadline = time.monotonic() + timeout
        seen: list[Event] = []
        while not seen or not isinstance(seen[-1], kind):
            try:
                seen.append(self.read_event(max(0.0, deadline - time.monotonic())))
            except MachineTimeout:
                found = ", ".join(_brief(seen)) or "no event"
                reason = f"event '{kind.ev}' expected within {timeout:g} s, found {found}"
                raise MachineTimeout(self._story(reason)) from None
        return seen

    def command(self, line: str | bytes, timeout: float = 120.0) -> list[Event]:
        """Types a line at the prompt; the events until the next prompt, without it."""
        self.send_line(line)
        return self.wait_for(Prompt, timeout)[:-1]

    def wait_text(self, wanted: bytes, timeout: float, start: int = 0) -> None:
        """Waits until the text contains wanted, from byte start on."""
        deadline = time.monotonic() + timeout
        while wanted not in self.text[start:]:
            self._advance(deadline, f"text {wanted!r}", timeout)

    def quiet(self, seconds: float) -> bool:
        """True when the console stays silent for so long."""
        before = len(self.log)
        deadline = time.monotonic() + seconds
        while self._open and len(self.log) == before and time.monotonic() < deadline:
            self._exchange(deadline - time.monotonic())
        return len(self.log) == before

    # ---- ending

    def wait_end(self, timeout: float) -> Ending:
        """Waits for the machine to end by itself."""
        deadline = time.monotonic() + timeout
        while self._open and time.monotonic() < deadline:
            self._exchange(deadline - time.monotonic())
        if self._open:
            self.kill(Ending.TIMEOUT)
        return self._collect()

    def kill(self, ending: Ending = Ending.KILLED) -> None:
        """Ends the emulator process."""
        if self.ending is None and self._process.poll() is None:
            self._end_process()
            self.ending = ending
        self._collect()

    @property
    def ending_text(self) -> str:
        """How it ended in words, the signal of a crash named; "" while it runs."""
        return "" if self.ending is None else ending_text(self.ending, self._process.returncode)

    @property
    def running(self) -> bool:
        """The emulator runs and its console is open."""
        return self._open and self._process.poll() is None

    def fileno(self) -> int:
        """The console's file descriptor, for poll()."""
        return self._serial.fileno()

    def pump(self) -> None:
        """Moves what can be moved right now, without waiting."""
        self._exchange(0.0)

    @property
    def bells(self) -> tuple[CompileServer, ...]:
        """What else can wake the one who waits."""
        return (self._server,) if self._server and not self._server.closed else ()

    @property
    def unsent(self) -> bool:
        """Typed bytes wait for the emulator to take them."""
        return bool(self._outbox)

    @property
    def emulator_said(self) -> str:
        """What the emulator itself printed; "" once the machine is closed."""
        if self._stderr.closed:
            return ""
        self._stderr.seek(0)
        return self._stderr.read().decode(errors="replace").strip()

    # ---- inside

    def _advance(self, deadline: float, wanted: str, timeout: float) -> None:
        """Moves bytes until something came; raises when nothing can come any more."""
        if not self._open:
            ending = self._collect()
            how = self.ending_text
            raise MachineEnded(self._story(f"{wanted} expected, but it {how}"), ending)
        now = time.monotonic()
        if now >= min(deadline, self._death):
            limit = f"{timeout:g} s" if deadline < self._death else f"its life of {self._life:g} s"
            raise MachineTimeout(self._story(f"{wanted} expected within {limit}, nothing came"))
        self._exchange_or_nudge(min(deadline, self._death) - now)

    def _exchange_or_nudge(self, seconds: float) -> None:
        """Waits like _exchange. With -icount QEMU 7.2 sometimes sleeps although the machine's time
        should go on (seen once in a thousand lines typed at an idle machine); any command on its
        control channel wakes it, and changes nothing of what the machine sees."""
        if self.config.icount is None:
            self._exchange(seconds)
            return
        before = len(self.log)
        self._exchange(min(seconds, STALL_SECONDS))
        if self._open and len(self.log) == before and seconds > STALL_SECONDS:
            with contextlib.suppress(FluidError, OSError):  # it ends: the console will tell
                self.qmp.execute("query-status")

    def _exchange(self, seconds: float) -> None:
        """Moves bytes both ways once, waiting so long for a chance to."""
        if not self._open:
            return
        poll = select.poll()
        self._take_outgoing()
        for bell in self.bells:
            poll.register(bell, select.POLLIN)
        poll.register(self._serial, select.POLLIN | (select.POLLOUT if self._outbox else 0))
        mask = 0
        for fd, bits in poll.poll(max(0.0, seconds) * 1000):
            mask |= bits if fd == self._serial.fileno() else 0
        if mask & select.POLLOUT and self._outbox:
            # The end of the line shows up on reading.
            with contextlib.suppress(BlockingIOError, BrokenPipeError, ConnectionResetError):
                del self._outbox[: self._serial.send(self._outbox)]
        if not mask & (select.POLLIN | select.POLLHUP | select.POLLERR):
            return
        try:
            data = self._serial.recv(1 << 16)
        except BlockingIOError:
            return
        except ConnectionResetError:
            data = b""
        items = self._stream.feed(data) if data else self._stream.close()
        self._open = bool(data)
        self._record(data, items)

    def _record(self, data: bytes, items: list[Item]) -> None:
        self.log += data
        for item in items:
            if isinstance(item, Text):
                self.text += item.data
            elif isinstance(item, Malformed):
                self._queue.append(item)
                self.malformed.append(item)
            elif not (self._server and self._server.take(item)):
                self._queue.append(item)
                self.events.append(item)
        self._take_outgoing()

    def _take_outgoing(self) -> None:
        """Before anything that is typed from now on."""
        for server in self.bells:
            self._outbox += server.outgoing()

    def _collect(self) -> Ending:
        """The ending, once the process is gone; drains what it still said."""
        while self._open:
            self._exchange(END_SECONDS)
        if self.ending is None:
            try:
                self.ending = ending_of(self._process.wait(END_SECONDS))
            except subprocess.TimeoutExpired:
                self._end_process()
                self.ending = Ending.TIMEOUT
        return self.ending

    def _end_process(self) -> None:
        """A Bochs session is asked to end, for it has a folder to remove."""
        if self.config.runner == BOCHS:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(END_SECONDS)
        self._process.kill()
        self._process.wait()

    def _story(self, reason: str) -> str:
        """The reason with what is known about the machine."""
        said = self.emulator_said
        tail = bytes(self.log[-LOG_TAIL:]).replace(b"\x1e", b"<RS>").decode(errors="replace")
        config = self.config
        board = {HOST: "Linux", BOCHS: "pc"}.get(config.runner, config.machine)
        parts = [f"{reason} ({config.target} on {board}, {config.runner})"]
        parts += [f"--- emulator: {said}"] if said else []
        return "\n".join([*parts, "--- end of the console:", tail.replace("\r", "")])


def _brief(events: list[Event]) -> list[str]:
    """Names of events, tokens left out after the first."""
    names: list[str] = []
    for event in events:
        if not (isinstance(event, Token) and names and names[-1] == Token.ev):
            names.append(event.ev)
    return names
