"""`scons synthetic`: a model of a real one's shape with random weights, for measurements: as many
bytes and operations as the real one, and no download.

Weights are normal or blocks of random numbers, with a standard deviation of DEVIATION; norms are 1.
The same shape, type and seed give the same file, bit for bit, with the locked numpy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from numpy.typing import NDArray

from fluid.errors import FluidError
from fluid.files import replacing
from fluid.random_blocks import BLOCKS, block_size, random_blocks
from fluid.synthetic_shapes import SHAPES, TYPES, Shape, file_name
from fluid.synthetic_vocabulary import BOS, EOS, UNK, vocabulary

SEED = 20240104
DEVIATION = 0.02
EPS = 1e-5
ROPE_BASE = 10000.0
OUTPUT = "output.weight"
NORM = "F32"  # type of norms
# Matrices that llama.cpp's quantizer gives more bits in a model of TinyLlama's shape
# (llama_tensor_get_type). What it does to the first layers of Q4_K is left out.
BETTER = {"Q2_K": {"attn_v": "Q4_K", "attn_output": "Q3_K", "ffn_down": "Q3_K"}}

Progress = Callable[[str], None]
KindOf = Callable[[str, str], str]  # of a matrix, by its name and the model's type


@dataclass(frozen=True)
class Tensor:
    """One tensor: F32 of cols numbers if it is a norm (rows 0), else a matrix (rows, cols)."""

    name: str
    rows: int
    cols: int
    kind: str


def kind_of(name: str, kind: str) -> str:
    """Type of a matrix of a model of this type. llama.cpp's quantizer makes the output matrix Q6_K
    but in Q8_0, and others as BETTER says."""
    plain = kind in ("F32", "F16", "BF16", "Q8_0")
    if name == OUTPUT and not plain:
        return "Q6_K"
    return BETTER.get(kind, {}).get(name.removesuffix(".weight").rpartition(".")[2], kind)


def tensors(shape: Shape, kind: str, types: KindOf = kind_of) -> Iterator[Tensor]:
    """In the order of the file."""

    def matrix(name: str, rows: int, cols: int) -> Tensor:
        return Tensor(name, rows, cols, types(name, kind))

    dim, kv_dim = shape.dim, shape.dim // shape.heads * shape.kv_heads
    yield matrix("token_embd.weight", shape.vocab, dim)
    for layer in range(shape.layers):
        block = f"blk.{layer}."
        yield Tensor(block + "attn_norm.weight", 0, dim, NORM)
        yield matrix(block + "attn_q.weight", dim, dim)
        yield matrix(block + "attn_k.weight", kv_dim, dim)
        yield matrix(block + "attn_v.weight", kv_dim, dim)
        yield matrix(block + "attn_output.weight", dim, dim)
        yield Tensor(block + "ffn_norm.weight", 0, dim, NORM)
        yield matrix(block + "ffn_gate.weight", shape.ffn, dim)
        yield matrix(block + "ffn_up.weight", shape.ffn, dim)
        yield matrix(block + "ffn_down.weight", dim, shape.ffn)
    yield Tensor("output_norm.weight", 0, dim, NORM)
    yield matrix(OUTPUT, shape.vocab, dim)


def write_synthetic(
    path: Path | str,
    shape_name: str,
    kind: str,
    progress: Progress,
    seed: int = SEED,
    types: KindOf = kind_of,
) -> None:
    """Writes the file, tensor by tensor. E-SYN-01 for a shape or type that there is not, E-SYN-02
    when the disk does not take it."""
    if shape_name not in SHAPES or kind not in TYPES:
        raise FluidError(
            "E-SYN-01",
            f"a shape of {'|'.join(SHAPES)} and a type of {'|'.join(TYPES)} expected, found "
            f"{shape_name} and {kind}; name one of these",
        )
    try:
        with replacing(path) as new:
            wanted = list(tensors(SHAPES[shape_name], kind, types))
            name = file_name(shape_name, kind)
            _write(new, SHAPES[shape_name], name, kind, wanted, progress, seed)
    except OSError as error:
        raise FluidError(
            "E-SYN-02", f"{path} was expected to be written, found: {error}; make room on the disk"
        ) from error


def _write(
    path: Path,
    shape: Shape,
    name: str,
    kind: str,
    wanted: list[Tensor],
    progress: Progress,
    seed: int,
) -> None:
    writer = gguf.GGUFWriter(path, "llama")
    try:
        _add_keys(writer, shape, Path(name).stem, kind)
        for tensor in wanted:
            _announce(writer, tensor)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
        for number, tensor in enumerate(wanted):
            progress(f"{name}: tensor {number + 1} of {len(wanted)}")
            writer.write_tensor_data(_weights(tensor, np.random.default_rng([seed, number])))
    finally:
        writer.close()


def _add_keys(writer: gguf.GGUFWriter, shape: Shape, name: str, kind: str) -> None:
    writer.add_name(name)
    writer.add_file_type(int(gguf.LlamaFileType[TYPES[kind]]))
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    writer.add_vocab_size(shape.vocab)
    writer.add_context_length(shape.ctx)
    writer.add_embedding_length(shape.dim)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.ffn)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_rope_dimension_count(shape.dim // shape.heads)
    writer.add_rope_freq_base(ROPE_BASE)
    writer.add_layer_norm_rms_eps(EPS)
    words = vocabulary(shape.vocab)
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(words.tokens)
    writer.add_token_scores(words.scores)
    writer.add_token_types(words.types)
    writer.add_unk_token_id(UNK)
    writer.add_bos_token_id(BOS)
    writer.add_eos_token_id(EOS)
    writer.add_add_bos_token(True)


def _announce(writer: gguf.GGUFWriter, tensor: Tensor) -> None:
    kind = gguf.GGMLQuantizationType[tensor.kind]
    weights, size = block_size(tensor.kind)
    shape = [tensor.rows, tensor.cols] if tensor.rows else [tensor.cols]
    length = max(1, tensor.rows) * tensor.cols // weights * size
    writer.add_tensor_info(tensor.name, shape, np.dtype(np.float32), length, kind)


def _weights(tensor: Tensor, rng: np.random.Generator) -> NDArray[Any]:
    if not tensor.rows:
        return np.ones(tensor.cols, np.float32)
    if tensor.kind in BLOCKS:
        return random_blocks(tensor.kind, rng, tensor.rows, tensor.cols, DEVIATION)
    plain = rng.standard_normal((tensor.rows, tensor.cols), np.float32) * np.float32(DEVIATION)
    if tensor.kind == "F16":
        return plain.astype(np.float16)
    if tensor.kind == "BF16":
        return (plain.view(np.uint32) >> 16).astype(np.uint16)  # towards 0
    return plain
