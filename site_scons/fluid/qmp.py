"""QEMU's control channel (QMP, docs/interop/qmp-spec): enough for screenshots, keys, memory."""

from __future__ import annotations

import json
import socket
import tempfile
import time
from pathlib import Path
from typing import Any

from fluid.errors import FluidError

KEYBOARD_OUTPUT_FULL = 0x01  # a scan code waits to be read
QMP_SECONDS = 60.0  # a command is answered within milliseconds; this is for a loaded machine


class Qmp:
    """A client on a connected socket."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._pending = b""
        self._ready = False

    def execute(self, name: str, **arguments: Any) -> Any:
        """Runs one command and gives its return value."""
        deadline = time.monotonic() + QMP_SECONDS
        if not self._ready:
            self._receive("QMP", deadline)  # the greeting
            self._command("qmp_capabilities", {}, deadline)
            self._ready = True
        return self._command(name, arguments, deadline)

    def screenshot(self, path: Path) -> None:
        """Saves what the screen shows as PNG."""
        self.execute("screendump", filename=str(path.resolve()), format="png")

    def press(self, *keys: str) -> None:
        """Presses keys together and lets them go; names are QEMU's QKeyCode: "a", "ret", "ctrl".

        The emulated keyboard holds few codes and drops the rest, so this waits until the machine
        has taken what was pressed before.
        """
        deadline = time.monotonic() + QMP_SECONDS
        while self._keyboard_status() & KEYBOARD_OUTPUT_FULL:
            if time.monotonic() > deadline:
                text = f"keys expected to be taken within {QMP_SECONDS:g} s, one still waits"
                raise FluidError("E-RUN-16", text)
        changes = [(key, True) for key in keys] + [(key, False) for key in reversed(keys)]
        events = [
            {"type": "key", "data": {"down": down, "key": {"type": "qcode", "data": key}}}
            for key, down in changes
        ]
        self.execute("input-send-event", events=events)

    def read_memory(self, address: int, size: int) -> bytes:
        """Physical memory."""
        with tempfile.NamedTemporaryFile() as file:
            self.execute("pmemsave", val=address, size=size, filename=file.name)
            return Path(file.name).read_bytes()

    def _keyboard_status(self) -> int:
        """The status register of the i8042, whose reading changes nothing."""
        said = self.execute("human-monitor-command", **{"command-line": "i /1bx 0x64"})
        return int(said.rpartition("=")[2], 16)

    def _command(self, name: str, arguments: dict[str, Any], deadline: float) -> Any:
        request = {"execute": name, "arguments": arguments}
        self._channel.settimeout(QMP_SECONDS)
        self._channel.sendall(json.dumps(request).encode() + b"\n")
        answer = self._receive("return", deadline)
        if "error" in answer:
            raise FluidError(
                "E-RUN-08",
                f"QMP {name} was expected to succeed, found: {answer['error'].get('desc')}",
            )
        return answer["return"]

    def _receive(self, key: str, deadline: float) -> dict[str, Any]:
        """The next message with this key, or an error answer; asynchronous events are skipped."""
        while True:
            line, found, rest = self._pending.partition(b"\n")
            if found:
                self._pending = rest
                message: dict[str, Any] = json.loads(line)
                if key in message or "error" in message:
                    return message
                continue
            self._channel.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                data = self._channel.recv(65536)
            except TimeoutError:
                data = b""
            if not data:
                text = "an answer on QMP expected, none found; has the emulator ended?"
                raise FluidError("E-RUN-09", text)
            self._pending += data
