"""Pre-tokenizers against the expressions that they stand for, as the package `regex` reads them."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
import regex

import models
from engine_driver import Engine

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA3 = (
    r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|"
    r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
EXPRESSIONS = {"gpt-2": GPT2, "llama-bpe": LLAMA3}
# What decides: apostrophes, all kinds of space and ends of lines, numbers, letters, marks, symbols.
ALPHABET = [
    *"'''  \t\n\r12½٣aétTsSmMdDlLvVeErR你ſ.!?-_",
    "\u00a0",
    "\u3000",
    "\u0301",
    "😀",
    "'ll",
    "\r\n",
]


@pytest.fixture(params=EXPRESSIONS, scope="module")
def cutter(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Engine, str]]:
    path = tmp_path_factory.mktemp("models") / "m.gguf"
    models.make_tiny(path, tokenizer=f"bpe:{request.param}", layers=1)
    with Engine(path, "vocabulary") as engine:
        yield engine, EXPRESSIONS[request.param]


def test_random_texts(cutter: tuple[Engine, str]) -> None:
    engine, expression = cutter
    rng = random.Random(9)
    for _ in range(5000):
        text = "".join(rng.choice(ALPHABET) for _ in range(rng.randrange(1, 16)))
        assert engine.words(text) == regex.findall(expression, text), repr(text)


def test_prose(cutter: tuple[Engine, str]) -> None:
    engine, expression = cutter
    text = "I'd  say: WE'LL see 1234567 cats,\r\n\n  don't you?\n\tfoo(bar);  \n"
    assert engine.words(text) == regex.findall(expression, text)


def test_a_word_that_is_a_token_is_not_merged(tmp_path: Path) -> None:
    """Llama 3's vocabulary has tokens that its merges do not lead to."""
    tokens, merges = models.bpe_tokens()
    lonely = "Ġzzz"
    kept = [merge for merge in merges if merge.replace(" ", "") != "Ġthe"]
    for pre, one in (("llama-bpe", True), ("gpt-2", False)):
        path = tmp_path / f"{pre}.gguf"
        models.write_vocabulary(path, [*tokens, lonely], kept, pre)
        with Engine(path, "vocabulary") as engine:
            for word, text in ((lonely, " zzz"), ("Ġthe", " the")):
                whole = [[*tokens, lonely].index(word)]
                assert (engine.tokenize(text) == whole) == one
