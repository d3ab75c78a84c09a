"""Programs in ring 3: what they may do, how they end, and that nothing but themselves ends."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

import user_programs
from fluid import jit
from fluid.emulator import Ending
from fluid.event_types import Panic, Warn
from fluid.jitlayout import pack_request
from fluid.machine import Machine
from guests import Machines, TinyModel, codes, memory_of, said
from jit_modules import request, require
from qemu_images import Files, image_with
from test_tasks import tasks

TARGET = "x86-64-v2"
pytestmark = pytest.mark.of_target(TARGET)

FOLDER = "PROGRAMS"
NMI = 2  # vector
KERNEL = 0x100000
OWN = 0x400000000000  # where addresses of programs begin
END = 0x7FFFFFFFF000
MIB = 1 << 20
LIMIT = 16 * MIB  # of memory; CPU time is half a second
STACK = 8 * MIB
PASSED = re.compile(r"exit status (\d+)")
FAULT = r"#%s [^;]*, address 0x([0-9a-f]+), at 0x([0-9a-f]+)"

# How each program ends: a regular expression.
ENDS = {
    "exit": "exit status 7; output 4 'good'",
    "input": "exit status 5; output 5 'input'",
    "stderr": "exit status 0; output 0 '' said 'what is said'",
    "auxv": "exit status 2; output 8 'auxv.elf'",
    "abort": "signal 6;",
    # the kernel's memory, and what is nobody's
    "null": FAULT % "PF",
    "readkernel": FAULT % "PF",
    "writekernel": FAULT % "PF",
    "jumpkernel": FAULT % "PF",
    "highhalf": FAULT % "PF",
    # its own
    "text": FAULT % "PF",
    "nx": FAULT % "PF",
    "memory": FAULT % "PF",  # at its end, where it runs what has become data
    "recursion": FAULT % "PF",
    # instructions
    "ud": FAULT % "UD",
    "divide": FAULT % "DE",
    "step": FAULT % "DB",
    "stepcall": FAULT % "DB",
    **dict.fromkeys(("hlt", "cli", "port", "cr3", "rdmsr", "swapgs"), FAULT % "GP"),
    **dict.fromkeys(("int3", "int48", "int80", "nocanon", "gs"), FAULT % "GP"),
    "badstack": r"#(GP|SS) ",
    "kernelstack": "exit status 3;",  # a system call there is as good as any
    "iopl": "exit status 1;",
    # what belongs to the task
    "fsbase": "exit status 42;",
    "vector": "exit status 5;",
    # limits
    "endless": "CPU time limit;",
    "endlesscalls": "CPU time limit;",
    "limits": "CPU time limit;",
    "xcpu": "exit status 24;",
    "xcpureturns": "CPU time limit;",
    "hog": f"exit status {LIMIT // MIB - 1};",  # less what it has from the start
    "touchall": f"exit status {LIMIT // MIB - 1};",
    "sparse": "no memory left;",
    "toomuch": "too much output;",
    # system calls
    "unknown": "exit status 4; output 0 '' said '' unknown calls 8;",
    "pointers": "exit status 9;",
}


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("programs")
    return {name: user_programs.build(name, folder) for name in user_programs.NAMES}


def image_of(label: str, files: Files) -> Path:
    return image_with(TARGET, label, files)


def as_files(programs: dict[str, Path]) -> list[tuple[Path, str]]:
    return [(path, f"{FOLDER}/{name}.elf") for name, path in programs.items()]


def ends(text: str) -> dict[str, str]:
    """How each program has ended."""
    return dict(re.findall(r"^(?:> .*)?program (\w+)\.elf: (.*)$", text, re.MULTILINE))


def run_all(guest: Machine) -> dict[str, str]:
    start = len(guest.text)
    guest.command("/selftest programs", 240)
    guest.wait_text(b"selftest programs ", 20, start)
    return ends(guest.text[start:].decode().replace("\r", ""))


@pytest.mark.parametrize(
    "options", [{}, {"cpu": "max"}, {"smp": 2}], ids=["nehalem", "smap", "two-cores"]
)
def test_how_programs_end(
    machines: Machines, programs: dict[str, Path], options: dict[str, object]
) -> None:
    assert ENDS.keys() == programs.keys()
    guest = machines.boot(TARGET, image_of("programs", as_files(programs)), mem=256, **options)
    first = run_all(guest)
    assert first.keys() == ENDS.keys()
    for name, how in ENDS.items():
        assert re.match(how, first[name]), f"{name}: {first[name]}"
    before = memory_of(guest)
    assert run_all(guest).keys() == ENDS.keys()
    assert memory_of(guest)[0] == before[0]  # all that they had was given back
    assert {row[0] for row in tasks(guest)} <= {"console", "jit", "idle"}
    assert codes(guest.command("/selftest")) == []


def fault(text: str) -> tuple[int, int]:
    """Address and instruction pointer of a fault."""
    found = re.search(r"address 0x([0-9a-f]+), at 0x([0-9a-f]+)", text)
    assert found, text
    return int(found[1], 16), int(found[2], 16)


def test_where_programs_fault(machines: Machines, programs: dict[str, Path]) -> None:
    """What is reported is where it happened."""
    names = ("null", "readkernel", "writekernel", "jumpkernel", "highhalf", "text", "recursion")
    chosen = {name: programs[name] for name in (*names, "nx", "memory", "nocanon")}
    guest = machines.boot(TARGET, image_of("faulting", as_files(chosen)), mem=256)
    found = {name: fault(text) for name, text in run_all(guest).items()}
    assert found["null"][0] == 0
    assert found["readkernel"][0] == found["writekernel"][0] == KERNEL
    assert found["jumpkernel"] == (KERNEL, KERNEL)
    assert found["highhalf"][0] == 0xFFFFFFFF80000000
    assert found["recursion"][0] == END - STACK - 8
    assert found["nocanon"][1] == 1 << 63
    for name in ("nx", "memory"):
        address, ip = found[name]
        assert address == ip and OWN < ip < END
    assert all(OWN < found[name][1] < END for name in names if name != "jumpkernel")


def test_the_console_goes_on(machines: Machines, programs: dict[str, Path]) -> None:
    """Endless programs share the processor until their time is over."""
    copies = [(programs["endless"], f"{FOLDER}/endless{n}.elf") for n in range(4)]
    guest = machines.boot(TARGET, image_of("endless", copies), mem=256)
    start = len(guest.text)
    assert codes(guest.command("/selftest programs-background")) == []
    assert codes(guest.command("/selftest task-sleep")) == []  # others run
    seen = {row[:3] for row in tasks(guest)}
    assert any(re.fullmatch(r"endless\d\.elf", name) for name, _, _ in seen), seen
    assert all(prio == 1 for name, _, prio in seen if name.startswith("endless"))
    assert codes(guest.command("/selftest")) == []
    guest.wait_text(b"programs: all have ended", 120, start)
    text = guest.text[start:].decode().replace("\r", "")
    assert all(how.startswith("CPU time limit;") for how in ends(text).values())
    assert len(ends(text)) == len(copies)


@pytest.mark.parametrize("program", ["endless", "endlesscalls"])
def test_what_nothing_holds_off(
    machines: Machines, programs: dict[str, Path], program: str
) -> None:
    """A non-maskable interrupt in ring 3, or on the way there, is the machine's affair: a panic
    that can be read, which takes the right GS.base."""
    copies = [(programs[program], f"{FOLDER}/{program}{n}.elf") for n in range(8)]
    guest = machines.boot(TARGET, image_of(f"nmi-{program}", copies), mem=256, smp=2)
    guest.send_line("/selftest programs")
    guest.wait_text(f"program {program}0.elf: CPU time".encode(), 60)
    guest.qmp.execute("inject-nmi")
    assert guest.wait_end(60) is Ending.PANIC
    panic = guest.events[-1]
    assert isinstance(panic, Panic) and panic.vector == NMI


def damaged(good: bytes) -> dict[str, tuple[bytes, str]]:
    """Files that are no programs, with their codes."""

    def put(offset: int, value: bytes) -> bytes:
        return good[:offset] + value + good[offset + len(value) :]

    return {
        "empty": (b"", "E-ELF-01"),
        "short": (good[:63], "E-ELF-01"),
        "text": (b"#!/bin/sh\n" * 20, "E-ELF-01"),
        "i386": (put(18, b"\3\0"), "E-ELF-01"),
        "object": (put(16, b"\1\0"), "E-ELF-01"),
        "cut": (good[:500], "E-ELF-02"),
        "entry": (put(24, (KERNEL).to_bytes(8, "little")), "E-ELF-02"),
        "headers": (put(32, (1 << 40).to_bytes(8, "little")), "E-ELF-02"),
    }


def test_what_is_a_program(machines: Machines, programs: dict[str, Path], tmp_path: Path) -> None:
    cases = damaged(programs["exit"].read_bytes())
    files = []
    for name, (content, _) in cases.items():
        (tmp_path / name).write_bytes(content)
        files.append((tmp_path / name, f"{FOLDER}/{name}.elf"))
    big = user_programs.build("nx", tmp_path, (f"-DBSS={LIMIT}",))
    files.append((big, f"{FOLDER}/big.elf"))
    placed = user_programs.build("exit", tmp_path, (), user_programs.PLACED)
    files.append((placed, f"{FOLDER}/placed.elf"))
    guest = machines.boot(TARGET, image_of("no-programs", files), mem=256)
    guest.command("/selftest programs")
    expected = {name: code for name, (_, code) in cases.items()}
    expected |= {"big": "E-ELF-03", "placed": "exit sta"}
    text = guest.text.decode().replace("\r", "")
    assert {name: how[:8] for name, how in ends(text).items()} == expected


# ---- the compiler

OPERATION = ("tensor_act", TARGET, TARGET)


def compiler_image(label: str, request_bytes: bytes, folder: Path, program: Path) -> Path:
    file = folder / "request.bin"
    file.write_bytes(request_bytes)
    return image_of(label, [(program, "JIT.ELF"), (file, "REQUEST.BIN")])


def test_the_compiler_makes_the_same_bytes(machines: Machines, tmp_path: Path) -> None:
    """A request has one answer, in Linux and on the machine."""
    wanted = request(*OPERATION)
    expected = jit.compile_module(require(), wanted).mod
    image = compiler_image("compiler", pack_request(wanted), tmp_path, require())
    guest = machines.boot(TARGET, image, mem=256)
    digest = hashlib.sha256(expected).hexdigest()
    first = said(guest, "/selftest compile")
    assert f"status 0 mod {len(expected)} sha256 {digest}\n" in first
    [build_id] = re.findall(r"^jit\.elf ([0-9a-f]{40}) ", first, re.MULTILINE)
    assert bytes.fromhex(build_id) in require().read_bytes()[:4096]
    before = memory_of(guest)
    assert f"sha256 {digest}\n" in said(guest, "/selftest compile")
    assert memory_of(guest)[0] == before[0]
    assert re.search(r"compiler \(JIT\.ELF\) +3\d{4} KiB", before[0])  # it stays
    [kib] = re.findall(r"(\d+) KiB of its own", first)
    assert 2000 < int(kib) < 32 * 1024
    print(first)


def test_a_compiler_that_is_stopped(machines: Machines, tmp_path: Path) -> None:
    """Its limit of memory is an answer of its own; what kills it is none."""
    small = pack_request(request("tensor_q6_k", TARGET, TARGET, level=3, memory=36 * MIB))
    guest = machines.boot(TARGET, compiler_image("small", small, tmp_path, require()), mem=256)
    assert "status 10 mod 0" in said(guest, "/selftest compile")


def test_a_compiler_without_an_answer(
    machines: Machines, tmp_path: Path, programs: dict[str, Path]
) -> None:
    head = pack_request(request(*OPERATION))
    bad = user_programs.build("ud", tmp_path, ("-Wl,--build-id=sha1",))
    guest = machines.boot(TARGET, compiler_image("ud", head, tmp_path, bad), mem=256)
    events = guest.command("/selftest compile")
    assert codes(events) == ["E-TEST-01"]
    assert b"FAILED: E-JIT-30 an answer of jit.elf expected, found #UD invalid opcode" in guest.text


def test_without_a_compiler(machines: Machines, tmp_path: Path) -> None:
    file = tmp_path / "request.bin"
    file.write_bytes(bytes(100))
    guest = machines.boot(TARGET, image_of("no-compiler", [(file, "REQUEST.BIN")]), mem=256)
    assert codes(guest.command("/selftest compile")) == ["E-TEST-01"]
    assert b"FAILED: E-JIT-36 " in guest.text


def warned(guest: Machine) -> list[str]:
    return [event.code for event in guest.events if isinstance(event, Warn)]


@pytest.mark.parametrize(
    ("label", "code"), [("damaged", "E-ELF-01"), ("anonymous", "E-JIT-34"), ("large", "E-JIT-33")]
)
def test_a_compiler_that_cannot_be_used(
    machines: Machines, tiny: TinyModel, tmp_path: Path, label: str, code: str
) -> None:
    """The machine boots and talks without."""
    program = tmp_path / "jit.elf"
    if label == "damaged":
        program.write_bytes(b"\x7fELF" + bytes(5000))
    elif label == "anonymous":
        program = user_programs.build("exit", tmp_path, ("-Wl,--build-id=none",))
    else:
        named = user_programs.build("exit", tmp_path, ("-Wl,--build-id=sha1",))
        program.write_bytes(named.read_bytes())
        with program.open("r+b") as file:
            file.truncate(250 * MIB)
    image = image_of(f"{label}-compiler", [(tiny(), "MODEL.GGUF"), (program, "JIT.ELF")])
    guest = machines.boot(TARGET, image, mem=256)
    assert warned(guest) == [code]
    assert [e.ev for e in guest.command("/complete 2 once")][-1] == "done"
