"""`scons run compile=1`: what the host's jit.elf makes of a machine's requests; records and the
lines of a user side by side."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from compile_client import OPERATIONS, Listening, compiles, image_with_bitcode
from fluid import jit
from fluid.compile_server import checksum, record
from fluid.event_types import Boot, Done, Error, Prompt, Token, Warn
from fluid.machine import Machine
from guests import Machines, TinyModel, codes, said
from jit_modules import require
from qemu_images import image_of

NOBODY = "No compiler"


@pytest.fixture
def server() -> Iterator[Listening]:
    with Listening() as made:
        yield made


@pytest.fixture
def client(
    machines: Machines, target: str, tiny: TinyModel, tmp_path: Path, server: Listening
) -> Machine:
    """A machine with bitcode and without jit.elf, whose host compiles."""
    image = image_with_bitcode(image_of(target, tiny()), target, tmp_path)
    return machines.boot(target, image, mem=256, reboot=True, server=server)


def announced() -> bytes:
    words = f"H {'0123abcd' * 5} 00c0ffee"
    return record(f"{words} {checksum(words.encode())}")


def test_operations_are_compiled_by_the_host(client: Machine, server: Listening) -> None:
    """As jit.elf does, byte for byte; the user sees nothing of how. -s shows sizes and times."""
    assert said(client, "/jit").startswith(f"serial compiles, build {jit.build_id(require())}\n")
    print()
    for operation in OPERATIONS:
        print(compiles(client, server, operation))
    assert not client.malformed
    assert codes(client.command("/jit compile nonsense 2")) == ["E-JIT-37"]
    # Typed behind a request, while it goes on.
    client.send(b"/jit compile add 1\r/nonsense\r")
    assert codes(client.wait_for(Prompt, 120)) == []
    assert codes(client.wait_for(Prompt, 120)) == ["E-CON-02"]


def test_a_new_boot_and_a_host_that_leaves(client: Machine, server: Listening) -> None:
    """The server announces itself to each boot; what it says last is that it goes."""
    client.send_line("/reboot")
    client.wait_for(Boot, 120)
    client.wait_for(Prompt, 120)
    assert "serial compiles" in said(client, "/jit")
    server.leave()
    client.pump()
    assert NOBODY in said(client, "/jit")
    assert codes(client.command("/jit compile add 2")) == ["E-JIT-36"]


def test_no_compile_server_without_events(client: Machine, server: Listening) -> None:
    before = len(server.events)
    client.send(b"/set events off\r/jit compile add 2\r/set events on\r")
    client.wait_for(Prompt, 120)
    assert b"error E-JIT-53" in client.text
    assert len(server.events) == before


def test_records_among_what_is_typed(guest: Machine) -> None:
    """At the prompt, inside of a line, during a reply, among pasted lines: they are taken,
    never echoed, and no part of a line."""
    leave = record("B 00c0ffee")
    start = len(guest.text)
    assert NOBODY in said(guest, "/jit")
    assert "build 0123abcd" in said(guest, announced() + b"/jit")
    assert NOBODY in said(guest, b"/j" + leave + b"it")
    guest.send_line(b"/complete 100 once upon")
    guest.wait_for(Token, 120)
    guest.send(announced() + b"/jit\r" + leave + b"/j" + announced() + b"it\r")
    assert any(isinstance(event, Done) for event in guest.wait_for(Prompt, 120))
    for _ in range(2):
        assert codes(guest.wait_for(Prompt, 120)) == []
    guest.wait_text(b"build 0123abcd", 20, start)
    assert NOBODY in said(guest, leave + b"/jit")
    assert b"c0ffee" not in guest.text[start:]


def test_a_request_is_stopped(machines: Machines, target: str, tiny: TinyModel,
                              tmp_path: Path) -> None:  # fmt: skip
    """Nobody answers: Ctrl-C ends the wait."""
    image = image_with_bitcode(image_of(target, tiny()), target, tmp_path)
    guest = machines.boot(target, image, mem=256)
    guest.send(announced() + b"/jit compile add 2\r")
    while (event := guest.read_event(120)).ev != "compile":
        pass
    assert event.data["offset"] == 0
    guest.send(b"\x03")
    assert codes(guest.wait_for(Prompt, 120)) == ["E-JIT-54"]


def test_damaged_records_are_told_of(guest: Machine) -> None:
    """And are not typed: the line around them is run as it was meant."""
    guest.send(b"/no" + record("R 1 damaged") + b"nsense\r")
    events = guest.wait_for(Prompt, 120)
    assert [event.code for event in events if isinstance(event, Warn)] == ["E-JIT-55"]
    (error,) = (event for event in events if isinstance(event, Error))
    assert error.code == "E-CON-02" and "/nonsense" in error.text
