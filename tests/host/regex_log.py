"""The benchmark regex_dfa against Python's regular expressions, on the same log made here."""

import re
import subprocess

import pytest

from hostcc import FAIL, ROOT, build

SOURCE = ROOT / "src/modules/bench/regex_dfa.c"
SIZES = (4096, 65536, 1048576)
FNV_OFFSET, FNV_PRIME, WORD = 0x811C9DC5, 0x01000193, 0xFFFFFFFF
LINES = (
    "~ ##:##:## request from ##.#.##.### took ## ms\n",
    "~ user=@@@@ logged in, session 0x%%%%\n",
    "~ timeout after ### ms, user=@@@# waits\n",
    "~ GET /@@/@@@/index.html ###\n",
    "~ PUT /@@@@@@ ## bytes\n",
    "~ at 0x%%%%%%%%: @@@@ @@@@@@ @@\n",
    "~ @@@@@ @@ @@@@@@@ @@@ @@@@\n",
)
WORDS = ("INFO", "DEBUG", "WARN", "ERROR", "TRACE", "FATAL")
KINDS = {
    "~": WORDS,
    "#": "0123456789",
    "@": "abcdefghijklmnopqrstuvwxyz",
    "%": "0123456789abcdef",
}
PATTERNS = [
    re.compile(pattern)
    for pattern in (
        r"ERROR|FATAL",
        r"[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+",
        r"timeout after [0-9]+ ms",
        r"user=[a-z]+[0-9]",
        r"(GET|PUT) /[a-z/]*index",
        r"0x[0-9a-f]+:",
    )
]


class Draws:
    """xorshift32."""

    def __init__(self, seed: int) -> None:
        self.state = seed

    def below(self, limit: int) -> int:
        x = self.state
        x ^= x << 13 & WORD
        x ^= x >> 17
        x ^= x << 5 & WORD
        self.state = x
        return x % limit


def log(size: int) -> str:
    """The first `size` characters."""
    draws, parts, length = Draws(0x2545F491), [], 0
    while length < size:
        line = LINES[draws.below(len(LINES))]
        for letter in line:
            if length >= size:
                break
            kinds = KINDS.get(letter, letter)
            parts.append(kinds[draws.below(len(kinds)) if letter in KINDS else 0])
            length += len(parts[-1])
    return "".join(parts)[:size]


def checksum(text: str) -> int:
    """FNV-1a over the set of expressions that occur in each line."""
    state = FNV_OFFSET
    for line in text.split("\n"):
        found = sum(1 << bit for bit, p in enumerate(PATTERNS) if p.search(line))
        state = (state ^ found) * FNV_PRIME & WORD
    return state


def said(*arguments: object) -> list[str]:
    sources = [ROOT / "tests/host/bench_host.c", SOURCE, ROOT / "tests/host/kapi_host.c", FAIL]
    program = build("bench_host", sources, flags=["-D_GNU_SOURCE", "-Itests/host"])
    command = [str(program), *map(str, arguments)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    return done.stdout.splitlines()


@pytest.mark.parametrize("size", SIZES)
def test_golden_checksums(size: int) -> None:
    """Every call gives what the module says it must, which is what Python's `re` finds."""
    expected = checksum(log(size))
    first = f"{size} characters, {expected:08x} expected"
    assert said(size, 3) == [first, *[f"{expected:08x}"] * 3]


def test_sizes_and_memory() -> None:
    """0 is the default size; a size that is none, and one that memory does not suffice for."""
    assert said(0, 0)[0].startswith("65536 characters")
    assert said(4097, 1) == [
        "E-BENCH-02 a size of 4096, 65536 or 1048576 characters expected, found 4097"
    ]
    assert said(1048576, 1, 1 << 20)[0].startswith("E-BENCH-04 ")


def test_stopping() -> None:
    """A call ends soon after somebody wants it to; no memory is left behind."""
    assert said(1048576, 1, 1 << 30, 2)[1:] == ["00000000"]
