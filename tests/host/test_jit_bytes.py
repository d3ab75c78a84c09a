"""Requests and responses as the kernel writes and reads them, the compiler's build ID, and the
levels that calls are worth (src/kernel/jit)."""

from __future__ import annotations

import random
import struct
import subprocess
from pathlib import Path

import pytest

from fluid.cpufeatures import FEATURES
from fluid.errors import FluidError
from fluid.jitlayout import RESPONSE, Constant, Request, pack_request, unpack_response
from hostcc import FAIL, ROOT, build
from tier_faults import response

JIT = ROOT / "src/kernel/jit"
SOURCES = [
    *(ROOT / "tests/host/jit_host.c", FAIL),
    *(JIT / f"{name}.c" for name in ("compiler", "elf_note", "request", "tier_plan")),
]


def raw(*arguments: object) -> bytes:
    program = build("jit_host", SOURCES, flags=["-D_GNU_SOURCE"])
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def said(*arguments: object) -> str:
    return raw(*arguments).decode().strip()


def of_bytes(command: str, folder: Path, data: bytes) -> str:
    path = folder / "bytes"
    path.write_bytes(data)
    return said(command, path)


@pytest.mark.parametrize(
    ("calls", "cycles", "level"),
    [
        *((0, 0, 0), (99, 9_999_999, 0), (100, 0, 1), (0, 10_000_000, 1), (999, 99_999_999, 1)),
        *((1000, 0, 2), (1, 100_000_000, 2), (9999, 999_999_999, 2), (10_000, 0, 3)),
        *((0, 1_000_000_000, 3), (2**64 - 1, 2**64 - 1, 3)),
    ],
)
def test_levels(calls: int, cycles: int, level: int) -> None:
    """DESIGN: at 100, 1000 and 10000 calls, or as many cycles as these take of 100,000 each."""
    assert said("level", calls, cycles) == str(level)


@pytest.mark.parametrize("names", [("sse", "sse2"), tuple(FEATURES), ("sse2", "avx512f")], ids=len)
def test_requests_are_those_of_the_build(tmp_path: Path, names: tuple[str, ...]) -> None:
    """Byte for byte."""
    bitcode = tmp_path / "bitcode"
    bitcode.write_bytes(random.Random(1).randbytes(1013))
    bits = sum(1 << FEATURES[name] for name in names)
    ordered = tuple(sorted(names, key=FEATURES.__getitem__))
    expected = Request(
        payload=bitcode.read_bytes(),
        name="tensor_x",
        target="O2",
        machine=62,
        features=ordered,
        entries=("attention",),
        level=2,
        rank=3,
        constants=(Constant("attention", 0, 64, field_off=52),),
        memory=256 << 20,
        cpu_seconds=60,
        source=bytes([1, 2, 3]).ljust(16, b"\0"),
    )
    assert raw("request", bitcode, "attention", 2, bits) == pack_request(expected)


def test_requests_that_cannot_be(tmp_path: Path) -> None:
    empty, some = tmp_path / "empty", tmp_path / "some"
    empty.write_bytes(b"")
    some.write_bytes(b"bitcode")
    assert said("request", empty, "add", 1, 3).startswith("E-JIT-35 module tensor_x: bitcode")
    assert said("request", some, "a" * 320, 1, 3).startswith("E-JIT-35")
    assert said("request", some, "add", 1, 3, 16 << 20).startswith("E-JIT-35")
    assert said("request", some, "add", 1, 3, 15 << 20).startswith("E-JIT-33 15361 KiB of memory")


def test_compiling(tmp_path: Path) -> None:
    assert said("compile", "-").startswith("E-JIT-36 a compiler expected, found none")
    assert of_bytes("compile", tmp_path, response(b"mod")) == "3 at 64, 1 2 3"
    assert of_bytes("compile", tmp_path, response(b"", 6, "no bitcode")) == "E-JIT-06 no bitcode"
    assert of_bytes("compile", tmp_path, b"").startswith("E-JIT-31")


def test_responses(tmp_path: Path) -> None:
    assert of_bytes("response", tmp_path, response(b"x" * 99, 0, "hi")) == "99 at 66, 1 2 3"
    long = of_bytes("response", tmp_path, response(b"", 12, "x" * 5000))
    assert long.startswith("E-JIT-12 xxx") and len(long) < 250


def test_damaged_responses_are_refused_like_in_the_build(tmp_path: Path) -> None:
    """Each byte of the head changed; both say the same."""
    good = response(b"module", 0, "text")
    for at in range(RESPONSE.size):
        for flip in (1, 0x80, 0xFF):
            bad = bytearray(good)
            bad[at] ^= flip
            found = of_bytes("response", tmp_path, bytes(bad))
            try:
                refused = unpack_response(bytes(bad)).status != 0
            except FluidError as error:
                assert error.code == "E-JIT-31"
                refused = True
            assert found.startswith("E-JIT-") == refused, (at, flip, found)
    for size in range(len(good)):
        assert of_bytes("response", tmp_path, good[:size]).startswith("E-JIT-31")


ELF64 = struct.Struct("<16sHHIQQQIHHHHHH")
PROGRAM_HEADER = struct.Struct("<IIQQQQQQ")
PT_NOTE, PT_LOAD, BUILD_ID = 4, 1, 3
IDENT = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")


def elf_note(name: bytes, text: bytes, kind: int = BUILD_ID, **sizes: int) -> bytes:
    """A note; sizes: others than its parts have."""

    def padded(part: bytes) -> bytes:
        return part.ljust(-(-len(part) // 4) * 4, b"\0")

    head = struct.pack(
        "<III", sizes.get("name_size", len(name)), sizes.get("text_size", len(text)), kind
    )
    return head + padded(name) + padded(text)


def elf(notes: bytes, kinds: tuple[int, ...] = (PT_NOTE,), **fields: int) -> bytes:
    """A file of program headers that all mean these bytes. fields: headers, count, offset, size."""
    start = ELF64.size + len(kinds) * PROGRAM_HEADER.size
    size = fields.get("size", len(notes))
    head = ELF64.pack(
        *(IDENT, 2, 62, 1, 0, fields.get("headers", ELF64.size), 0, 0, ELF64.size),
        *(PROGRAM_HEADER.size, fields.get("count", len(kinds)), 0, 0, 0),
    )
    offset = fields.get("offset", start)
    rows = [PROGRAM_HEADER.pack(kind, 4, offset, 0, 0, size, size, 4) for kind in kinds]
    return head + b"".join(rows) + notes


ID = bytes(range(1, 21))
GOOD = elf_note(b"GNU\0", ID)


@pytest.mark.parametrize(
    "data",
    [
        elf(GOOD),
        elf(GOOD, (PT_LOAD, PT_LOAD, PT_NOTE)),
        elf(elf_note(b"GNU\0", b"abc", kind=1) + GOOD),
        elf(elf_note(b"stapsdt\0", b"x") + elf_note(b"GNUX", b"x") + GOOD),
        elf(GOOD + b"\0" * 7),
    ],
    ids=["one", "other-segments", "other-kind", "other-names", "more-behind"],
)
def test_build_ids(tmp_path: Path, data: bytes) -> None:
    assert of_bytes("note", tmp_path, data) == ID.hex()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        IDENT,
        b"\x7fELF\x01" + elf(GOOD)[5:],
        elf(GOOD)[: ELF64.size],
        elf(GOOD, (PT_LOAD,)),
        elf(GOOD, count=0),
        elf(GOOD, headers=2**64 - 8),
        elf(GOOD, headers=2**63),
        elf(GOOD, count=0xFFFF, headers=100),
        elf(GOOD, offset=2**64 - 4),
        elf(GOOD, offset=2**40),
        elf(GOOD, size=2**64 - 1),
        elf(GOOD, size=len(GOOD) + 1),
        elf(GOOD, size=15),
        elf(elf_note(b"GNU\0", ID, name_size=0xFFFFFFFF)),
        elf(elf_note(b"GNU\0", ID, name_size=0xFFFFFFFD)),
        elf(elf_note(b"GNU\0", ID, text_size=0xFFFFFFFF)),
        elf(elf_note(b"GNU\0", ID, text_size=21)),
        elf(elf_note(b"GNU\0", b"", kind=1, text_size=0xFFFFFFFF) + GOOD),
        elf(elf_note(b"GNU\0", b"")),
        elf(elf_note(b"GNU\0", bytes(24))),
    ],
    ids=str,
)
def test_files_without_a_build_id(tmp_path: Path, data: bytes) -> None:
    assert of_bytes("note", tmp_path, data).startswith("E-JIT-34 a 64-bit ELF program")


def test_damaged_files_are_read_within_their_bounds(tmp_path: Path) -> None:
    """Whatever stands in them, AddressSanitizer has nothing to say."""
    rng, good = random.Random(3), elf(elf_note(b"X\0", b"12345", kind=9) + GOOD)
    for _ in range(150):
        bad = bytearray(good[: rng.randrange(len(good) + 1)] if rng.random() < 0.3 else good)
        for _ in range(rng.randrange(1, 4)):
            if bad:
                bad[rng.randrange(len(bad))] = rng.choice((0, 1, 4, 0x7F, 0x80, 0xFF))
        found = of_bytes("note", tmp_path, bytes(bad))
        assert found.startswith("E-JIT-34") or bytes.fromhex(found)


def test_a_real_program(tmp_path: Path) -> None:
    source, program = tmp_path / "p.c", tmp_path / "p"
    source.write_text("int main(void) { return 0; }\n")
    wanted = bytes(range(100, 120)).hex()
    subprocess.run(
        ["clang-19", f"-Wl,--build-id=0x{wanted}", str(source), "-o", str(program)], check=True
    )
    assert said("note", program) == wanted
