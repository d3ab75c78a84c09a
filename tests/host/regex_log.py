"""The benchmark regex_dfa with Python's regular expressions, on the same log made here."""

import re

from bench_mix import Draws, mix

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


def log(size: int) -> str:
    """The first `size` characters."""
    draws, parts, length = Draws(), [], 0
    while length < size:
        line = LINES[next(draws) % len(LINES)]
        for letter in line:
            if length >= size:
                break
            kinds = KINDS.get(letter, letter)
            parts.append(kinds[next(draws) % len(kinds) if letter in KINDS else 0])
            length += len(parts[-1])
    return "".join(parts)[:size]


def checksum(size: int) -> int:
    """Over the set of expressions that occur in each line."""
    return mix(
        sum(1 << bit for bit, pattern in enumerate(PATTERNS) if pattern.search(line))
        for line in log(size).split("\n")
    )
