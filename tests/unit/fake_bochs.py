"""Stands in for Bochs in unit tests: reads its bochsrc, connects COM1, writes its log, and greets
as fake_guest.py does. A line `fake: HOW` in the bochsrc chooses how it starts."""

import re
import socket
import sys
import time
from pathlib import Path

from fake_guest import emit, greet

RESET = "00000000000i[SYS   ] bx_pc_system_c::Reset(HARDWARE) called\n"


def main(argv: list[str]) -> None:
    """One life of the machine."""
    rc = Path(argv[argv.index("-f") + 1]).read_text()
    assert argv[0] == "-q" and set(Path(argv[argv.index("-rc") + 1]).read_text().split()) == {"c"}
    how = next(iter(re.findall(r"^fake: (\w+)$", rc, re.MULTILINE)), "")
    if how == "refused":
        print("00000000000p[      ] >>PANIC<< bochsrc:9: no such thing", file=sys.stderr)
        sys.exit(1)
    [port] = re.findall(r"^com1: .*dev=127\.0\.0\.1:(\d+)$", rc, re.MULTILINE)
    [log_file] = re.findall(r"^log: (.*)$", rc, re.MULTILINE)
    [disk] = re.findall(r'^ata0-master: .*path="(.*)", cylinders=0$', rc, re.MULTILINE)
    assert Path(disk).stat().st_size % (16 * 63 * 512) == 0
    with open(log_file, "a", buffering=1) as log:
        log.write(RESET)
        log.write("00000000001d[UNMAP ] unmapped: 8-bit write to 0402 = 11\n")
        channel = socket.create_connection(("127.0.0.1", int(port)))
        live(channel, log)


def live(channel: socket.socket, log: object) -> None:
    """Greets, and answers lines until one of them ends the machine."""
    write = log.write  # type: ignore[attr-defined]
    greet(channel)
    pending = b""
    while True:
        emit(channel, "prompt")
        while b"\r" not in pending:
            data = channel.recv(65536)
            if not data:
                sys.exit(1)
            pending += data
        line, _, pending = pending.partition(b"\r")
        words = line.decode().split()
        if words[0] == "/exit":
            emit(channel, "bye")
            write(f"00000000002d[UNMAP ] unmapped: 8-bit write to 00f4 = {words[1]}\n")
            time.sleep(0 if words[1] == "10" else 600)  # switched off, or halted
            write("00000000002p[ACPI  ] >>PANIC<< ACPI control: soft power off\n")
            sys.exit(1)
        if words[0] == "/reset":
            write(RESET)
            greet(channel)
        if words[0] == "/crash":
            write("00000000002p[CPU0  ] >>PANIC<< cannot emulate this\n")
            sys.exit(1)
        for number, text in enumerate(words):
            emit(channel, "token", id=number, text=text)


if __name__ == "__main__":
    main(sys.argv[1:])
