"""One Bochs machine as a process that looks like QEMU's: console on a socket, telling exit status.

    python -m fluid.bochs_session PROGRAM IMAGE CPU MEM reboot|no-reboot FD [BOCHSRC LINE ...]

Bochs offers COM1 as a TCP client; its bytes are passed on to the socket FD. The session ends when
Bochs does, when the machine wrote its exit code, at a reset unless `reboot`, or when FD is closed.
Its folder is removed as soon as Bochs has opened everything in it.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import FrameType
from typing import NoReturn

from fluid.bochs import BOCHSRC, DISK, LOG, RC, SAID, Log, configuration, copy_disk
from fluid.errors import FluidError
from fluid.parent import signalled_by_death

CONNECT_SECONDS = 60.0  # from the start of Bochs to its connection
END_SECONDS = 20.0  # from the end of the console to the end of the process
LOOK_SECONDS = 0.1  # the log is looked at so often when the console is silent
CHUNK = 1 << 16
SILENCE_SECONDS = 0.3  # no byte for so long: the kernel's buffers are empty
RESETS = 1000  # the debugger wants a `continue` at power-on and after each reset


class Session:
    """Bochs, the two ends of the console, and the log."""

    def __init__(self, near: socket.socket, folder: Path) -> None:
        self.near = near  # whoever talks to the machine
        self.folder = folder
        self.log = Log()
        self.bochs: subprocess.Popen[bytes] | None = None
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1)

    def start(self, program: str, image: Path, cpu: str, mem: int, extra: list[str]) -> None:
        """Starts Bochs and waits for its COM1. E-RUN-18 when it does not come."""
        copy_disk(image, self.folder / DISK)
        port = self._listener.getsockname()[1]
        (self.folder / BOCHSRC).write_text(configuration(self.folder, cpu, mem, port, extra))
        (self.folder / RC).write_text("c\n" * (1 + RESETS))
        (self.folder / LOG).touch()
        self._log_file = (self.folder / LOG).open(encoding="utf-8", errors="replace")
        self._said = (self.folder / SAID).open("w+", encoding="utf-8", errors="replace")
        self.bochs = bochs = subprocess.Popen(
            [program, "-q", "-f", str(self.folder / BOCHSRC), "-rc", str(self.folder / RC)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # the screen, for a terminal of this type
            stderr=self._said,
            env={**os.environ, "TERM": "vt100"},
            preexec_fn=signalled_by_death(signal.SIGKILL),
        )
        deadline = time.monotonic() + CONNECT_SECONDS
        self._listener.settimeout(LOOK_SECONDS)
        while bochs.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(TimeoutError):
                self.far = self._listener.accept()[0]
                self._listener.close()
                return
        self.read_log()
        raise FluidError(
            "E-RUN-18",
            f"Bochs with its COM1 connected expected, but it {self._state()}; see bochsrc(5)",
        )

    def read_log(self) -> None:
        """Takes in what has been logged since the last call."""
        self.log.feed(self._log_file.read())

    def run(self, reboot: bool) -> int:
        """Passes bytes until the machine has ended; the status that QEMU would end with."""
        to_near, to_far = bytearray(), bytearray()
        open_far, heard = True, time.monotonic()
        self.near.setblocking(False)
        self.far.setblocking(False)
        while open_far or to_near:
            self.read_log()
            if self._ending(reboot) is not None and self.bochs:
                self.bochs.send_signal(signal.SIGSTOP)  # what was said before is on its way
                if not to_near and time.monotonic() - heard > SILENCE_SECONDS:
                    break
            self._wait(to_near, to_far, open_far)
            if not _receive(self.near, to_far):
                return 0  # nobody listens any more
            before = len(to_near)
            open_far = open_far and _receive(self.far, to_near)
            heard = time.monotonic() if len(to_near) > before else heard
            if to_near and self.folder.exists():
                shutil.rmtree(self.folder, ignore_errors=True)  # all is open once it speaks
            _send(self.near, to_near)
            _send(self.far, to_far)
        return self._last_words(reboot)

    def _wait(self, to_near: bytearray, to_far: bytearray, open_far: bool) -> None:
        readers = [self.near] if len(to_far) < CHUNK else []
        readers += [self.far] if open_far and len(to_near) < CHUNK else []
        writers = [s for s, data in ((self.near, to_near), (self.far, to_far)) if data]
        select.select(readers, writers, [], LOOK_SECONDS)

    def _ending(self, reboot: bool) -> int | None:
        """2 * code + 1 as isa-debug-exit does, 0 after a reset; None when neither is in the log."""
        if self.log.exit_code is not None:
            return 2 * self.log.exit_code + 1
        return 0 if self.log.resets > 0 and not reboot else None

    def _last_words(self, reboot: bool) -> int:
        """The status once the console is at its end; 1 when Bochs ended by itself."""
        if self._ending(reboot) is None and self.bochs:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.bochs.wait(END_SECONDS)
            self.read_log()
        status = self._ending(reboot)
        if status is None:
            print(f"Bochs was expected to run on; it {self._state()}", file=sys.stderr)
        return 1 if status is None else status

    def _state(self) -> str:
        status = self.bochs.poll() if self.bochs else None
        how = "runs" if status is None else f"ended with status {status}"
        self._said.seek(0)
        lines = self._said.read().splitlines()
        panics = self.log.panics or [line for line in lines if ">>PANIC<<" in line]
        return "; ".join([how, *panics])

    def close(self) -> None:
        """Ends Bochs and removes what is left of its folder."""
        if self.bochs:
            self.bochs.kill()
            self.bochs.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def _receive(sock: socket.socket, into: bytearray) -> bool:
    """Reads what is there while there is room for it; False at the end of the line."""
    if len(into) >= CHUNK:
        return True
    try:
        data = sock.recv(CHUNK)
        if sock.family == socket.AF_INET:  # Bochs sends byte by byte: each waits for the last's ACK
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
    except BlockingIOError:
        return True
    except ConnectionResetError:
        return False
    into += data
    return bool(data)


def _send(sock: socket.socket, data: bytearray) -> None:
    """Writes what can be written; a closed end shows up on reading."""
    if data:
        with contextlib.suppress(BlockingIOError, BrokenPipeError, ConnectionResetError):
            del data[: sock.send(data)]


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


def main(argv: list[str]) -> int:
    """Runs one session; see the module's first lines."""
    program, image, cpu, mem, reboot, fd, *extra = argv
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _leave)
    session = Session(socket.socket(fileno=int(fd)), Path(tempfile.mkdtemp(prefix="fluid-bochs-")))
    try:
        session.start(program, Path(image), cpu, int(mem), extra)
        return session.run(reboot == "reboot")
    except FluidError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        session.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
