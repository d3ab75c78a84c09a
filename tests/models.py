"""Makes tiny random llama-architecture GGUF files for tests: seeded, a few hundred kilobytes, every
tensor type that the engine knows, with a hand-made SentencePiece or byte-level BPE vocabulary.

    from models import make_tiny
    path = make_tiny(tmp_path / "tiny.gguf", quant="Q8_0", tokenizer="bpe")

The weights are random, so the text is noise; logits can be compared with numpy (numpy_llama.py).
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from gguf.quants import quantize
from numpy.typing import NDArray

from fluid.random_blocks import K_TYPES, random_blocks

SPECIAL_BPE = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
SPECIAL_SPM = ["<unk>", "<s>", "</s>"]
TEXT = (
    "the and was for her she you said it that little one day went very big dog cat in on he hello "
    "world token once upon time there girl named user system assistant"
)
WORDS = TEXT.split()

# The template of SmolLM2-135M-Instruct: ChatML with a default system message.
SMOLLM2_TEMPLATE = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face"
    "<|im_end|>\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + "
    "'<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}"
    "{% endif %}"
)


def byte_symbols() -> list[str]:
    """GPT-2's printable character for each byte: itself when visible, else U+0100 and up."""
    visible = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    hidden = [byte for byte in range(256) if byte not in visible]
    return [chr(b) if b in visible else chr(0x100 + hidden.index(b)) for b in range(256)]


def bpe_merges() -> list[tuple[str, str]]:
    """Merges, best first, that build each of WORDS with a leading space from left to right."""
    space = byte_symbols()[ord(" ")]
    merges: dict[tuple[str, str], None] = {(space, space): None}
    for word in WORDS:
        left = space
        for letter in word:
            merges[(left, letter)] = None
            left += letter
    return list(merges)


def bpe_tokens() -> tuple[list[str], list[str]]:
    """Tokens and merges; ids: special, the 256 bytes, then one token per merge."""
    merges = bpe_merges()
    tokens = [*SPECIAL_BPE, *byte_symbols(), *(left + right for left, right in merges)]
    return tokens, [f"{left} {right}" for left, right in merges]


def spm_pieces() -> list[str]:
    """Pieces that byte fallback is not needed for, best score first."""
    mark = "\u2581"
    pieces: dict[str, None] = {mark + mark: None}
    for word in WORDS:
        pieces |= {(mark + word)[: n + 1]: None for n in range(1, len(word) + 1)}
    return [*pieces, mark, *"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.,!?'\u00e9\u4f60"]


def spm_vocabulary() -> tuple[list[str], list[float], list[int]]:
    """Tokens, scores and types; ids: special, the 256 byte tokens, then the pieces."""
    pieces = spm_pieces()
    kind = gguf.TokenType
    types = [kind.UNKNOWN, kind.CONTROL, kind.CONTROL] + [kind.BYTE] * 256
    tokens = [*SPECIAL_SPM, *(f"<0x{byte:02X}>" for byte in range(256)), *pieces]
    scores = [0.0] * (3 + 256) + [-float(rank) for rank in range(len(pieces))]
    return tokens, scores, [int(t) for t in types] + [int(kind.NORMAL)] * len(pieces)


def add_tokenizer(writer: gguf.GGUFWriter, tokenizer: str) -> int:
    """Writes the tokenizer's keys; returns the size of the vocabulary. "bpe:llama-bpe" has another
    pre-tokenizer than SmolLM's."""
    tokenizer, _, pre = tokenizer.partition(":")
    if tokenizer == "spm":
        tokens, scores, types = spm_vocabulary()
        writer.add_tokenizer_model("llama")
        writer.add_tokenizer_pre("default")
        writer.add_token_list(tokens)
        writer.add_token_scores(scores)
        writer.add_token_types(types)
        writer.add_unk_token_id(0)
        writer.add_bos_token_id(1)
        writer.add_eos_token_id(2)
        writer.add_add_bos_token(True)
        return len(tokens)
    if tokenizer == "bpe":
        tokens, merges = bpe_tokens()
        kind = gguf.TokenType
        special = [int(kind.CONTROL)] * len(SPECIAL_BPE)
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre(pre or "smollm")
        writer.add_token_list(tokens)
        writer.add_token_types(special + [int(kind.NORMAL)] * (len(tokens) - len(special)))
        writer.add_token_merges(merges)
        writer.add_bos_token_id(1)
        writer.add_eos_token_id(2)
        writer.add_add_bos_token(False)
        writer.add_chat_template(SMOLLM2_TEMPLATE)
        return len(tokens)
    raise ValueError(f"tokenizer {tokenizer!r}: expected 'spm' or 'bpe'")


def _add_matrix(
    writer: gguf.GGUFWriter, name: str, a: NDArray[np.float32], quant: str, rng: np.random.Generator
) -> None:
    kind = gguf.GGMLQuantizationType[quant]
    if quant == "F32":
        writer.add_tensor(name, a)
    elif quant == "F16":
        writer.add_tensor(name, a.astype(np.float16))
    elif quant in K_TYPES:
        writer.add_tensor(
            name, random_blocks(quant, rng, len(a), a.shape[1], a.std()), raw_dtype=kind
        )
    else:
        writer.add_tensor(name, quantize(a, kind), raw_dtype=kind)


def make_tiny(
    path: Path | str,
    quant: str = "F32",
    tokenizer: str = "spm",
    tied: bool = False,
    seed: int = 1234,
    dim: int = 64,
    ffn: int = 192,
    layers: int = 2,
    heads: int = 4,
    kv_heads: int = 2,
    ctx: int = 256,
    edit: Callable[[gguf.GGUFWriter], None] | None = None,
    kind_of: Callable[[str], str] | None = None,
) -> Path:
    """Writes the model and returns its path.

    quant: type of every matrix (F32, Q8_0, Q4_K ...); norms stay F32. tied: no output matrix. edit:
    gets the writer before the tensors, to add keys. kind_of: instead of quant, the type of the
    matrix of that name.
    """
    path = Path(path)
    rng = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name(path.stem)
    writer.add_block_count(layers)
    writer.add_context_length(ctx)
    writer.add_embedding_length(dim)
    writer.add_feed_forward_length(ffn)
    writer.add_head_count(heads)
    writer.add_head_count_kv(kv_heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(dim // heads)
    writer.add_rope_freq_base(10000.0)
    vocab = add_tokenizer(writer, tokenizer)
    writer.add_vocab_size(vocab)
    if edit is not None:
        edit(writer)

    def matrix(name: str, rows: int, cols: int) -> None:
        a = (rng.standard_normal((rows, cols)) / np.sqrt(cols)).astype(np.float32)
        _add_matrix(writer, name, a, kind_of(name) if kind_of else quant, rng)

    def norm(name: str) -> None:
        writer.add_tensor(name, (1 + 0.1 * rng.standard_normal(dim)).astype(np.float32))

    kv_dim = dim // heads * kv_heads
    matrix("token_embd.weight", vocab, dim)
    for layer in range(layers):
        block = f"blk.{layer}."
        norm(block + "attn_norm.weight")
        matrix(block + "attn_q.weight", dim, dim)
        matrix(block + "attn_k.weight", kv_dim, dim)
        matrix(block + "attn_v.weight", kv_dim, dim)
        matrix(block + "attn_output.weight", dim, dim)
        norm(block + "ffn_norm.weight")
        matrix(block + "ffn_gate.weight", ffn, dim)
        matrix(block + "ffn_up.weight", ffn, dim)
        matrix(block + "ffn_down.weight", dim, ffn)
    norm("output_norm.weight")
    if not tied:
        matrix("output.weight", vocab, dim)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def write_vocabulary(path: Path, tokens: list[str], merges: list[str], pre: str = "smollm") -> None:
    """A file with this byte-level BPE, the other keys that every file needs, and no tensors."""
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_block_count(1)
    writer.add_context_length(64)
    writer.add_embedding_length(64)
    writer.add_feed_forward_length(64)
    writer.add_head_count(2)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_token_list(tokens)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_merges(merges)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def tiny_maker(folder: Path) -> Callable[..., Path]:
    """make(quant, tokenizer, ...) gives the path of such a model in folder, made once."""

    @cache
    def make(quant: str = "F32", tokenizer: str = "spm", **options: Any) -> Path:
        marks = [f"{key}{value}" for key, value in sorted(options.items())]
        name = "-".join(["tiny", quant.lower(), tokenizer, *marks])
        return make_tiny(folder / f"{name}.gguf", quant=quant, tokenizer=tokenizer, **options)

    return make
