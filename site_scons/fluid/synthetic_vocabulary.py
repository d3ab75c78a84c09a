"""A made-up SentencePiece vocabulary of any size, for models whose weights are random: text is
noise to them, but every tokenizer must take it and give it back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, product
from string import ascii_letters, ascii_lowercase, digits, punctuation

SPACE = "\u2581"  # SentencePiece's mark
SPECIAL = ("<unk>", "<s>", "</s>")
UNK, BOS, EOS = range(len(SPECIAL))
BYTES = 256
# Of a piece, as GGUF's tokenizer.ggml.token_type has them.
NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6


@dataclass(frozen=True)
class Vocabulary:
    """By id: special tokens, the 256 bytes, then pieces, the most likely ones first."""

    tokens: list[str]
    scores: list[float]
    types: list[int]


def pieces() -> Iterator[str]:
    """Distinct; each longer one can be merged from two that came before."""
    yield SPACE
    yield from ascii_letters + digits + punctuation
    longer = [SPACE, *ascii_lowercase]
    while True:
        grown = [left + right for left, right in product(longer, ascii_lowercase)]
        yield from grown
        longer = grown


def vocabulary(size: int) -> Vocabulary:
    """With `size` tokens."""
    count = size - len(SPECIAL) - BYTES
    tokens = [*SPECIAL, *(f"<0x{byte:02X}>" for byte in range(BYTES)), *islice(pieces(), count)]
    scores = [0.0] * (size - count) + [-float(rank) for rank in range(count)]
    types = [UNKNOWN, CONTROL, CONTROL] + [BYTE] * BYTES + [NORMAL] * count
    return Vocabulary(tokens, scores, types)
