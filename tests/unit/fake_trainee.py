"""Stands in for QEMU in tests of the training: a machine that runs benchmarks, completes texts and
exports what it has counted. The argument after `-fake` says where it goes wrong; behind a colon, a
file that is made by the first machine: only those after it go wrong."""

import json
import sys
from pathlib import Path
from typing import Any

from fake_guest import emit, lines, plugged
from hotness_samples import BUILD, TARGET, export_data, function

EARLY = b"early"  # a benchmark whose result comes before the prompt


class Trainee:
    """One machine."""

    def __init__(self, argv: list[str]) -> None:
        self.channel, how = plugged(argv)
        self.wrong, _, first = how.partition(":")
        if first and not Path(first).exists():
            Path(first).touch()
            self.wrong = ""
        self.calls: dict[str, int] = {}  # by module
        self.late: list[dict[str, Any]] = []

    def live(self) -> None:
        """From power-on to the end of the line."""
        emit(self.channel, "boot", build=BUILD, target=TARGET, cpu="Fake", features=[], cores=1)
        model = None if self.wrong == "no-model" else "fake"
        if model is None:
            emit(self.channel, "error", code="E-MEM-02", text="more memory expected")
        emit(self.channel, "ready", ms=1, model=model, mem_total=1, mem_used=1, variant=None)
        for line in lines(self.channel, self.late):
            self.late.clear()
            self.answer(line)

    def answer(self, line: bytes) -> None:
        """Runs one line."""
        match line.split():
            case [b"/profile", b"reset"]:
                self.calls = {}
            case [b"/profile"]:
                self.export()
            case [b"/bench", name, _, calls]:
                self.bench(name, int(calls))
            case [b"/clear"] | [b"/jit", b"off"]:
                pass
            case _:
                self.complete()

    def bench(self, name: bytes, calls: int) -> None:
        if self.wrong == "bench":
            self.late.append({"ev": "error", "code": "E-BENCH-03", "text": "a checksum expected"})
            return
        self.calls[name.decode()] = self.calls.get(name.decode(), 0) + calls
        event: dict[str, Any] = {
            **{"ev": "bench", "name": name.decode(), "tag": name.decode(), "size": 1},
            **{"calls": calls, "min": 1, "median": 2, "max": 3, "checksum": 4},
            **{"units": 1, "unit": "words", "counters": [["branches", None]]},
        }
        if name == EARLY:
            emit(self.channel, **event)
        else:
            self.late.append(event)

    def complete(self) -> None:
        if self.wrong == "complete":
            emit(self.channel, "error", code="E-CTX-01", text="room expected")
            return
        self.calls["llama"] = self.calls.get("llama", 0) + 1
        emit(self.channel, "token", id=1, text="a")

    def export(self) -> None:
        functions = [function(name, calls=calls) for name, calls in self.calls.items()]
        stack = {"count": 3, "functions": ["kernel_main", "console_run"]}
        samples = {"hz": 100, "taken": 3, "idle": 1, "lost": 0, "stacks": [stack]}
        data = export_data(*functions if self.wrong != "empty" else (), samples=samples)
        if self.wrong == "build":
            data["build"] = "ee" * 16
        record = b"\x1e" + json.dumps(data).encode() + b"\n"
        if self.wrong == "silent":
            emit(self.channel, "error", code="E-CON-02", text="a command expected")
        elif self.wrong == "off":
            sys.exit(0)
        elif self.wrong in ("unplugged", "torn"):
            self.channel.sendall(record[: len(record) // 2])
            if self.wrong == "unplugged":
                sys.exit(0)
            self.channel.sendall(b"\n")
        else:
            self.channel.sendall(record)


if __name__ == "__main__":
    Trainee(sys.argv).live()
