"""Programs that are measured in turns, each a process that answers one JSON line with another: the
peer (peer_llamacpp.py) and the measurement of bandwidth (src/peers/read_bandwidth.c).

E-PEER-02: it ended, or did not answer in time. E-PEER-03: an answer is not what was asked for.
"""

from __future__ import annotations

import contextlib
import json
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

from fluid.errors import FluidError
from fluid.parent import signalled_by_death
from fluid.records import EventError, from_object

START_SECONDS = 300.0
ANSWER_SECONDS = 900.0
TAIL = 400  # characters of what it said on standard error

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Started:
    """The first line."""

    ready: str
    version: str
    vocab: int | None = None


@dataclass(frozen=True, kw_only=True)
class Taken:
    """Of the peer: the new tokens, and what the prompt and they took."""

    ids: list[int]
    prompt_ns: int = field(metadata={"least": 1})
    new_ns: int = field(metadata={"least": 0})


@dataclass(frozen=True, kw_only=True)
class Read:
    """What was read in what time."""

    bytes: int = field(metadata={"least": 1})
    ns: int = field(metadata={"least": 1})

    @property
    def per_second(self) -> int:
        """Bytes."""
        return self.bytes * 10**9 // self.ns


class LineProcess:
    """One such process; a context manager, which ends it."""

    def __init__(self, name: str, argv: Sequence[str], answer_seconds: float = ANSWER_SECONDS):
        self.name = name
        self.argv = argv
        self.answer_seconds = answer_seconds
        self._pending = b""

    def __enter__(self) -> Self:
        self._stderr = tempfile.TemporaryFile()  # closed in __exit__
        try:
            self._process = subprocess.Popen(
                self.argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._stderr,
                bufsize=0,
                preexec_fn=signalled_by_death(signal.SIGKILL),
            )
        except OSError as error:
            self._stderr.close()
            raise FluidError(
                "E-PEER-02", f"{self.name} was expected to start, found: {error}"
            ) from error
        try:
            self.started = self._answer(Started, START_SECONDS)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *reason: object) -> None:
        self._end()

    @property
    def pid(self) -> int:
        return self._process.pid

    def _end(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._stderr):
            if pipe is not None:
                pipe.close()

    def ask(self, request: dict[str, Any], kind: type[T]) -> T:
        """One request, and its answer."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # reading tells how it ended
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
        return self._answer(kind, self.answer_seconds)

    def _answer(self, kind: type[T], seconds: float) -> T:
        line = self._line(seconds)
        try:
            found = json.loads(line)
            if isinstance(found, dict) and "error" in found:
                raise FluidError(
                    "E-PEER-02", f"{self.name} was expected to go on, found: {found['error']}"
                )
            return from_object(found, kind, self.name)
        except (ValueError, EventError) as error:
            raise FluidError(
                "E-PEER-03",
                f"{self.name}: an answer of the form {kind.__name__} expected, found "
                f"{line[:80]!r} ({error})",
            ) from error

    def _line(self, seconds: float) -> bytes:
        assert self._process.stdout is not None
        deadline = time.monotonic() + seconds
        while b"\n" not in self._pending:
            left = max(0.0, deadline - time.monotonic())
            if not select.select([self._process.stdout], [], [], left)[0]:
                raise FluidError(
                    "E-PEER-02", f"{self.name}: an answer expected within {seconds:g} s, none came"
                )
            data = self._process.stdout.read(1 << 16)
            if not data:
                raise FluidError("E-PEER-02", f"{self.name}: an answer expected, {self._death()}")
            self._pending += data
        line, _, self._pending = self._pending.partition(b"\n")
        return line

    def _death(self) -> str:
        status = self._process.wait()
        self._stderr.seek(0)
        said = self._stderr.read().decode(errors="replace").strip()[-TAIL:]
        return f"but it ended with status {status}" + (f"; it said: {said}" if said else "")


class Peer(LineProcess):
    """A program that runs the same model."""

    def measure(self, prompt: Sequence[int], new: int) -> Taken:
        """The same request as /speed's, checked as far as it can be: what it made are so many
        tokens of the vocabulary, and making them took time."""
        taken = self.ask({"prompt": list(prompt), "new": new}, Taken)
        vocab = self.started.vocab or 0
        if len(taken.ids) != new or not all(0 <= i < vocab for i in taken.ids):
            raise FluidError(
                "E-PEER-03",
                f"{self.name}: {new} tokens below {vocab} expected, found {len(taken.ids)}: "
                f"{taken.ids!s:.60}",
            )
        if new and taken.new_ns == 0:
            raise FluidError(
                "E-PEER-03", f"{self.name}: time for {new} new tokens expected, found none"
            )
        return taken


class Bandwidth(LineProcess):
    """Reads memory."""

    def measure(self) -> Read:
        """Once."""
        return self.ask({}, Read)
