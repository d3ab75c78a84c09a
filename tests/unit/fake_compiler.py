"""Stands in for QEMU and fluid-host in tests of what a machine compiles: it answers, decides about
code in its first life, and keeps that beside a writable image for those that follow.

FAKE_WRONG in the environment says where it goes wrong.
"""

import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

from fake_guest import emit, lines, plugged
from hotness_samples import BUILD, TARGET, export_data, function

KEY = "ab" * 32
BUSY = 2  # prompts with decisions
COLD_NS, WARM_NS = 4000, 1000  # of a token


class Compiling:
    """One machine. With no compiler it is as fast as it will ever be, but for a knob of the best
    variant's."""

    def __init__(self, argv: list[str]) -> None:
        hosted = not any(arg.startswith("socket,id=serial,") for arg in argv)
        self.channel = socket.socket(fileno=os.dup(0)) if hosted else plugged(argv)[0]
        drive = next((arg for arg in argv if arg.startswith("if=none,id=disk")), "")
        self.image = Path(argv[-1] if hosted else drive.partition("file=")[2])
        self.writable = "--writable" in argv or "snapshot=off" in drive
        self.wrong = os.environ.get("FAKE_WRONG", "")
        self.kept = Path(f"{self.image}.kept").exists()
        self.compiles = "variants.img" not in argv[-1] and "base.img" not in argv[-1]
        self.tunes = "base.img" not in argv[-1]
        self.prompts = 0
        self.off = False
        self.drafts = True
        self.tokens = 0

    def live(self) -> None:
        """From power-on to the end of the line."""
        emit(self.channel, "boot", build=BUILD, target=TARGET, cpu="Fake", features=[], cores=1)
        entries = (2 if self.compiles else 1) if self.kept else 0
        emit(self.channel, "cache", op="mount", key=None, reason=None, entries=entries)
        for _ in range(entries if self.wrong != "forgets" else 0):
            emit(self.channel, "cache", op="hit", key=KEY, reason=None, entries=entries)
        model = None if self.wrong == "no-model" else "fake"
        if model is None:
            emit(self.channel, "error", code="E-MEM-02", text="more memory expected")
        emit(self.channel, "ready", ms=1, model=model, mem_total=1, mem_used=1, variant="v")
        for line in lines(self.channel):
            self.answer(line)

    def answer(self, line: bytes) -> None:
        """Runs one line."""
        match line.split():
            case [b"/off"]:
                self.switch_off()
            case [b"/complete", count, *_] if self.wrong != "deaf":
                self.complete(int(count))
            case [b"/speed", prompt, new] if self.wrong != "deaf":
                self.speed(int(prompt), int(new))
            case [b"/profile"]:
                self.profile()
            case [b"/profile", b"reset"]:
                self.tokens = 0
            case [b"/jit", b"on" | b"off"] if self.wrong != "switchless":
                self.off = line.endswith(b"off")
            case [b"/set", b"lookup", value] if self.wrong != "drafts":
                self.drafts = value == b"on"
            case [b"/set", *_] if self.wrong == "drafts":
                emit(self.channel, "error", code="E-CON-04", text="a setting expected")
            case [b"/set", *_] | [b"/clear"]:
                pass
            case [word, *words] if not word.startswith(b"/"):
                self.reply(1 + len(words))
            case _:
                emit(self.channel, "error", code="E-CON-02", text="a command expected")

    def reply(self, count: int) -> None:
        """A token for each word, half of them drafted, which is twice as fast."""
        if self.wrong == "mute":
            emit(self.channel, "error", code="E-CTX-01", text="room expected")
            return
        other = self.drafts and self.wrong == "other"
        for number in range(count):
            emit(self.channel, "token", id=number + other, text="a")
        n = count // 2 if self.drafts else 0
        speed = {"prompt_tps": 1.0, "gen_tps": 100.0 * (1 + self.drafts)}
        counts = {"n_prompt": 1, "n_gen": count, "cycles": 1, "drafted": n, "accepted": n}
        emit(self.channel, "done", reason="eog", **counts, **speed)

    def decide(self) -> None:
        """About code and then a knob, in the first prompts of the first life."""
        self.prompts += 1
        if not self.tunes or self.kept or self.prompts > BUSY or self.wrong == "lazy":
            return
        ms = 30 * self.prompts
        if self.compiles:
            self.decided(f"O{self.prompts}", "published", None, ms)
            self.decided(f"O{self.prompts}", "rejected", "not-faster", ms)
        if self.prompts == BUSY:
            self.decided("ahead=4096", "published", None, 0)
        emit(self.channel, "cache", op="put", key=KEY, reason=None, entries=self.prompts)

    def decided(self, to: str, result: str, reason: str | None, ms: int) -> None:
        at = {"op": "attention", "shape": "9x64", "from": "T0", "to": to}
        cycles = {"cycles_before": 200, "cycles_after": 100, "compile_ms": ms}
        emit(self.channel, "tier", **at, **cycles, result=result, reason=reason)

    def complete(self, count: int) -> None:
        other = self.wrong == "other" and self.kept and self.compiles
        for number in range(count):
            emit(self.channel, "token", id=number + other * (number == 5), text="a")
        self.decide()

    def speed(self, prompt: int, new: int) -> None:
        fast = (self.kept and not self.off) or "variants" in self.image.name
        ns = WARM_NS if fast else COLD_NS
        other = self.wrong == "other" and self.kept and self.compiles
        self.tokens += prompt + new
        self.decide()
        ids = [*range(prompt + new - 1), 7 + other]
        times = {"prompt_ns": prompt * ns // 2, "new_ns": new * ns}
        emit(self.channel, "speed", ids=ids, n_prompt=prompt, n_new=new, **times)

    def profile(self) -> None:
        """2 cycles are a nanosecond: a token has two products of 100 ns and 300 ns of attention."""
        n = self.tokens
        functions: list[dict[str, Any]] = [
            function("tensor_q4_1", name="matmul_q4_1", rows=5, calls=2 * n, cycles=400 * n),
            function("tensor_attention", name="attention", calls=n, cycles=600 * n),
            function("tensor_norm", name="rmsnorm", calls=n, cycles=20 * n),
            function("llama", name="llama_eval", calls=n, cycles=9000 * n),
        ]
        if self.wrong == "silent":
            return
        self.channel.sendall(b"\x1e" + json.dumps(export_data(*functions)).encode() + b"\n")

    def switch_off(self) -> None:
        if self.writable and self.tunes:
            Path(f"{self.image}.kept").touch()
        emit(self.channel, "bye")
        sys.exit(35 if self.wrong == "stumbles" else 33)


if __name__ == "__main__":
    Compiling(sys.argv).live()
