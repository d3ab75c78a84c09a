"""Stands in for QEMU in unit tests: takes its arguments, speaks the console contract on the serial
socket. The argument after `-fake` chooses how it behaves at start."""

import json
import os
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any


def emit(channel: socket.socket, ev: str, **fields: object) -> None:
    """Writes one event in two portions, so that readers meet split records."""
    data = b"\x1e" + json.dumps({"ev": ev, **fields}).encode() + b"\n"
    channel.sendall(data[:5])
    channel.sendall(data[5:])


def greet(channel: socket.socket) -> None:
    """Everything from power-on to the first prompt."""
    channel.sendall(b"Fluid OS\r\n")
    emit(channel, "boot", build="00" * 16, target="i686", cpu="Fake", features=["sse2"], cores=1)
    emit(channel, "warn", code="E-MOD-04", text="a whole module expected, a damaged one found")
    emit(channel, "ready", ms=12, model=None, mem_total=1, mem_used=1, variant=None)


def answer(channel: socket.socket, line: bytes) -> None:
    """Runs one line; may end the process as the machine would."""
    if line == b"/off":
        emit(channel, "bye")
        sys.exit(33)
    if line == b"/panic":
        emit(channel, "panic", vector=6, error_code=0, ip=1, address=None, backtrace=["f+0x1"])
        sys.exit(37)
    if line == b"/reboot":
        emit(channel, "bye")
        sys.exit(0)
    if line == b"/abort":  # the emulator itself
        print("fake: assertion failed", file=sys.stderr, flush=True)
        os.abort()
    if line == b"/crash":  # a triple fault
        sys.exit(0)
    if line == b"/garbage":
        channel.sendall(b'\x1e{"ev":"done"}\n')
    if line in (b"/huge", b"/nan"):
        tps = b"1e999" if line == b"/huge" else b"NaN"
        fields = b'"reason":"eog","n_prompt":1,"n_gen":1,"cycles":1,"drafted":0,"accepted":0,'
        fields += b'"prompt_tps":1,"gen_tps":'
        channel.sendall(b'\x1e{"ev":"done",' + fields + tps + b"}\n")
    for number, text in enumerate(line.decode().split()):
        emit(channel, "token", id=number, text=text)
        channel.sendall(text.encode())
    channel.sendall(b"\r\n")


def lines(channel: socket.socket, late: Sequence[dict[str, Any]] = ()) -> Iterator[bytes]:
    """Prompts for a line, time and again; events in `late` come behind the prompt."""
    pending = b""
    while True:
        emit(channel, "prompt")
        channel.sendall(b"> ")
        for event in late:
            emit(channel, **event)
        while b"\r" not in pending:
            data = channel.recv(65536)
            if not data:
                sys.exit(1)
            data = data.replace(b"\x1e\x00", b"")  # begins no record
            channel.sendall(data.replace(b"\r", b"\r\n"))  # the echo
            pending += data
        line, _, pending = pending.partition(b"\r")
        yield line


def plugged(argv: list[str]) -> tuple[socket.socket, str]:
    """The serial line, and how to behave."""
    serial = next(arg for arg in argv if arg.startswith("socket,id=serial,"))
    channel = socket.socket(fileno=int(serial.rpartition("=")[2]))
    return channel, argv[argv.index("-fake") + 1] if "-fake" in argv else ""


def main(argv: list[str]) -> None:
    """One life of the machine."""
    channel, how = plugged(argv)
    if how == "broken":
        print("fake: no such device", file=sys.stderr)
        sys.exit(1)
    if how == "silent":
        time.sleep(600)
    greet(channel)
    for line in lines(channel):
        answer(channel, line)


if __name__ == "__main__":
    main(sys.argv)
