"""Keys, the line editor and the text screen in a Linux process, under sanitizers."""

from __future__ import annotations

import random
import re
import subprocess
from pathlib import Path

import pytest

from hostcc import ROOT, build

KERNEL = ROOT / "src/kernel"
SOURCES = [
    *(KERNEL / f"console/{n}.c" for n in ("editor", "editor_view", "escape", "history", "utf8")),
    *(KERNEL / f"dev/{name}.c" for name in ("cp437", "scancode", "screen")),
    KERNEL / "console/width.c",
]
LINE_MAX = 64 << 10
PAUSE = b"\0"
LEFT, RIGHT, UP, DOWN = b"\x1b[D", b"\x1b[C", b"\x1b[A", b"\x1b[B"
HOME, END, DELETE = b"\x1b[H", b"\x1b[F", b"\x1b[3~"
WORD_LEFT, WORD_RIGHT = b"\x1b[1;5D", b"\x1b[1;5C"
A, E, K, L, U, W = b"\x01", b"\x05", b"\x0b", b"\x0c", b"\x15", b"\x17"


@pytest.fixture(scope="module")
def terminal() -> Path:
    return build("terminal_host", [ROOT / "tests/host/terminal_host.c", *SOURCES])


def run(terminal: Path, mode: str, data: bytes) -> str:
    done = subprocess.run([terminal, mode], input=data, capture_output=True, timeout=300)
    text = done.stdout.decode("latin-1")
    if done.returncode != 0:
        found = re.search(r"at input byte (\d+)", text)
        end = int(found[1]) if found else len(data)
        pytest.fail(f"{text}{done.stderr.decode()}\nafter {data[max(0, end - 300) : end]!r}")
    return text


def edited(terminal: Path, data: bytes) -> list[bytes]:
    """The lines that result; the display was checked at every pause."""
    rows = run(terminal, "edit", data).splitlines()
    return [bytes.fromhex(row[5:]) for row in rows if row.startswith("line")]


# ---- scan codes


def typed(terminal: Path, *codes: int) -> bytes:
    text = run(terminal, "scancodes", bytes(codes))
    return bytes.fromhex(text)


def key(*codes: int) -> list[int]:
    """Make and break."""
    return [*codes, *codes[:-1], codes[-1] | 0x80]


SHIFT, CTRL, ALT, CAPS = 0x2A, 0x1D, 0x38, 0x3A


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ([*key(0x1E), *key(0x30)], b"ab"),
        ([SHIFT, *key(0x1E), SHIFT | 0x80, *key(0x1E)], b"Aa"),
        ([0x36, *key(0x02), 0xB6, *key(0x02)], b"!1"),
        ([SHIFT, 0x36, 0xAA, *key(0x1E), 0xB6, *key(0x1E)], b"Aa"),
        ([*key(CAPS), *key(0x1E), *key(0x02), *key(CAPS), *key(0x1E)], b"A1a"),
        ([CAPS, CAPS, CAPS, CAPS | 0x80, *key(0x1E)], b"A"),  # held: one toggle
        ([*key(CAPS), SHIFT, *key(0x1E), SHIFT | 0x80], b"a"),
        ([CTRL, *key(0x2E), CTRL | 0x80, *key(0x2E)], b"\x03c"),
        ([0xE0, CTRL, *key(0x26), 0xE0, CTRL | 0x80], b"\x0c"),
        ([CTRL, *key(0x1A), *key(0x39), *key(0x0C), CTRL | 0x80], b"\x1b\x00\x1f"),
        ([CTRL, *key(0x03), *key(0x02), CTRL | 0x80], b"\x00"),
        ([ALT, *key(0x30), ALT | 0x80], b"\x1bb"),
        (key(0x1C), b"\r"), (key(0xE0, 0x1C), b"\r"), (key(0x0E), b"\x7f"), (key(0x0F), b"\t"),
        (key(0x01), b"\x1b"), ([SHIFT, *key(0x0F)], b"\x1b[Z"), (key(0xE0, 0x35), b"/"),
        (key(0xE0, 0x48), UP), (key(0xE0, 0x50), DOWN), (key(0xE0, 0x4B), LEFT),
        (key(0xE0, 0x4D), RIGHT), (key(0xE0, 0x47), HOME), (key(0xE0, 0x4F), END),
        (key(0xE0, 0x53), DELETE), (key(0xE0, 0x49), b"\x1b[5~"), (key(0xE0, 0x51), b"\x1b[6~"),
        (key(0xE0, 0x52), b"\x1b[2~"),
        ([CTRL, *key(0xE0, 0x4B), CTRL | 0x80], WORD_LEFT),
        ([CTRL, *key(0xE0, 0x4D), CTRL | 0x80], WORD_RIGHT),
        ([0xE0, 0x2A, *key(0xE0, 0x4B), 0xE0, 0xAA], LEFT),  # the wrapping of old keyboards
        ([0xE1, 0x1D, 0x45, 0xE1, 0x9D, 0xC5, *key(0x1E)], b"a"),  # Pause
        (key(0x47), b"7"), ([*key(0x45), *key(0x47)], HOME), ([SHIFT, *key(0x50)], b"\x1b[1;2B"),
        (key(0x4E), b"+"), (key(0x56), b"\\"), ([0x00, 0xFF, 0xFA, 0xEE, *key(0x1E)], b"a"),
        (key(0x3B), b""), (key(0xE0, 0x5B), b""),
    ],
)  # fmt: skip
def test_scan_codes(terminal: Path, codes: list[int], expected: bytes) -> None:
    assert typed(terminal, *codes) == expected


def test_shift_page_keys_scroll(terminal: Path) -> None:
    codes = [SHIFT, *key(0xE0, 0x49), *key(0xE0, 0x51), SHIFT | 0x80]
    assert run(terminal, "scancodes", bytes(codes)) == "[1][-1]"


def test_the_whole_layout(terminal: Path) -> None:
    rows = [(0x02, "1234567890-="), (0x10, "qwertyuiop[]"), (0x1E, "asdfghjkl;'`")]
    rows += [(0x2B, "\\zxcvbnm,./")]
    shifted = ["!@#$%^&*()_+", "QWERTYUIOP{}", 'ASDFGHJKL:"~', "|ZXCVBNM<>?"]
    for (first, plain), upper in zip(rows, shifted, strict=True):
        codes = [code for i in range(len(plain)) for code in key(first + i)]
        assert typed(terminal, *codes) == plain.encode()
        assert typed(terminal, SHIFT, *codes) == upper.encode()


def test_any_codes_are_survived(terminal: Path) -> None:
    rng = random.Random(3)
    run(terminal, "scancodes", rng.randbytes(200_000))


# ---- key sequences


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\x1b[A\x1bOA\x1b[1;1A", "up up up"),
        (b"\x1b[H\x1b[1~\x1b[7~\x1bOH\x1b[F\x1b[4~\x1b[8~", "home home home home end end end"),
        (b"\x1b[3~\x1b[3;5~", "delete delete"),
        (b"\x1b[1;5D\x1b[1;3C\x1b[1;2D", "word-left word-right left"),
        (b"\x1b[5~\x1b[6~\x1b[2~\x1b[Z\x1b[15~\x1bOPx", "78"),
        (b"\x1b[200~a\x1b[201~b", "61 62"),
        (b"\x1b[[Ax", "78"),
        (b"\x1b[?1;2cx\x1b[38;5;1mx", "78 78"),
        (b"\x1bx\x1b\x1b[Cx", "78 right 78"),
        (b"\x1b[\r\x1b\r\x1bO\r\x1b[1\r", "0d 0d 0d 0d"),
        (b"\x1b[12\x03x", "03 78"),
        (b"\x1b[\xe2\x82\xac", "e2 82 ac"),
        (b"\x1b[" + b"1" * 16 + b"abc", "61 62 63"),
        (b"\x1bO1", "31"),
        (b"\x1b[;;;;A", "up"),
    ],
)
def test_key_sequences(terminal: Path, data: bytes, expected: str) -> None:
    assert run(terminal, "keys", data).strip() == expected


# ---- editing


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"abd" + LEFT + PAUSE + b"c\r", [b"abcd"]),
        (b"bcd" + HOME + b"a" + END + PAUSE + b"e\r", [b"abcde"]),
        (b"bcd" + A + b"a" + E + b"e\r", [b"abcde"]),
        (b"abXc" + LEFT + PAUSE + b"\x7f" + PAUSE + b"\r", [b"abc"]),
        (b"aXbc" + HOME + RIGHT + DELETE + PAUSE + b"\r", [b"abc"]),
        (b"one two" + LEFT * 3 + PAUSE + K + PAUSE + b"2\r", [b"one 2"]),
        (b"one two" + LEFT * 3 + PAUSE + U + PAUSE + b"\r", [b"two"]),
        (b"one two three" + WORD_LEFT + PAUSE + W + PAUSE + b"\r", [b"one three"]),
        (b"one two three" + WORD_LEFT * 2 + b"X" + WORD_RIGHT + b"Y\r", [b"one XtwoY three"]),
        ("aä€😀b".encode() + LEFT * 3 + PAUSE + b"X\r", ["aäX€😀b".encode()]),
        ("aä€😀b".encode() + LEFT + PAUSE + b"\x7f\x7f" + PAUSE + b"\r", ["aäb".encode()]),
        (b"one\rtwo\r" + UP + PAUSE + UP + PAUSE + b"!\r", [b"one", b"two", b"one!"]),
        (b"one\rtwo\rnew" + UP * 9 + DOWN * 9 + PAUSE + b"!\r", [b"one", b"two", b"new!"]),
        (b"one\rone\rtwo\r" + UP * 2 + b"\r", [b"one", b"one", b"two", b"one"]),
        (b"one\r\r" + UP + b"\r", [b"one", b"", b"one"]),
        (b"one\r" + DOWN + UP + DOWN + PAUSE + b"x\r", [b"one", b"x"]),
        (b"junk" + LEFT + PAUSE + b"\x03new" + PAUSE + b"\r", [b"new"]),
        (b"abc" + LEFT + L + PAUSE + b"X" + PAUSE + b"\r", [b"abXc"]),
        (b"x" * 77 + PAUSE + b"y" + PAUSE + HOME + PAUSE + END + PAUSE + b"z" + PAUSE + b"\r",
         [b"x" * 77 + b"yz"]),
        (b"x" * 79 + PAUSE + b"\x7f" * 3 + PAUSE + b"\r", [b"x" * 76]),
        ("界".encode() * 40 + PAUSE + HOME + b"a" + PAUSE + b"\r", [b"a" + "界".encode() * 40]),
        (b"\xe2\x82A" + PAUSE + LEFT + PAUSE + b"\r", [b"\xe2\x82A"]),
    ],
)  # fmt: skip
def test_editing(terminal: Path, data: bytes, expected: list[bytes]) -> None:
    assert edited(terminal, data) == expected


def test_lines_of_many_rows(terminal: Path) -> None:
    """Longer than the screen: from either end to the other, and changes there."""
    text = bytes(33 + i % 90 for i in range(5000))
    data = text + PAUSE + HOME + PAUSE + b"A" + PAUSE + END + PAUSE + b"Z" + PAUSE
    data += HOME + PAUSE + (RIGHT * 77 + PAUSE) * 30 + b"#" + PAUSE + K + PAUSE + U + PAUSE
    data += b"done\r" + UP + UP + PAUSE + DOWN + PAUSE + b"\r"
    assert edited(terminal, data)[0] == b"done"


@pytest.mark.parametrize("first", [0, pytest.param(60, marks=pytest.mark.full)])
def test_random_editing_shows_what_is_there(terminal: Path, first: int) -> None:
    keys = [LEFT, RIGHT, HOME, END, DELETE, UP, DOWN, WORD_LEFT, WORD_RIGHT, b"\x7f", K, U, W, L]
    weights = [12, 8, 2, 2, 6, 2, 2, 3, 3, 10, 1, 1, 2, 1]
    texts = ["a", "bc d", "é", "界", "😀", "e\u0301", "\t", " ", "x" * 37, "word " * 40]
    chunks = [text.encode() for text in texts] + [b"\xff", b"\xe2\x82A", b"\x1b[?25h", b"\x80B"]
    for seed in range(first, first + (60 if first == 0 else 2000)):
        rng = random.Random(seed)
        data = b""
        for _ in range(200):
            if rng.random() < 0.5:
                data += b"".join(rng.choices(keys, weights)) * rng.choice([1, 1, 1, 5])
            else:
                data += rng.choice(chunks) * rng.choice([1, 1, 2])
            data += PAUSE if rng.random() < 0.6 else b""
            data += b"\r" if rng.random() < 0.02 else b""
        run(terminal, "edit", data)


def test_a_paste_is_echoed_once(terminal: Path) -> None:
    """At the end of the line each byte costs one, in the middle there is one redraw at the end."""
    paste = b"0123456789abcdef" * (LINE_MAX // 16)
    rows = run(terminal, "edit", paste + b"\r").splitlines()
    assert bytes.fromhex(rows[0][5:]) == paste
    assert int(rows[-1].split()[1]) == len(paste) + len("> \n> ")
    rows = run(terminal, "edit", b"<>" + LEFT + PAUSE + paste[:-2] + PAUSE + b"\r").splitlines()
    assert bytes.fromhex(rows[0][5:]) == b"<" + paste[:-2] + b">"
    assert int(rows[-1].split()[1]) < 6000


def test_history_is_bounded_and_drops_the_oldest(terminal: Path) -> None:
    lines = [b"line %d " % i + b"x" * (i * 37 % 3000) for i in range(300)]
    data = b"".join(line + b"\r" for line in lines)
    found = edited(terminal, data + UP * 400 + b"\r")
    kept, size = 0, 0
    while kept < 200 and size + len(lines[-1 - kept]) <= LINE_MAX:
        size += len(lines[-1 - kept])
        kept += 1
    assert found[-1] == lines[-kept]


# ---- the screen


def screen(terminal: Path, data: bytes) -> tuple[list[bytes], tuple[int, ...]]:
    *rows, cursor = run(terminal, "screen", data).splitlines()
    return [bytes.fromhex(row).rstrip() for row in rows], tuple(int(n) for n in cursor.split())


def test_the_screen_wraps_late_and_scrolls(terminal: Path) -> None:
    rows, cursor = screen(terminal, b"x" * 80)
    assert (rows[0], rows[1], cursor) == (b"x" * 80, b"", (1, 0, 79))
    rows, cursor = screen(terminal, b"x" * 81)
    assert (rows[1], cursor) == (b"x", (1, 1, 1))
    rows, cursor = screen(terminal, b"".join(b"%d\r\n" % i for i in range(30)))
    assert rows[0] == b"7" and rows[22] == b"29" and rows[24] == b"status" and cursor == (1, 23, 0)


def test_scroll_back(terminal: Path) -> None:
    text = b"".join(b"%d\n" % i for i in range(2000))
    rows, cursor = screen(terminal, text + b"\x01")
    assert rows[0] == b"1965" and rows[24] == b"status" and cursor[0] == 0
    assert screen(terminal, text + b"\x01" * 200)[0][0] == b"977"  # 1024 rows are kept
    assert screen(terminal, text + b"\x01" * 200 + b"\x02" * 200)[0][22] == b"1999"
    assert screen(terminal, text + b"\x01new")[0][23] == b"new"
    assert screen(terminal, b"a\nb\x01\x01")[0][0] == b"a"  # nothing above the start


def test_characters_have_the_width_a_terminal_gives_them(terminal: Path) -> None:
    rows, cursor = screen(terminal, "ä│█“e\u0301界x€\xff".encode() + b"\xff\xe2\x82y")
    assert rows[0] == b'\x84\xb3\xdb"e? x?\x98???y'
    assert cursor == (1, 0, len(rows[0]))


def test_control_sequences(terminal: Path) -> None:
    rows, cursor = screen(terminal, b"one\ntwo\nthree\x1b[2A\x1b[C!\x1b[K\x1b[99D*\x1b[J")
    assert (rows[:3], cursor) == ([b"*"], (1, 0, 1)) or rows[:3] == [b"*", b"", b""]
    rows, _ = screen(terminal, b"abc\x1b[2J\x1b[3;5Hx\x1b[1;1Hy\x1b[31;1mz\x1b[?25l\x1b[1K")
    assert rows[:3] == [b"", b"", b"    x"]


def test_any_bytes_are_survived(terminal: Path) -> None:
    rng = random.Random(4)
    for _ in range(20):
        data = bytes(rng.choice(b"\x1b\x1b[[0123456789;ABCDHJK\r\n\t\b\xe2\x82x \x01\x02")
                     for _ in range(20_000))  # fmt: skip
        run(terminal, "screen", data + rng.randbytes(5_000))
