"""What if the model file is damaged? Every kind of damage must end in a code, never in a finding of
the sanitizers, and give back all memory; a file that still opens must still work."""

import itertools
import random
import struct
from collections.abc import Iterator
from pathlib import Path

import gguf
import numpy as np
import pytest
from numpy.typing import NDArray

import models
from engine_driver import Engine, EngineError
from gguf_damage import FIELD_DAMAGES, NAME_DAMAGES, Walker, field_damage, name_damage


class Victim:
    """A model, and what the engine says to damaged copies of it."""

    def __init__(self, path: Path, engine: Engine) -> None:
        self.data = path.read_bytes()
        self.header = Walker(self.data)
        self.engine = engine

    def trial(self, *patches: tuple[int, bytes], size: int | None = None) -> str:
        """Code for a copy with patches (offset, bytes), cut to size; "" when it runs."""
        words = [f"{at}={new.hex()}" for at, new in patches]
        try:
            self.engine.ask("try", len(self.data) if size is None else size, *words)
        except EngineError as error:
            assert error.code.startswith("E-") and error.text, words
            assert len(error.text) < 243, "the text was cut"
            return error.code
        return ""

    def set(self, what: str, value: int) -> str:
        return self.trial(field_damage(self.data, what, value))


@pytest.fixture(scope="module", params=["spm", "bpe"])
def victim(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Victim]:
    path = tmp_path_factory.mktemp("m") / "m.gguf"
    models.make_tiny(path, tokenizer=request.param, quant="Q4_0", layers=1, ctx=64)
    with Engine(path, "damage") as engine:
        yield Victim(path, engine)


def test_undamaged(victim: Victim) -> None:
    assert victim.trial() == ""


@pytest.mark.parametrize(("what", "value", "code"), FIELD_DAMAGES)
def test_code_names_the_damage(victim: Victim, what: str, value: int, code: str) -> None:
    assert victim.set(what, value).startswith(code)


@pytest.mark.parametrize(("name", "expected"), NAME_DAMAGES)
def test_unknown_names(victim: Victim, name: bytes, expected: tuple[str, ...]) -> None:
    """What if a name is changed? The key or the tensor is missing then."""
    assert victim.trial(name_damage(victim.data, name)) in expected


def test_duplicates(victim: Victim) -> None:
    key, other = b"llama.rope.freq_base", b"llama.context_length"
    assert len(key) == len(other)
    assert victim.trial((victim.data.index(key), other)) == "E-GGUF-06"
    name, twin = b"blk.0.attn_k.weight", b"blk.0.attn_q.weight"
    assert victim.trial((victim.data.index(name), twin)) == "E-GGUF-11"


@pytest.mark.parametrize("alignment", [8, 64, 4096])
def test_alignment(tmp_path: Path, alignment: int) -> None:
    path = tmp_path / "m.gguf"
    models.make_tiny(path, edit=lambda writer: writer.add_custom_alignment(alignment))
    with Engine(path, "damage") as engine:
        victim = Victim(path, engine)
        assert victim.trial() == ""
        for wrong in (0, 1, 4, 48, 2**31):
            assert victim.set("general.alignment value", wrong) in ("E-GGUF-09", "E-GGUF-14")


def test_every_field(victim: Victim) -> None:
    """Every number of the header, set to what breaks careless readers."""
    rng = random.Random(11)
    for field in victim.header.fields:
        if " value " in field.what and rng.random() > 0.04:
            continue  # one in 25 of the vocabulary's elements
        top = 2 ** (8 * field.size) - 1
        values = {0, 1, top, top - 31, top // 2, top // 2 + 1, field.value + 1, field.value * 2}
        values |= {field.value - 1, field.value ^ 1 << rng.randrange(8 * field.size)}
        for value in values - {field.value}:
            if 0 <= value <= top:
                victim.trial((field.at, value.to_bytes(field.size, "little")))


def test_truncation(victim: Victim) -> None:
    """What if the file is cut short, anywhere?"""
    rng = random.Random(12)
    cuts = {field.at + extra for field in victim.header.fields[::7] for extra in (0, 1)}
    cuts |= {0, 1, 3, 4, len(victim.data) - 1, victim.header.end, victim.header.end + 1}
    cuts |= {rng.randrange(len(victim.data)) for _ in range(60)}
    for cut in cuts:
        code = victim.trial(size=cut)
        padding = len(victim.data) - cut < gguf.GGUF_DEFAULT_ALIGNMENT  # behind the last tensor
        assert code in ("E-GGUF-03", "E-GGUF-04", "E-GGUF-10") or (padding and code == ""), cut


def flips(victim: Victim, seed: int, count: int) -> None:
    rng = random.Random(seed)
    for _ in range(count):
        patches = []
        for _ in range(rng.choice([1, 1, 2, 8])):
            at = rng.randrange(victim.header.end)
            patches.append((at, bytes([victim.data[at] ^ 1 << rng.randrange(8)])))
        victim.trial(*patches)


def test_bit_flips(victim: Victim) -> None:
    flips(victim, 13, 400)


@pytest.mark.full
def test_many_bit_flips(victim: Victim) -> None:
    flips(victim, 14, 20000)


def test_weights_that_are_no_numbers(tmp_path: Path) -> None:
    """What if the weights are damaged? Any bits compute; the result is finite micro-units."""
    path = models.make_tiny(tmp_path / "m.gguf", layers=1)
    data = bytearray(path.read_bytes())
    tail = len(data) - 40000
    data[tail:] = struct.pack("<f", np.nan) * 10000
    path.write_bytes(data)
    with Engine(path) as engine:
        [*_, last] = engine.predict([1, 260, 270])
        numbers = [last["logsumexp"], last["next"], *(micro for _, micro in last["top"])]
        assert all(abs(number) <= 10**12 for number in numbers)
        assert 0 <= engine.sample() < engine.ask("info")["vocab"]
        assert 0 <= engine.sample(0.7, 3) < engine.ask("info")["vocab"]


def test_hostile_texts(tmp_path: Path) -> None:
    """Messages quote names from the file; they must stay one printable line."""
    path = models.make_tiny(
        tmp_path / "m.gguf", edit=lambda w: w.add_tensor('x"\\\n\x01é', np.ones(8, np.float32))
    )
    with Engine(path, "damage") as engine:
        with pytest.raises(EngineError, match="E-GGUF-18") as refused:
            engine.ask("try", path.stat().st_size)
    assert refused.value.text.isprintable() and refused.value.text.isascii()


def fnv_blocks(state: int, blocks: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """FNV-1a of each row, continued from a state; strtab.c hashes texts like this."""
    states = np.full(len(blocks), state, np.uint32)
    for column in blocks.T:
        states = (states ^ column) * np.uint32(16777619)
    return states


def colliding_texts(stages: int) -> list[str]:
    """2 ** stages texts of one hash: in each stage either of two blocks leads to the same state."""
    rng = np.random.default_rng(5)
    state, pairs = 2166136261, []
    for _ in range(stages):
        blocks = rng.integers(ord("a"), ord("z"), (300000, 8), np.uint8, endpoint=True)
        states = fnv_blocks(state, blocks)
        order = np.argsort(states, kind="stable")
        twins = np.flatnonzero(np.diff(states[order]) == 0)
        one, other = order[twins[0]], order[twins[0] + 1]
        state = int(states[one])
        pairs.append((blocks[one].tobytes().decode(), blocks[other].tobytes().decode()))
    return ["".join(parts) for parts in itertools.product(*pairs)]


def test_tokens_made_to_collide(tmp_path: Path) -> None:
    """What if a vocabulary is made to take for ever? 512 tokens of one hash are refused."""
    tokens, scores, types = models.spm_vocabulary()
    texts = colliding_texts(9)
    assert len(set(texts)) == len(texts) >= len(tokens) - 300

    def replace(writer: gguf.GGUFWriter) -> None:
        for data in writer.kv_data:
            data["tokenizer.ggml.tokens"].value = [*tokens[:100], *texts[: len(tokens) - 100]]

    path = models.make_tiny(tmp_path / "m.gguf", edit=replace)
    with Engine(path, "damage") as engine:
        with pytest.raises(EngineError, match="E-GGUF-21"):
            engine.ask("try", path.stat().st_size)
    assert len(scores) == len(types)


def test_empty_strings_in_the_vocabulary(tmp_path: Path) -> None:
    """What if tokens are empty, equal, or longer than any text?"""
    tokens, scores, types = models.spm_vocabulary()
    tokens[300], tokens[301], tokens[302] = "", "the", "x" * 70000

    def replace(writer: gguf.GGUFWriter) -> None:
        for data in writer.kv_data:
            data["tokenizer.ggml.tokens"].value = tokens

    path = models.make_tiny(tmp_path / "m.gguf", edit=replace)
    with Engine(path) as engine:
        assert engine.detokenize(engine.tokenize("the dog")) == b"the dog"
        assert engine.piece(300) == b"" and engine.piece(302)[:3] == b"xxx"
    assert len(tokens) == len(scores) == len(types)
