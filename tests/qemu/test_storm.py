"""Random and pasted input, at the prompt and during replies: nothing is lost, nothing breaks."""

import base64
import random
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from fluid.event_types import Done, Error, Prompt, Token
from fluid.machine import Machine
from guests import Machines, TinyModel, codes, no_more_events
from qemu_images import image_of

QUICK, FULL = 60, 1000
LINE_MAX = 64 << 10
BURST = 12  # lines that are pasted at once, at most
WORDS = ["once", "upon", "a", "time", "grün", "你好", "🙂", "\\n", '"', "{}", "%s%n", "-1", "\t"]
KEYS = [b"\x1b[A", b"\x1b[B", b"\x1b[C", b"\x1b[D", b"\x1b[H", b"\x1b[F", b"\x1b[3~", b"\x1b[1;5D",
        b"\x01", b"\x05", b"\x0b", b"\x0c", b"\x15", b"\x17", b"\x7f", b"\x08"]  # fmt: skip


@dataclass(frozen=True)
class Input:
    """One line, and what must become of it: the marker is found again in an error, or there is a
    code; both None: whatever it means, one prompt."""

    line: bytes
    marker: str | None = None
    code: str | None = None


def words(rng: random.Random, n: int) -> bytes:
    return " ".join(rng.choices(WORDS, k=n)).encode()


def noise(rng: random.Random, alphabet: bytes, n: int) -> bytes:
    """Bytes that end no line and stop no reply; never none, for LF behind CR would be no line."""
    return b"a" + bytes(b for b in rng.choices(alphabet, k=n) if b not in b"\r\n\x03")


def marked(rng: random.Random, number: int) -> Input:
    """Nonsense that must come back as the error it is."""
    name = f"zz{number}" + "".join(rng.choices("abcXYZ_-?!", k=rng.randrange(8)))
    return Input(f"/{name} ".encode() + words(rng, rng.randrange(20)), marker=f"found /{name};")


def edited(rng: random.Random, number: int) -> Input:
    """The same after typing, erasing and moving; Ctrl-U at the end drops all of it."""
    junk = b"".join(rng.choices([*KEYS, b"x", b"yz ", "é".encode()], k=rng.randrange(60)))
    final = marked(rng, number)
    return Input(junk + b"\x05\x15" + final.line, final.marker)


def long_line(rng: random.Random, number: int) -> Input:
    n = rng.choice([LINE_MAX, LINE_MAX + 1, rng.randrange(LINE_MAX, 2 * LINE_MAX), 5000])
    return Input(b"/" + b"z" * (n - 1), code="E-CON-01" if n > LINE_MAX else "E-CON-02")


def control_bytes(rng: random.Random, number: int) -> Input:
    return Input(noise(rng, bytes(range(0x20)) + b"\x7fabc /", rng.randrange(1, 200)))


def bad_utf8(rng: random.Random, number: int) -> Input:
    return Input(noise(rng, b"\xc0\xe2\xf4\x82\xac\xff\x80\xed\xa0 a", rng.randrange(1, 200)))


def escapes(rng: random.Random, number: int) -> Input:
    return Input(noise(rng, b"\x1b\x1b[[O0123456789;?~ABCDHFmJ\x9bx", rng.randrange(1, 200)))


def chat(rng: random.Random, number: int) -> Input:
    return Input(words(rng, rng.randrange(1, 12)))


def with_base64(rng: random.Random, number: int) -> Input:
    text = base64.b64encode(rng.randbytes(rng.randrange(1, 90)))
    if rng.random() < 0.4:
        return Input(b"/score base64:" + text[:-1] + b"*", code="E-CON-04")
    return Input(rng.choice([b"/score", b"/complete 3"]) + b" base64:" + text)


def bad_arguments(rng: random.Random, number: int) -> Input:
    what = rng.choice(["/complete", "/complete x y", "/set", "/set x", "/set temperature cold"])
    return Input(what.encode(), code="E-CON-03")


KINDS: list[Callable[[random.Random, int], Input]] = [
    marked, marked, marked, edited, edited, control_bytes, bad_utf8, escapes, chat, with_base64,
    bad_arguments,
]  # fmt: skip


def inputs(rng: random.Random, count: int) -> list[Input]:
    return [
        (long_line if number % 40 == 7 else rng.choice(KINDS))(rng, number)
        for number in range(count)
    ]


def result_of(guest: Machine) -> list[Error]:
    """The errors up to the next prompt."""
    return [e for e in guest.wait_for(Prompt, 300) if isinstance(e, Error)]


def check(guest: Machine, expected: Input) -> None:
    """One prompt has come for this input, and what it was is told."""
    errors = result_of(guest)
    if expected.marker is not None:
        assert [e.code for e in errors] == ["E-CON-02"], expected
        assert expected.marker in errors[0].text
    elif expected.code is not None:
        assert [e.code for e in errors] == [expected.code], expected.line[:80]


def completion(guest: Machine) -> list[int]:
    events = guest.command("/complete 12 once upon a time", 120)
    return [event.id for event in events if isinstance(event, Token)]


def storm(guest: Machine, seed: int, count: int) -> None:
    """Types everything in bursts, every other burst behind a reply that is still being made."""
    rng = random.Random(seed)
    guest.command("/set max_tokens 3")
    before = completion(guest)
    waiting = inputs(rng, count)
    while waiting:
        size = rng.randrange(1, BURST)
        burst, waiting = waiting[:size], waiting[size:]
        busy = rng.random() < 0.5
        if busy:
            guest.send_line("/complete 100000 once upon a time")
            guest.wait_for(Token, 120)
        guest.send(b"".join(i.line + rng.choice([b"\r", b"\n", b"\r\n"]) for i in burst))
        if busy:
            guest.wait_for(Token, 120)
            guest.send(b"\x03")
            done = guest.wait_for(Prompt, 120)[-2]
            assert isinstance(done, Done)
        for one in burst:
            check(guest, one)
        guest.command("/clear")
    assert no_more_events(guest)
    assert completion(guest) == before
    assert codes(guest.command("/selftest", 300)) == []


@pytest.fixture
def target_machine(machines: Machines, target: str, tiny: TinyModel) -> Machine:
    model = tiny("Q8_0", "bpe", dim=128, ffn=384, layers=4, ctx=2048)
    return machines.boot(target, image_of(target, model), mem=256)


def test_a_small_storm(target_machine: Machine) -> None:
    storm(target_machine, 1, QUICK)


@pytest.mark.full
def test_a_storm(target_machine: Machine) -> None:
    storm(target_machine, 2, FULL)
