"""Synthetic models: what is in the file, that it is the same each time, and what is refused."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
import pytest
from gguf.quants import dequantize

from fluid.errors import FluidError
from fluid.random_blocks import K_TYPES
from fluid.synthetic import DEVIATION, kind_of, tensors, write_synthetic
from fluid.synthetic_shapes import SHAPES, TYPES, all_files, model_path
from fluid.synthetic_vocabulary import BYTE, NORMAL, SPACE, vocabulary


def silent(text: str) -> None:
    """No progress."""


@pytest.mark.parametrize("kind", TYPES)
def test_weights_are_of_the_type_and_plausible(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "m.gguf"
    steps: list[str] = []
    write_synthetic(path, "tiny", kind, steps.append)
    found = {tensor.name: tensor for tensor in gguf.GGUFReader(path).tensors}
    wanted = list(tensors(SHAPES["tiny"], kind))
    assert list(found) == [tensor.name for tensor in wanted]
    assert len(steps) == len(wanted)
    for tensor in wanted:
        one = found[tensor.name]
        assert one.tensor_type.name == tensor.kind
        weights = dequantize(one.data, one.tensor_type)
        if not tensor.rows:
            assert (weights == 1).all()
            continue
        assert weights.shape == (tensor.rows, tensor.cols)
        assert weights.std() == pytest.approx(DEVIATION, rel=0.1)
        assert abs(weights.mean()) < 0.15 * DEVIATION


def test_the_same_file_each_time(tmp_path: Path) -> None:
    """By shape, type and seed."""
    files = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_synthetic(tmp_path / name, "tiny", "Q4_K", silent, seed)
        files.append((tmp_path / name).read_bytes())
    assert files[0] == files[1] != files[2]


def test_output_matrix_as_llama_cpp_quantises_it() -> None:
    for kind in TYPES:
        plain = kind in ("F32", "F16", "BF16", "Q8_0")
        assert kind_of("output.weight", kind) == (kind if plain else "Q6_K")
        assert kind_of("token_embd.weight", kind) == kind
        assert kind_of("blk.0.attn_v.weight", kind) == ("Q4_K" if kind == "Q2_K" else kind)
        for name in ("ffn_down", "attn_output"):
            assert kind_of(f"blk.0.{name}.weight", kind) == ("Q3_K" if kind == "Q2_K" else kind)
        assert kind_of("blk.0.ffn_up.weight", kind) == kind


def test_types_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    write_synthetic(path, "tiny", "Q2_K", silent, types=lambda name, kind: "Q8_0")
    kinds = {t.tensor_type.name for t in gguf.GGUFReader(path).tensors if len(t.shape) == 2}
    assert kinds == {"Q8_0"}


def test_tinyllama_is_as_large_as_the_real_one() -> None:
    """1,100,048,384 parameters; its Q4_0 file has some 640 MB."""
    shape = SHAPES["tinyllama"]
    every = list(tensors(shape, "Q4_0"))
    assert sum(max(1, t.rows) * t.cols for t in every) == 1_100_048_384
    bits = {"F32": 32.0, "Q4_0": 4.5, "Q6_K": 6.5625}
    size = sum(max(1, t.rows) * t.cols * bits[t.kind] / 8 for t in every)
    assert 630e6 < size < 640e6
    for kind in K_TYPES:
        assert all(t.cols % 256 == 0 for t in tensors(shape, kind))


@pytest.mark.parametrize("size", [512, 32000])
def test_vocabulary(size: int) -> None:
    """Distinct; each piece of several characters can be merged from two earlier ones."""
    words = vocabulary(size)
    assert len(words.tokens) == len(set(words.tokens)) == len(words.scores) == size
    assert words.types.count(BYTE) == 256
    pieces = [t for t, kind in zip(words.tokens, words.types, strict=True) if kind == NORMAL]
    rank = {piece: number for number, piece in enumerate(pieces)}
    assert SPACE in rank
    for piece in pieces:
        if len(piece) > 1:
            assert max(rank[piece[:-1]], rank[piece[-1]]) < rank[piece]
    assert np.all(np.diff(words.scores[3 + 256 :]) < 0)


def test_refusals(tmp_path: Path) -> None:
    with pytest.raises(FluidError, match=r"E-SYN-01 .*tinyllama.*Q4_0.*found huge and Q9"):
        write_synthetic(tmp_path / "m.gguf", "huge", "Q9", silent)
    blocked = tmp_path / "file"
    blocked.touch()
    with pytest.raises(FluidError, match=r"E-SYN-02 .*make room"):
        write_synthetic(blocked / "m.gguf", "tiny", "Q4_0", silent)
    assert all_files()[model_path("tiny", "Q4_0")] == ("tiny", "Q4_0")
