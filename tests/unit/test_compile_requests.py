"""The compile server with a machine and a jit.elf that are played here: the good, the hostile."""

from __future__ import annotations

import base64
import hashlib
import select
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fluid import compile_server, jit
from fluid.compile_server import CompileServer, checksum, serving
from fluid.errors import FluidError
from fluid.event_types import Boot, Compile, CompileNext, Prompt, Ready, Token, from_json
from fluid.jitlayout import REQUEST, REQUEST_MAX, Request, pack_request, with_limits
from fluid.records import EventError

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60.0
BUILD_ID = "0123456789abcdef" * 2 + "01234567"
# Stands in for jit.elf: what it does is the name in the request.
FAKE = f"""#!{sys.executable} -S
import os, sys, time
request = sys.stdin.buffer.read()
how = request[56:88].rstrip(bytes(1)).decode()
if how == "abort":
    os.abort()
if how == "hang":
    time.sleep(600)
if how == "nothing":
    sys.exit(0)
if how == "big":
    request = bytes(17 << 20)
sys.stdout.buffer.write(request[::-1])
"""


def request(how: str = "echo", size: int = 0) -> bytes:
    """What the fake answers with the same bytes, backwards."""
    return pack_request(
        Request(bytes(size), how, "x86-64-v2", 62, features=("sse2",), entries=("add",))
    )


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "jit.elf"
    path.write_text(FAKE)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(jit, "build_id", lambda _: BUILD_ID)
    return path


@pytest.fixture
def server(program: Path) -> Iterator[CompileServer]:
    with CompileServer(program) as made:
        yield made


@dataclass
class Machine:
    """The other end: takes records as the kernel does, and asks for the next part."""

    server: CompileServer
    records: list[list[str]] = field(default_factory=list)  # words
    answer: bytearray = field(default_factory=bytearray)

    def ask(self, data: bytes, number: int = 1, step: int = 768) -> None:
        for at in range(0, len(data), step):
            self.part(data, at, number, step)

    def part(self, data: bytes, at: int, number: int = 1, step: int = 768) -> None:
        text = base64.b64encode(data[at : at + step]).decode()
        check = checksum(data) if at == 0 else None
        event = Compile(id=number, size=len(data), offset=at, check=check, b64=text)
        assert self.server.take(event)

    def hear(self) -> None:
        """What the server says by now."""
        said = self.server.outgoing()
        assert not said or (said[:1] == b"\x1e" and said[-1:] == b"\n")
        for line in said.split(b"\n")[:-1]:
            assert line[:1] == b"\x1e" and all(0x20 <= byte <= 0x7E for byte in line[1:])
            assert len(line) - 1 <= 4224  # RECORD_MAX in record.h
            self.records.append(line[1:].decode().split(" "))

    def until(self, done: Callable[[], bool]) -> None:
        """Waits for the bell."""
        deadline = time.monotonic() + PATIENCE
        self.hear()
        while not done():
            assert time.monotonic() < deadline, self.records
            select.select([self.server], [], [], 1)
            self.hear()

    def fetch(self, number: int = 1) -> bytes:
        """The whole answer, part for part."""
        answer, size = bytearray(), 1
        while len(answer) < size:
            self.until(lambda: bool(self.records))
            kind, found, *words = self.records.pop(0)
            assert (kind, found) == ("R", str(number)), self.records
            assert int(words[2]) == len(answer)
            size, check = int(words[0]), words[1]
            answer += base64.b64decode(words[3], validate=True)
            if len(answer) < size:
                assert self.server.take(CompileNext(id=number, offset=len(answer)))
        assert checksum(answer) == check and not self.records
        return bytes(answer)

    def refusal(self, number: int = 1) -> str:
        self.until(lambda: bool(self.records))
        (record,) = self.records
        assert record[:2] == ["E", str(number)]
        self.records.clear()
        return " ".join(record[2:])


@pytest.fixture
def machine(server: CompileServer) -> Machine:
    return Machine(server)


# ---- answers


@pytest.mark.parametrize("size", [0, 5000, 100_000])
def test_an_answer_in_parts(machine: Machine, size: int) -> None:
    wanted = request(size=size)
    machine.ask(wanted)
    assert machine.fetch() == with_limits(wanted, 1 << 30, 120)[::-1]
    assert machine.server.answered == 1


def test_requests_one_after_the_other(machine: Machine) -> None:
    for number in range(1, 4):
        machine.ask(request(size=number), number)
        assert len(machine.fetch(number)) == len(request(size=number))


def test_a_new_request_ends_the_one_before(machine: Machine) -> None:
    """It was given up, or the machine has started anew."""
    for number in (1, 2):
        machine.ask(request("hang"), number)
    machine.ask(request(), 3)
    assert machine.fetch(3)


def test_other_events_are_not_the_servers(machine: Machine) -> None:
    token = Token(id=1, text="a")
    assert not machine.server.take(token) and not machine.server.take(Prompt())


def test_when_it_announces_itself(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind the start of a machine; at a prompt when it has not said so for long; once each."""
    ready = Ready(ms=1, model=None, mem_total=1, mem_used=1, variant=None)
    boot = Boot(build="", target="", cpu="", features=[], cores=1)
    for events, times in (((boot, ready, Prompt()), 1), ((Prompt(),), 0), ((boot, ready), 1)):
        for event in events:
            assert not machine.server.take(event)
        machine.hear()
        assert len(machine.records) == times
        for record in machine.records:
            assert record[:2] == ["H", BUILD_ID] and len(record[2]) == 8
            assert record[3] == checksum(" ".join(record[:3]).encode())
        machine.records.clear()
    monkeypatch.setattr(compile_server, "ANNOUNCED_SECONDS", -1.0)
    machine.server.take(Prompt())
    machine.hear()
    session = machine.records[0][2]
    machine.server.leave()
    machine.hear()
    assert machine.records[1:] == [["B", session]]


def test_a_new_boot_forgets_what_was_asked(machine: Machine) -> None:
    """The first request of the new one has the same number."""
    machine.ask(request("hang"))
    machine.part(request(), 0)
    machine.server.take(Boot(build="", target="", cpu="", features=[], cores=1))
    machine.hear()
    assert not machine.records
    machine.ask(request())
    assert machine.fetch()


# ---- requests that are not as they should be


def test_limits_are_capped() -> None:
    greedy = pack_request(
        Request(b"", "x", "y", 62, features=(), entries=(), memory=1 << 40, cpu_seconds=9999)
    )
    fields = REQUEST.unpack_from(with_limits(greedy, 1 << 30, 120))
    assert fields[9:11] == (1 << 30, 120)
    modest = request()
    assert with_limits(modest, 1 << 30, 120) == modest
    for bad in (b"", bytes(REQUEST.size), modest[: REQUEST.size - 1]):
        with pytest.raises(FluidError, match="E-JIT-61 a request of at least 160 bytes"):
            with_limits(bad, 1, 1)


def compile_event(**changes: object) -> Compile:
    data = request()
    text = base64.b64encode(data).decode()
    good = {"id": 1, "size": len(data), "offset": 0, "check": checksum(data), "b64": text}
    return Compile(**{**good, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"b64": "AA*A"}, "E-JIT-62 of a request base64 expected"),
        ({"b64": "AAA"}, "E-JIT-62 of a request base64 expected"),
        ({"b64": "AAAA\n"}, "E-JIT-62 of a request base64 expected"),
        ({"b64": ""}, "E-JIT-62"),
        ({"b64": "A" * 4000}, "E-JIT-62"),
        ({"size": 0}, "E-JIT-62"),
        ({"size": REQUEST_MAX + 1}, f"E-JIT-62 of a request at most {REQUEST_MAX} bytes"),
        ({"size": 1 << 70}, f"E-JIT-62 of a request at most {REQUEST_MAX} bytes"),
        ({"offset": 1}, "E-JIT-62 of a request a part at 0 expected, found 1"),
        ({"check": None}, "E-JIT-62 of a request SHA-256 None expected"),
        ({"check": "0" * 16}, "E-JIT-62 of a request SHA-256 0000000000000000 expected"),
        ({"size": 3, "b64": "AAAA", "check": checksum(bytes(3))}, "E-JIT-61"),
    ],
)
def test_hostile_parts(machine: Machine, changes: dict[str, object], sentence: str) -> None:
    """Each is refused once; what is right behind it is answered."""
    assert machine.server.take(compile_event(**changes))
    assert sentence in machine.refusal()
    machine.ask(request(), 2)
    assert machine.fetch(2)


def test_parts_in_the_wrong_order(machine: Machine) -> None:
    """Refused once, whatever else of it comes."""
    data = request(size=5000)
    for at in (0, 1536, 768, 2304):
        machine.part(data, at)
    assert "a part at 768 expected, found 1536" in machine.refusal()
    machine.ask(data)  # from the start, under the same number
    assert machine.fetch()


@pytest.mark.parametrize("number", [1, 2])
def test_a_part_that_comes_twice_or_of_another(machine: Machine, number: int) -> None:
    data = request(size=5000)
    machine.part(data, 0)
    machine.part(data, 768)
    machine.part(data, 768, number)
    assert "E-JIT-62" in machine.refusal(number)


def test_asking_for_what_is_not_there(machine: Machine) -> None:
    """Before there is an answer, of another request, outside of it: nothing is said."""
    machine.server.take(CompileNext(id=1, offset=0))
    machine.ask(request())
    machine.server.take(CompileNext(id=1, offset=0))
    size = len(machine.fetch())
    for number, offset in ((2, 0), (1, size), (1, 1 << 70)):
        machine.server.take(CompileNext(id=number, offset=offset))
    machine.hear()
    assert not machine.records


def test_who_asks_too_much_is_not_heard(machine: Machine) -> None:
    """The outbox has an end."""
    machine.ask(request(size=20000))
    machine.fetch()
    for _ in range(1000):
        machine.server.take(CompileNext(id=1, offset=0))
    assert len(machine.server.outgoing()) < 80_000


@pytest.mark.parametrize(
    "data",
    [
        {"ev": "compile", "id": -1, "size": 1, "offset": 0, "b64": ""},
        {"ev": "compile", "id": 1, "size": 1, "offset": -1, "b64": ""},
        {"ev": "compile", "id": 1, "size": 1, "offset": 0, "b64": "", "check": "x"},
        {"ev": "compile", "id": "1", "size": 1, "offset": 0, "b64": ""},
        {"ev": "compile_next", "id": 1, "offset": -1},
    ],
)
def test_events_that_are_none(data: dict[str, object]) -> None:
    """These the console tells of, as of every record that is no event."""
    with pytest.raises(EventError):
        from_json(data)


# ---- what may happen to jit.elf


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ("abort", "E-JIT-30 an answer of jit.elf expected, found SIGABRT"),
        ("nothing", "an answer of 1 to 16777216 bytes expected, found 0"),
        ("big", "an answer of 1 to 16777216 bytes expected, found 17825792"),
    ],
)
def test_no_answer(machine: Machine, how: str, sentence: str) -> None:
    machine.ask(request(how))
    assert sentence in machine.refusal()
    machine.ask(request(), 2)
    assert machine.fetch(2)


def test_no_answer_in_time(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compile_server, "SPARE_SECONDS", -119.9)
    machine.ask(request("hang"))
    assert "E-JIT-30 an answer of jit.elf expected, found none within 0." in machine.refusal()


def test_no_program(machine: Machine, program: Path) -> None:
    program.unlink()
    machine.ask(request())
    assert "E-JIT-30 an answer of jit.elf expected, found [Errno 2]" in machine.refusal()


def test_another_program(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers of two compilers are not mixed under one name."""
    monkeypatch.setattr(jit, "build_id", lambda _: "feed")
    machine.ask(request())
    machine.hear()
    (hello, refusal) = machine.records
    assert hello[:2] == ["H", "feed"] and refusal[:3] == ["E", "1", "E-JIT-63"]
    machine.records.clear()
    machine.ask(request(), 2)
    assert machine.fetch(2)


def test_a_server_that_ends_takes_its_process_along(program: Path) -> None:
    with CompileServer(program) as server:
        machine = Machine(server)
        machine.ask(request("hang"))
        assert server._job
        process = server._job.process
    assert process.wait(PATIENCE) == -signal.SIGKILL
    assert server.closed


def test_build_ids(tmp_path: Path) -> None:
    """Of a program that has one, as the linker writes it."""
    source, made = tmp_path / "a.c", tmp_path / "a"
    source.write_text("int main(void) { return 0; }\n")
    command = [
        "clang-19",
        "-fuse-ld=lld",
        f"-Wl,--build-id=0x{BUILD_ID}",
        "-o",
        str(made),
        str(source),
    ]
    subprocess.run(command, check=True)
    assert jit.build_id(made) == BUILD_ID
    subprocess.run([*command, "-Wl,--build-id=none"], check=True)
    for path, found in ((made, "found none"), (source, "found Magic"), (tmp_path / "b", "found")):
        with pytest.raises(FluidError, match=f"E-JIT-60 .*a build ID expected, {found}"):
            jit.build_id(path)
    with serving("") as nobody:
        assert nobody is None
    with pytest.raises(FluidError, match="E-JIT-60"), serving(str(tmp_path / "b")):
        pass


def test_both_ends_have_the_same_numbers() -> None:
    """compiler_serial.h is the machine's."""
    header = (ROOT / "src/kernel/jit/compiler_serial.h").read_text()
    for name, value in (
        ("RECORD_BYTES", f"{compile_server.RECORD_BYTES}u"),
        ("ANSWER_MAX", f"({compile_server.ANSWER_MAX >> 20}u << 20)"),
        ("CPU_SECONDS", f"{compile_server.CPU_SECONDS}u"),
        ("CHECK_SIZE", f"{compile_server.CHECK_SIZE}u"),
    ):
        assert f"#define COMPILER_SERIAL_{name} {value}" in header
    spare = int(header.split("SPARE_SECONDS ")[1].split("u")[0])
    assert spare > compile_server.SPARE_SECONDS  # the host gives up first, and says so
    assert hashlib.sha256(b"").hexdigest().startswith(checksum(b""))
