"""What if the model file is damaged? Every kind of damage must end in a code, never in a finding of
the sanitizers, and give back all memory; a file that still opens must still work."""

import itertools
import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np
import pytest
from numpy.typing import NDArray

import models
from engine_driver import Engine, EngineError

STRING, ARRAY = 8, 9
SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}


@dataclass(frozen=True)
class Field:
    """One number in the header of a GGUF file."""

    what: str  # "kv_count", "llama.block_count value", "output.weight dims"
    at: int
    size: int
    value: int


class Walker:
    """Lists the fields of a sound file; its own reading of the format."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.fields: list[Field] = []
        self.number("magic", 4)
        self.number("version", 4)
        tensors = self.number("tensor_count", 8)
        for _ in range(self.number("kv_count", 8)):
            key = self.string("key")
            self.value(key, self.number(f"{key} type", 4))
        for _ in range(tensors):
            name = self.string("tensor name")
            for dim in range(self.number(f"{name} dims", 4)):
                self.number(f"{name} dim {dim}", 8)
            self.number(f"{name} type", 4)
            self.number(f"{name} offset", 8)
        self.end = self.at

    def number(self, what: str, size: int) -> int:
        value = int.from_bytes(self.data[self.at : self.at + size], "little")
        self.fields.append(Field(what, self.at, size, value))
        self.at += size
        return value

    def string(self, what: str) -> str:
        n = self.number(f"{what} length", 8)
        self.at += n
        return self.data[self.at - n : self.at].decode(errors="replace")

    def value(self, key: str, kind: int) -> None:
        count = 1
        if kind == ARRAY:
            kind = self.number(f"{key} array type", 4)
            count = self.number(f"{key} array count", 8)
        for index in range(count):
            what = f"{key} value" if count == 1 else f"{key} value {index}"
            if kind == STRING:
                self.string(what)
            else:
                self.number(what, SIZES[kind])

    def find(self, what: str) -> Field:
        [field] = [field for field in self.fields if field.what == what]
        return field


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
        field = self.header.find(what)
        return self.trial((field.at, value.to_bytes(field.size, "little")))


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


@pytest.mark.parametrize(
    ("what", "value", "code"),
    [
        ("magic", 0x46554746, "E-GGUF-01"),
        ("version", 1, "E-GGUF-02"),
        ("version", 4, "E-GGUF-02"),
        ("version", 0x03000000, "E-GGUF-02"),  # big-endian
        ("tensor_count", 2**64 - 1, "E-GGUF-04"),
        ("tensor_count", 60000, "E-GGUF-04"),
        ("tensor_count", 0, "E-GGUF-15"),
        ("kv_count", 2**63, "E-GGUF-04"),
        ("llama.block_count type", 13, "E-GGUF-05"),
        ("llama.block_count type", 6, "E-GGUF-13"),
        ("llama.block_count value", 0, "E-GGUF-14"),
        ("llama.block_count value", 2, "E-GGUF-15"),
        ("llama.block_count value", 2**32 - 1, "E-GGUF-14"),
        ("llama.embedding_length value", 96, "E-GGUF-16"),
        ("llama.embedding_length value", 2**32 - 1, "E-GGUF-14"),
        ("llama.feed_forward_length value", 2**31, "E-GGUF-14"),
        ("llama.attention.head_count value", 0, "E-GGUF-14"),
        ("llama.attention.head_count value", 128, "E-GGUF-14"),
        ("llama.attention.head_count_kv value", 3, "E-GGUF-14"),
        ("llama.attention.head_count_kv value", 0, "E-GGUF-14"),
        ("llama.rope.dimension_count value", 18, "E-GGUF-14"),
        ("llama.rope.dimension_count value", 7, "E-GGUF-14"),
        ("llama.rope.freq_base value", 0x7FC00000, "E-GGUF-14"),  # NaN
        ("llama.rope.freq_base value", 0xFF800000, "E-GGUF-14"),  # -inf
        ("llama.attention.layer_norm_rms_epsilon value", 0x7F800000, "E-GGUF-14"),
        ("llama.context_length value", 0, "E-GGUF-14"),
        ("llama.vocab_size value", 7, "E-GGUF-14"),
        ("tokenizer.ggml.tokens array type", 4, "E-GGUF-"),
        ("tokenizer.ggml.tokens array type", 9, "E-GGUF-05"),  # array of arrays
        ("tokenizer.ggml.tokens array count", 2**64 - 1, "E-GGUF-0"),
        ("tokenizer.ggml.token_type array count", 2**62, "E-GGUF-03"),  # times 4 overflows
        ("tokenizer.ggml.token_type array count", 2**64 - 1, "E-GGUF-03"),
        ("tokenizer.ggml.token_type value 5", 7, "E-GGUF-20"),
        ("tokenizer.ggml.token_type value 5", 2**32 - 1, "E-GGUF-20"),
        ("tokenizer.ggml.tokens value 9 length", 2**64 - 1, "E-GGUF-04"),
        ("tokenizer.ggml.add_bos_token value", 2, "E-GGUF-05"),
        ("token_embd.weight dims", 0, "E-GGUF-07"),
        ("token_embd.weight dims", 5, "E-GGUF-07"),
        ("token_embd.weight dim 0", 0, "E-GGUF-07"),
        ("token_embd.weight dim 0", 2**64 - 32, "E-GGUF-07"),
        ("token_embd.weight dim 0", 65, "E-GGUF-07"),
        ("token_embd.weight dim 1", 2**32 - 1, "E-GGUF-10"),
        ("token_embd.weight dim 1", 32, "E-GGUF-16"),
        ("token_embd.weight type", 30, "E-GGUF-08"),
        ("token_embd.weight type", 2**32 - 1, "E-GGUF-08"),
        ("token_embd.weight offset", 2**64 - 32, "E-GGUF-10"),
        ("token_embd.weight offset", 1, "E-GGUF-10"),
        ("output.weight offset", 2**40, "E-GGUF-10"),
        ("blk.0.attn_norm.weight type", 1, "E-GGUF-16"),
        ("output_norm.weight dims", 2, "E-GGUF-"),
    ],
)
def test_code_names_the_damage(victim: Victim, what: str, value: int, code: str) -> None:
    assert victim.set(what, value).startswith(code)


def test_unknown_names(victim: Victim) -> None:
    """What if a name is changed? The key or the tensor is missing then."""
    for name, code in [
        (b"general.architecture", "E-GGUF-17"),
        (b"llama.block_count", "E-GGUF-12"),
        (b"tokenizer.ggml.model", "E-GGUF-19"),
        (b"tokenizer.ggml.tokens", "E-GGUF-12"),
        (b"output_norm.weight", "E-GGUF-15"),
        (b"blk.0.ffn_up.weight", "E-GGUF-15"),
        (b"\x05\0\0\0\0\0\0\0llama", "E-GGUF-1[79]"),
    ]:
        at = victim.data.index(name) + len(name) - 1
        assert victim.trial((at, b"~")) in (code, "E-GGUF-17", "E-GGUF-19"), name


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
