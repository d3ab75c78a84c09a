"""Several turns of a conversation, evaluated as they come, are one sequence of tokens."""

from pathlib import Path

import pytest

import models
from engine_driver import Engine

WORDS = ["hello", "what is a dog?", "tell me more about the big cat", "ok", "good bye 你好"]


@pytest.mark.parametrize("quant", ["F32", "F16", "Q8_0", "Q4_0", "Q4_1"])
def test_five_turns_equal_one_evaluation(tmp_path: Path, quant: str) -> None:
    """Bit for bit, whatever the batches were; also after a reply was made anew."""
    model = models.make_tiny(tmp_path / "m.gguf", quant=quant, tokenizer="bpe", ctx=512)
    ids: list[int] = []
    with Engine(model) as engine:
        for turn, text in enumerate(WORDS):
            told = engine.chat(text, first=turn == 0)
            first = engine.greedy(told, 9)
            ids += told
            engine.ask("rewind", len(ids) - 1)  # /regen
            reply = engine.greedy(ids[-1:], 9)
            assert reply == first
            ids += reply
            rest = engine.ask("position")["position"]
            engine.eval_all(ids[rest:])
        turns = engine.logits_hex()
    with Engine(model) as engine:
        engine.eval_all(ids)
        assert engine.logits_hex() == turns
    with Engine(model) as engine:
        for token in ids:
            engine.eval([token])
        assert engine.logits_hex() == turns
