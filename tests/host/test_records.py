"""Records of a compile server among what is typed, under sanitizers: whole, damaged, split."""

from __future__ import annotations

import base64
import random
import struct
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from fluid.attach import NO_RECORD
from fluid.compile_server import RECORD_BYTES, checksum, record
from hostcc import FAIL, ROOT, build

KERNEL = ROOT / "src/kernel"
SOURCES = [
    *(KERNEL / f"console/{name}.c" for name in ("base64", "number")),
    *(KERNEL / "jit/compiler.c", KERNEL / "load/sha256.c", FAIL),
]
ID = 7  # of the request that waits, in record_host.c
RECORD_MAX = 4224  # record.h
GOING_ON, WHOLE, REFUSED, DAMAGED, NO_MEMORY, GONE = range(6)
TOOLCHAIN, SESSION = "0123456789abcdef0123456789abcdef01234567", "00c0ffee"


@dataclass(frozen=True)
class Outcome:
    """What came of a case."""

    typed: bytes
    warnings: int
    state: int
    said: bytes  # the answer, or why there is none
    toolchain: str = ""


@pytest.fixture(scope="module")
def program() -> Path:
    return build("record_host", [ROOT / "tests/host/record_host.c", *SOURCES])


def run(program: Path, cases: Sequence[bytes], own: bool = False, gap: int = 0) -> list[Outcome]:
    """Each case for itself."""
    data = b"".join(struct.pack("<I", len(case)) + case for case in cases)
    command = [str(program), "own" if own else "none", str(gap)]
    done = subprocess.run(command, input=data, capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    found = []
    for row in done.stdout.decode().splitlines():
        typed, middle, toolchain = row.split("|")
        warnings, state, said, *_ = middle.split(" ")
        text = bytes.fromhex(said)
        found.append(Outcome(bytes.fromhex(typed), int(warnings), int(state), text, toolchain))
    assert len(found) == len(cases)
    return found


def announced(toolchain: str = TOOLCHAIN, session: str = SESSION) -> bytes:
    words = f"H {toolchain} {session}"
    return record(f"{words} {checksum(words.encode())}")


def part(answer: bytes, offset: int, size: int = RECORD_BYTES, number: int = ID) -> bytes:
    text = base64.b64encode(answer[offset : offset + size]).decode()
    return record(f"R {number} {len(answer)} {checksum(answer)} {offset} {text}")


def parts(answer: bytes) -> bytes:
    return b"".join(part(answer, at) for at in range(0, len(answer), RECORD_BYTES))


ANSWER = random.Random(1).randbytes(2 * RECORD_BYTES + 100)
WHOLE_ONE = Outcome(b"", 0, WHOLE, ANSWER)


def test_an_answer_in_parts(program: Path) -> None:
    assert run(program, [parts(ANSWER), parts(b"x"), b""]) == [
        WHOLE_ONE,
        Outcome(b"", 0, WHOLE, b"x"),
        Outcome(b"", 0, GOING_ON, b""),
    ]


def test_a_record_may_be_as_long_as_a_part_is(program: Path) -> None:
    """With numbers as long as they get."""
    answer = bytes((16 << 20) - 1)
    text = base64.b64encode(answer[:RECORD_BYTES]).decode()
    longest = f"R 4294967295 {len(answer)} {checksum(answer)} {len(answer) - 1} {text}"
    assert len(longest) <= RECORD_MAX
    header = (KERNEL / "console/record.h").read_text()
    assert f"#define RECORD_MAX {RECORD_MAX}u " in header


def test_what_is_typed_between_is_typed(program: Path) -> None:
    """Wherever a record stands in it, also in the middle of a character or of a key."""
    typed = "grüß\x1b[A\r/set events on\r\x03\t".encode()
    cases = [typed[:at] + parts(ANSWER) + typed[at:] for at in range(len(typed) + 1)]
    for outcome in run(program, cases):
        assert outcome == Outcome(typed, 0, WHOLE, ANSWER)


@pytest.mark.parametrize(
    "typed",
    [b"\x1e", b"\x1ehello\r", b"\x1eHello\r", b"\x1eR\r", b"\x1e\x1e{\r", b"\x1e\x03",
     b"\x1e\nR x\n", b'\x1e{"ev":"prompt"}\n', b"R 7 1 0 0 AA==\n", b"\x1eh \n"],
)  # fmt: skip
def test_other_uses_of_the_byte_are_typed(program: Path, typed: bytes) -> None:
    """Only what begins like a record is none; nobody types that by accident."""
    (outcome,) = run(program, [typed + b"x" + parts(ANSWER)])
    assert outcome == Outcome(typed + b"x", 0, WHOLE, ANSWER)


def test_announcements(program: Path) -> None:
    """The last one counts; a machine with a compiler of its own keeps it."""
    other = "f" * 40
    cases = [announced(), announced() + announced(other), announced(other, "12345678")]
    found = run(program, cases)
    assert [outcome.toolchain for outcome in found] == [TOOLCHAIN, other, other]
    assert [outcome.warnings for outcome in found] == [0, 0, 0]
    assert [outcome.toolchain for outcome in run(program, cases, own=True)] == ["own"] * 3


def test_a_host_that_leaves(program: Path) -> None:
    """Or one that takes the place of another: what was asked is lost, and nobody waits for it."""
    leave = record(f"B {SESSION}")
    gone, again, stale, still = run(
        program,
        [
            announced() + leave,
            announced() + announced(session="12345678"),
            announced() + record("B 12345678"),
            announced() + announced(),
        ],
    )
    assert (gone.state, gone.toolchain, gone.warnings) == (GONE, "", 0)
    assert (again.state, again.toolchain) == (GONE, TOOLCHAIN)
    assert (stale.state, stale.toolchain, stale.warnings) == (GOING_ON, TOOLCHAIN, 1)
    assert (still.state, still.toolchain) == (GOING_ON, TOOLCHAIN)


def test_refusals(program: Path) -> None:
    words = "E-JIT-30 an answer expected, found SIGKILL ()"
    long = "x" * 500
    cases = [record(f"E {ID} {words}"), record(f"E {ID} {long}"), record(f"E {ID + 1} {words}")]
    first, second, late = run(program, cases)
    assert (first.state, first.said) == (REFUSED, words.encode())
    assert (second.state, second.said) == (REFUSED, b"x" * 159)
    assert (late.state, late.warnings) == (GOING_ON, 1)


DROPPED = {
    "another request": part(ANSWER, 0, number=ID + 1),
    "no number": record(f"R x {len(ANSWER)} {checksum(ANSWER)} 0 AAAA"),
    "a number without end": record(f"R {ID} {'9' * 30} {checksum(ANSWER)} 0 AAAA"),
    "no size": record(f"R {ID} 0 {checksum(ANSWER)} 0 AAAA"),
    "too much": record(f"R {ID} {(16 << 20) + 1} {checksum(ANSWER)} 0 AAAA"),
    "an offset outside": record(f"R {ID} 3 {checksum(ANSWER)} 3 AAAA"),
    "a part ahead of its time": part(ANSWER, RECORD_BYTES),
    "more than there is": record(f"R {ID} 2 {checksum(ANSWER)} 0 AAAA"),
    "no base64": record(f"R {ID} 9 {checksum(ANSWER)} 0 AA*A"),
    "base64 that ends early": record(f"R {ID} 9 {checksum(ANSWER)} 0 AAA"),
    "no check": record(f"R {ID} 9 {checksum(ANSWER)[:-1]} 0 AAAA"),
    "a check of other digits": record(f"R {ID} 9 {'x' * 16} 0 AAAA"),
    "a field too few": record(f"R {ID} 9 {checksum(ANSWER)} 0"),
    "a field too many": record(f"R {ID} 9 {checksum(ANSWER)} 0 AAAA AAAA"),
    "two blanks": record(f"R {ID}  9 {checksum(ANSWER)} 0 AAAA"),
    "nothing": record("R "),
    "a refusal without words": record(f"E {ID} "),
    "a refusal of nothing": record("E  why"),
    "a toolchain that was damaged": announced().replace(b"0123", b"0124", 1),
    "a session that was damaged": announced().replace(b"c0ffee", b"c0ffef", 1),
    "a toolchain that is too long": announced("0" * 48),
    "a toolchain that is no hex": announced("0x0"),
    "an announcement of nothing": record("H  "),
    "a control byte": part(ANSWER, 0)[:100] + b"\x1b" + part(ANSWER, 0)[100:],
    "a byte that is no ASCII": part(ANSWER, 0)[:100] + b"\xff" + part(ANSWER, 0)[100:],
    "no end, and another one": part(ANSWER, 0)[:100],
    "too long": b"\x1eR " + b"A" * (RECORD_MAX - 1) + b"\n",
}


@pytest.mark.parametrize("name", DROPPED)
def test_what_is_dropped(program: Path, name: str) -> None:
    """It changes nothing, is not typed, and is told of once; the answer behind it is taken."""
    (outcome,) = run(program, [b"a" + DROPPED[name] + parts(ANSWER) + b"b"])
    typed = b"aA\nb" if name == "too long" else b"ab"  # nobody knows that these were not typed
    assert outcome == Outcome(typed, 1, WHOLE, ANSWER)


def test_many_that_are_dropped_are_told_of_rarely(program: Path) -> None:
    (outcome,) = run(program, [DROPPED["no base64"] * 1000])
    assert outcome.warnings == 10  # the 1st, 2nd, 4th ... 512th


def test_an_answer_that_was_damaged(program: Path) -> None:
    """Base64 all the same, and of the right length: the whole has another SHA-256."""
    changed = ANSWER[:100] + bytes([ANSWER[100] ^ 1]) + ANSWER[101:]
    right, wrong = (checksum(answer).encode() for answer in (ANSWER, changed))
    (outcome,) = run(program, [parts(changed).replace(wrong, right)])
    assert (outcome.state, outcome.warnings) == (DAMAGED, 0)


def test_parts_of_two_answers_are_not_mixed(program: Path) -> None:
    other = bytes(len(ANSWER))
    (outcome,) = run(program, [part(ANSWER, 0) + part(other, RECORD_BYTES) + parts(ANSWER)])
    assert outcome == Outcome(b"", 1, WHOLE, ANSWER)


def test_a_part_that_comes_twice(program: Path) -> None:
    """It was asked for twice, because the machine was busy: no reason to complain."""
    (outcome,) = run(program, [part(ANSWER, 0) * 3 + parts(ANSWER)])
    assert outcome == WHOLE_ONE


def test_a_part_that_comes_late(program: Path) -> None:
    """Behind the end of the answer, for the same reason; one of an earlier request is told of."""
    last = part(ANSWER, 2 * RECORD_BYTES)
    over, before = run(program, [parts(ANSWER) + last, parts(ANSWER) + part(ANSWER, 0, number=6)])
    assert over == WHOLE_ONE
    assert before == Outcome(b"", 1, WHOLE, ANSWER)


def test_who_attaches_ends_what_was_cut_off(program: Path) -> None:
    """What he types then is typed; without such a record it is, too."""
    typed = b"\x15/show\r"
    cut, none = run(program, [part(ANSWER, 0)[:50] + NO_RECORD + typed, NO_RECORD + typed])
    assert (cut.typed, cut.warnings) == (NO_RECORD + typed, 1)
    assert (none.typed, none.warnings) == (NO_RECORD + typed, 0)


def test_no_memory_for_the_answer(program: Path) -> None:
    (outcome,) = run(program, [part(bytes((1 << 20) + 1), 0)])
    assert (outcome.state, outcome.warnings) == (NO_MEMORY, 0)


def test_every_place_to_pause(program: Path) -> None:
    """Short silences between bytes change nothing."""
    for gap in (1, 2, 3, 1000):
        assert run(program, [b"a" + parts(ANSWER) + b"b"], gap=gap) == [
            Outcome(b"ab", 0, WHOLE, ANSWER)
        ]


def test_a_record_that_never_ends(program: Path) -> None:
    """Costs Ctrl-C, or some seconds of silence (two halves of it behind every second byte), or
    RECORD_MAX bytes: then the user is heard again."""
    typed = b"/show\r"
    (stopped,) = run(program, [b"\x1eR 7 junk\x03" + typed])
    assert (stopped.typed, stopped.warnings) == (b"\x03" + typed, 1)
    (bounded,) = run(program, [b"\x1eR " + b"x" * 5000 + typed])
    assert bounded.typed.endswith(b"x" * (5000 - RECORD_MAX + 2) + typed)
    assert bounded.warnings == 1
    skipped = b"\x1eR \xff" + b"x" * 5000 + typed
    (bounded,) = run(program, [skipped])
    assert bounded.typed.endswith(typed) and bounded.warnings == 1


def damaged(rng: random.Random, data: bytes) -> bytes:
    """Some bytes changed, lost, doubled, or put elsewhere."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 5, 40))):
        at, n = rng.randrange(len(out)), rng.choice((1, 1, 1, 3, 700))
        kind = rng.randrange(5)
        if kind == 0:
            out[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            out[at] = rng.choice(b"\x1e\n \x03\xff0HREB=")
        elif kind == 2 and len(out) > n:
            del out[at : at + n]
        elif kind == 3:
            out[at:at] = out[at : at + n]
        else:
            out[at:at] = rng.choice((announced(), part(ANSWER, 0), b"\x1e", b"\n"))
    return bytes(out or b"x")


@pytest.mark.parametrize("seed", range(4))
def test_damaged_lines(program: Path, seed: int) -> None:
    """Whatever comes: no byte out of bounds, no answer that is not the one that was sent; and
    behind Ctrl-C a line is typed as ever."""
    rng = random.Random(seed)
    small = rng.randbytes(200)
    cases = []
    for _ in range(400):
        answer = rng.choice((small, ANSWER))
        cases.append(damaged(rng, announced() + parts(answer)) + b"\x03/show\r")
    for outcome in run(program, cases):
        assert outcome.typed.endswith(b"\x03/show\r")
        assert outcome.state != WHOLE or outcome.said in (small, ANSWER)
        assert outcome.toolchain in ("", TOOLCHAIN)
