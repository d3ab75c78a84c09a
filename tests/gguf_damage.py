"""Damage to GGUF files: where each number of the header lies, and which code names its damage.

The engine is tried with these in a Linux process (tests/host/test_gguf_damage.py), and whole
machines are booted with them (tests/qemu/test_damage.py).
"""

from dataclasses import dataclass

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


# Field, wrong value, code (or how it begins, where it depends on what the bytes then mean).
FIELD_DAMAGES: list[tuple[str, int, str]] = [
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
    ("token_embd.weight type", 29, "E-GGUF-08"),
    ("token_embd.weight type", 2**32 - 1, "E-GGUF-08"),
    ("token_embd.weight offset", 2**64 - 32, "E-GGUF-10"),
    ("token_embd.weight offset", 1, "E-GGUF-10"),
    ("output.weight offset", 2**40, "E-GGUF-10"),
    ("blk.0.attn_norm.weight type", 1, "E-GGUF-16"),
    ("output_norm.weight dims", 2, "E-GGUF-"),
]

# Part of a name whose last letter is changed, and what is missing then.
NAME_DAMAGES: list[tuple[bytes, tuple[str, ...]]] = [
    (b"general.architecture", ("E-GGUF-17",)),
    (b"llama.block_count", ("E-GGUF-12",)),
    (b"tokenizer.ggml.model", ("E-GGUF-19",)),
    (b"tokenizer.ggml.tokens", ("E-GGUF-12",)),
    (b"output_norm.weight", ("E-GGUF-15",)),
    (b"blk.0.ffn_up.weight", ("E-GGUF-15",)),
    (b"\x05\0\0\0\0\0\0\0llama", ("E-GGUF-17", "E-GGUF-19")),  # architecture or tokenizer
]


def field_damage(data: bytes, what: str, value: int) -> tuple[int, bytes]:
    """Where the field lies, and the bytes that set it to this value."""
    field = Walker(data).find(what)
    return field.at, value.to_bytes(field.size, "little")


def name_damage(data: bytes, name: bytes) -> tuple[int, bytes]:
    return data.index(name) + len(name) - 1, b"~"
