"""The compile server: jit.elf of this host answers what a machine asks on its serial line.

Requests come as events, answers go as records; docs/formats.md has both, src/kernel/jit/ is the
other end. A request is believed nothing: its limits are capped, and whatever is wrong with it, or
happens to jit.elf, is told to the machine, which keeps the code that it has.

    with CompileServer(program) as server:
        server.take(event)   of every event; True: it was for the server, nobody else wants it
        server.outgoing()    what is to be sent by now; more has come when fileno() is readable

E-JIT-62 the request that came is not the one that was sent; 63 jit.elf was built anew meanwhile.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Self

from fluid import jit
from fluid.errors import FluidError
from fluid.event_types import Boot, Compile, CompileNext, Event, Prompt, Ready
from fluid.files import StrPath
from fluid.jitlayout import REQUEST_MAX, with_limits

# As src/kernel/jit/compiler_serial.h has them.
RECORD_BYTES = 3072  # of an answer in one record
ANSWER_MAX = 16 << 20
CPU_SECONDS = 120  # that a request may have
CHECK_SIZE = 16  # hexadecimal digits

MEMORY = 1 << 30  # bytes of address space that it may have
SPARE_SECONDS = 15.0  # of time that passes, beside its CPU time
ANNOUNCED_SECONDS = 60.0  # at a prompt behind that it says again that it is there
TEXT_MAX = 150  # bytes of a refusal
OUTBOX_MAX = 64 << 10  # bytes: while nobody takes them, nothing is added


def checksum(data: bytes | bytearray) -> str:
    """The first digits of the SHA-256."""
    return hashlib.sha256(data).hexdigest()[:CHECK_SIZE]


def record(words: str) -> bytes:
    """As the machine takes it out of what is typed; what it would not take is shown as '?'."""
    text = "".join(c if " " <= c <= "~" else "?" for c in words)
    return b"\x1e" + text.encode() + b"\n"


@dataclass
class _Request:
    """One that comes in."""

    id: int
    size: int
    check: str | None
    data: bytearray = field(default_factory=bytearray)


@dataclass
class _Job:
    """One that jit.elf works on. Its thread sets `done` last: then there is either of these."""

    id: int
    process: subprocess.Popen[bytes]
    answer: bytes = b""
    refusal: str = ""
    done: bool = False
    told: bool = False  # its first part, or the refusal, is on its way


class CompileServer:
    """Answers one machine, one request at a time: a new one ends the one before."""

    def __init__(self, program: StrPath) -> None:
        self.answered = 0  # requests with an answer of jit.elf's
        self.closed = False
        self._program = program
        self._toolchain = jit.build_id(program)
        self._session = os.urandom(4).hex()
        self._announced: float | None = None
        self._request: _Request | None = None
        self._refused: int | None = None  # the rest of its parts may be on their way
        self._job: _Job | None = None
        self._outbox = bytearray()
        self._bell, self._far_bell = socket.socketpair()
        self._bell.setblocking(False)
        self._far_bell.setblocking(False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._drop()
        self.closed = True
        self._bell.close()
        self._far_bell.close()

    def fileno(self) -> int:
        """Readable when jit.elf has ended, for poll()."""
        return self._bell.fileno()

    def announce(self) -> None:
        """Says that it is there; by itself it does so when a machine has booted."""
        words = f"H {self._toolchain} {self._session}"
        self._say(f"{words} {checksum(words.encode())}")
        self._announced = time.monotonic()

    def leave(self) -> None:
        """Says that it is not there any more."""
        self._drop()
        self._say(f"B {self._session}")

    def take(self, event: Event) -> bool:
        """True for an event that is the server's alone."""
        if isinstance(event, Compile):
            self._take_part(event)
            return True
        if isinstance(event, CompileNext):
            self._send_part(event.id, event.offset)
            return True
        if isinstance(event, Boot):
            self._drop()
        elif isinstance(event, Ready) or (isinstance(event, Prompt) and self._silent()):
            self.announce()
        return False

    def outgoing(self) -> bytes:
        """Bytes for the machine, once."""
        with contextlib.suppress(BlockingIOError):
            while self._bell.recv(64):
                pass
        job = self._job
        if job and job.done and not job.told:
            job.told = True
            if job.refusal:
                self._refuse(job.id, job.refusal)
            else:
                self.answered += 1
                self._send_part(job.id, 0)
        data = bytes(self._outbox)
        self._outbox.clear()
        return data

    # ---- inside

    def _silent(self) -> bool:
        last = self._announced
        return last is None or time.monotonic() - last > ANNOUNCED_SECONDS

    def _say(self, words: str) -> None:
        if len(self._outbox) < OUTBOX_MAX:
            self._outbox += record(words)

    def _refuse(self, request: int, why: str) -> None:
        self._refused = request
        self._say(f"E {request} {why[:TEXT_MAX]}")

    def _drop(self) -> None:
        """Nothing that was asked is wanted any more."""
        self._request = None
        if self._job:
            self._job.process.kill()
            self._job = None

    def _take_part(self, event: Compile) -> None:
        try:
            request = self._joined(event)
            if request is None or len(request.data) < request.size:
                return
            self._request = None
            found = checksum(request.data)
            if found != request.check:
                raise _not_sent(f"SHA-256 {request.check}", found)
            self._start(request.id, with_limits(bytes(request.data), MEMORY, CPU_SECONDS))
        except FluidError as error:
            self._request = None
            self._refuse(event.id, str(error))

    def _joined(self, event: Compile) -> _Request | None:
        """The request with this part; None for a part of one that is refused already."""
        if event.offset == 0:
            self._drop()
            self._refused = None
            self._request = _Request(event.id, event.size, event.check)
        elif event.id == self._refused:
            return None
        request = self._request
        if request is None or (event.id, event.size) != (request.id, request.size):
            raise _not_sent("a part at 0", event.offset)
        if event.offset != len(request.data):
            raise _not_sent(f"a part at {len(request.data)}", event.offset)
        if request.size > REQUEST_MAX:
            raise _not_sent(f"at most {REQUEST_MAX} bytes", request.size)
        try:
            part = base64.b64decode(event.b64, validate=True)
        except binascii.Error as error:
            raise _not_sent("base64", error) from None
        if not 0 < len(part) <= request.size - len(request.data):
            raise _not_sent(f"{request.size} bytes in all", len(request.data) + len(part))
        request.data += part
        return request

    def _start(self, request: int, data: bytes) -> None:
        found = jit.build_id(self._program)
        if found != self._toolchain:
            self._toolchain = found
            self.announce()
            raise FluidError(
                "E-JIT-63",
                "the compiler that was announced expected, found another one, built meanwhile; "
                "it is announced now: ask again",
            )
        self._job = _Job(request, jit.start(self._program))
        threading.Thread(target=self._work, args=(self._job, data), daemon=True).start()

    def _work(self, job: _Job, data: bytes) -> None:
        """In a thread of its own."""
        try:
            job.answer = jit.finish(job.process, data, CPU_SECONDS + SPARE_SECONDS)
            if not 0 < len(job.answer) <= ANSWER_MAX:
                found = len(job.answer)
                job.refusal = f"an answer of 1 to {ANSWER_MAX} bytes expected, found {found}"
        except FluidError as error:
            job.refusal = str(error)
        except Exception as error:  # whatever it is, the machine waits
            job.refusal = repr(error)
        job.done = True
        with contextlib.suppress(OSError):  # full: it rings already; closed: nobody listens
            self._far_bell.send(b"!")

    def _send_part(self, request: int, offset: int) -> None:
        job = self._job
        if job is None or job.id != request or not job.told or job.refusal:
            return
        part = job.answer[offset : offset + RECORD_BYTES]
        if part:
            words = base64.b64encode(part).decode()
            check = checksum(job.answer)
            self._say(f"R {job.id} {len(job.answer)} {check} {offset} {words}")


def _not_sent(expected: str, found: object) -> FluidError:
    return FluidError(
        "E-JIT-62", f"of a request {expected} expected, found {found}; was the line disturbed?"
    )


@contextlib.contextmanager
def serving(program: str) -> Iterator[CompileServer | None]:
    """A server with this jit.elf; none for ""."""
    if not program:
        yield None
        return
    with CompileServer(program) as server:
        yield server
