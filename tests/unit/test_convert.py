"""Models in other formats: types and weights of tensors, what is copied, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
from gguf.quants import dequantize

from fluid.convert import About, Errors, convert, read_about, write_about
from fluid.errors import FluidError
from fluid.quality_formats import FALLBACKS, FORMATS, PLAIN, model_path, type_of, wanted
from fluid.synthetic_shapes import TYPES
from models import make_tiny

DIM, FFN = 64, 256  # rows of ffn_down are a K block, all others are not


def silent(text: str) -> None:
    """No progress."""


def tensors(path: Path) -> dict[str, Any]:
    return {tensor.name: tensor for tensor in gguf.GGUFReader(path).tensors}


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("convert")
    return make_tiny(folder / "m.gguf", "F32", "bpe", tied=True, dim=DIM, ffn=FFN)


def test_formats_are_all_that_the_engine_knows() -> None:
    assert sorted(FORMATS) == sorted(TYPES) and FORMATS[0] == "F32"


@pytest.mark.parametrize(
    ("name", "cols", "kind", "tied", "found"),
    [
        ("blk.0.ffn_down.weight", 1536, "Q4_K", True, "Q4_K"),
        *(("blk.0.attn_q.weight", 576, kind, True, other) for kind, other in FALLBACKS.items()),
        ("blk.0.attn_q.weight", 100, "Q5_K", True, "F16"),
        ("blk.0.attn_q.weight", 100, "Q4_0", True, "F16"),
        ("blk.0.attn_q.weight", 100, "BF16", True, "BF16"),
        ("token_embd.weight", 576, "Q4_0", True, "Q8_0"),
        ("token_embd.weight", 2048, "Q4_0", True, "Q6_K"),
        ("token_embd.weight", 2048, "Q4_0", False, "Q4_0"),
        ("output.weight", 2048, "Q4_0", False, "Q6_K"),
        *(("output.weight", 576, kind, False, kind) for kind in PLAIN),
    ],
)
def test_types_as_llama_cpp_takes_them(
    name: str, cols: int, kind: str, tied: bool, found: str
) -> None:
    assert type_of(name, cols, kind, tied) == found


@pytest.mark.parametrize("kind", FORMATS)
def test_each_format(tmp_path: Path, original: Path, kind: str) -> None:
    """Each tensor has its type, and weights near those that it had."""
    said: list[str] = []
    about = convert(original, kind, tmp_path / "to.gguf", said.append)
    before, after = tensors(original), tensors(tmp_path / "to.gguf")
    assert list(before) == list(after) and len(said) == len(before)
    named = 0
    for name, tensor in after.items():
        assert (tensor.shape == before[name].shape).all()
        matrix = len(tensor.shape) > 1
        cols = int(tensor.shape[0])
        assert tensor.tensor_type.name == (type_of(name, cols, kind, True) if matrix else "F32")
        named += matrix and tensor.tensor_type.name == kind
        weights = dequantize(tensor.data, tensor.tensor_type)
        lost = weights - before[name].data.reshape(weights.shape)
        assert np.square(lost).mean() ** 0.5 < 0.4 * before[name].data.std()
    every = sum(len(tensor.shape) > 1 for tensor in after.values())
    assert named == {True: 2, False: every - 1}[kind in FALLBACKS] or kind in PLAIN
    assert about.kind == kind and (about.share == 1) == (kind in PLAIN)
    assert 0 < about.share <= 1 and (about.error == 0) == (kind == "F32") and about.error < 0.4


def test_everything_else_is_copied(tmp_path: Path, original: Path) -> None:
    convert(original, "Q5_1", tmp_path / "to.gguf", silent)
    before, after = (gguf.GGUFReader(path).fields for path in (original, tmp_path / "to.gguf"))
    own = {"general.file_type", "general.quantization_version"}
    assert after.keys() == before.keys() | own
    for name in before.keys() - own:
        assert name.startswith("GGUF.") or after[name].contents() == before[name].contents()
    assert after["general.file_type"].contents() == gguf.LlamaFileType.MOSTLY_Q5_1
    again = tmp_path / "again.gguf"
    convert(original, "Q5_1", again, silent)
    assert again.read_bytes() == (tmp_path / "to.gguf").read_bytes()


def test_errors_are_of_the_named_type_alone() -> None:
    errors = Errors()
    errors.all = 8
    errors.add(np.array([3, 4], np.float32), np.array([3, 4.5], np.float32))
    assert errors.about("Q4_K") == About("Q4_K", 0.25, 0.1)
    assert Errors().about("Q4_K") == About("Q4_K", 0.0, 0.0)


def test_about_is_written_and_read(tmp_path: Path) -> None:
    write_about(About("Q4_0", 0.75, 0.01), tmp_path / "a.json")
    assert read_about(tmp_path / "a.json") == About("Q4_0", 0.75, 0.01)


def test_no_model(tmp_path: Path, original: Path) -> None:
    (tmp_path / "no.gguf").write_bytes(b"nothing like that")
    other = gguf.GGUFWriter(tmp_path / "other.gguf", "gpt2")
    other.write_header_to_file()
    other.write_kv_data_to_file()
    other.close()
    for path in (tmp_path / "no.gguf", tmp_path / "absent.gguf", tmp_path / "other.gguf"):
        with pytest.raises(FluidError, match=r"E-QUAL-01 .*model=FILE"):
            convert(path, "Q4_0", tmp_path / "to.gguf", silent)
    with pytest.raises(FluidError, match=r"E-QUAL-05 .*make room"):
        convert(original, "Q4_0", tmp_path / "no.gguf" / "to.gguf", silent)
    assert not (tmp_path / "to.gguf").exists()


@pytest.mark.parametrize("kind", ["F32", "Q4_0", "Q6_K"])
def test_weights_that_are_no_numbers(tmp_path: Path, original: Path, kind: str) -> None:
    data = bytearray(original.read_bytes())
    data[-4:] = np.float32(np.nan).tobytes()  # in the last tensor
    (tmp_path / "nan.gguf").write_bytes(data)
    with pytest.raises(FluidError, match=r"E-QUAL-01 .*is not finite"):
        convert(tmp_path / "nan.gguf", kind, tmp_path / "to.gguf", silent)
    assert [path.name for path in tmp_path.iterdir()] == ["nan.gguf"]


def test_when_the_measurement_is_wanted() -> None:
    for goal in ("quality", model_path("Q4_K"), "build/i686/quality-host.json"):
        assert wanted(["image", goal])
    assert not wanted(["image", "report", "build/i686/fluid.img", "build/models/tiny-q4_0.gguf"])
