"""A model in another of our formats: weights are made floats and rounded again, all else is copied.

Beside the model a small JSON file tells which part of the weights is in the type that the format is
named for, and how far these are off. E-QUAL-01: what is given is no model that can be converted.
E-QUAL-05: the disk does not take the other one.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from gguf.quants import dequantize, quantize
from numpy.typing import NDArray

from fluid.canonical import canonical_json
from fluid.errors import FluidError
from fluid.files import replacing, write_atomic
from fluid.k_quantise import QUANTISERS, k_quantise
from fluid.quality_formats import OUTPUT, type_of
from fluid.records import from_object
from fluid.synthetic_shapes import TYPES

OWN_KEYS = ("GGUF.", "general.architecture")  # GGUFWriter writes these
FILE_TYPE = "general.file_type"
QUANTIZATION = "general.quantization_version"

Progress = Callable[[str], None]


@dataclass(frozen=True)
class About:
    """share: of the weights of all matrices those in the type `kind`; error: root mean square of
    what rounding has changed in them, as a part of that of the weights themselves."""

    kind: str
    share: float
    error: float


class Errors:
    """Sums over the tensors of one type."""

    def __init__(self) -> None:
        self.count = self.all = 0
        self.squares = self.lost = 0.0

    def add(self, before: NDArray[np.float32], after: NDArray[np.float32]) -> None:
        """One of them."""
        self.count += before.size
        self.squares += float(np.square(before, dtype=np.float64).sum())
        self.lost += float(np.square(after - before, dtype=np.float64).sum())

    def about(self, kind: str) -> About:
        """The result; error 0 when all weights are 0."""
        error = (self.lost / self.squares) ** 0.5 if self.squares else 0.0
        share = self.count / self.all if self.all else 0.0
        return About(kind, round(share, 6), round(error, 9))


def _refused(path: Path | str, found: object) -> FluidError:
    return FluidError(
        "E-QUAL-01",
        f"a GGUF file of a LLaMA with finite weights expected at {path}, found: {found}; give "
        "another with model=FILE",
    )


def _quantised(weights: NDArray[np.float32], kind: str) -> NDArray[Any]:
    if kind in QUANTISERS:
        return k_quantise(weights, kind)
    made: NDArray[Any] = quantize(weights, gguf.GGMLQuantizationType[kind])
    return made


def convert(model: Path | str, kind: str, path: Path | str, progress: Progress) -> About:
    """Writes `model` with its matrices in the type `kind`."""
    try:
        reader = gguf.GGUFReader(model)
        if reader.fields["general.architecture"].contents() != "llama":
            raise ValueError("another architecture")
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise _refused(model, repr(error)) from error
    errors = Errors()
    try:
        with replacing(path) as new:
            writer = gguf.GGUFWriter(new, "llama")
            try:
                _add_keys(reader, writer, kind)
                _write(reader, writer, kind, errors, lambda text: progress(f"{kind}: {text}"))
            finally:
                writer.close()
    except (ValueError, NotImplementedError) as error:  # a type that the package does not read
        raise _refused(model, repr(error)) from error
    except OSError as error:
        raise FluidError(
            "E-QUAL-05", f"{path} was expected to be written, found: {error}; make room on the disk"
        ) from error
    return errors.about(kind)


def _add_keys(reader: Any, writer: Any, kind: str) -> None:
    for name, field in reader.fields.items():
        if name.startswith(OWN_KEYS) or name in (FILE_TYPE, QUANTIZATION):
            continue
        inner = field.types[-1] if field.types[0] == gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(name, field.contents(), field.types[0], sub_type=inner)
    writer.add_file_type(int(gguf.LlamaFileType[TYPES[kind]]))
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)


def _write(reader: Any, writer: Any, kind: str, errors: Errors, progress: Progress) -> None:
    """Tensors in the order of the file. Their sizes stand before the first of them."""
    tied = all(tensor.name != OUTPUT for tensor in reader.tensors)
    kinds = {}
    for tensor in reader.tensors:
        shape = [int(n) for n in reversed(tensor.shape)]
        matrix = len(shape) > 1
        kinds[tensor.name] = type_of(tensor.name, shape[-1], kind, tied) if matrix else "F32"
        code = gguf.GGMLQuantizationType[kinds[tensor.name]]
        block, size = gguf.GGML_QUANT_SIZES[code]
        length = tensor.n_elements // block * size
        writer.add_tensor_info(tensor.name, shape, np.dtype(np.float32), length, code)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for number, tensor in enumerate(reader.tensors):
        progress(f"tensor {number + 1} of {len(reader.tensors)}")
        made = kinds[tensor.name]
        before = dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        data = _quantised(before, made)
        after = dequantize(data, gguf.GGMLQuantizationType[made])
        if not (np.isfinite(before).all() and np.isfinite(after).all()):
            raise ValueError(f"{tensor.name} as {made} is not finite")
        if len(tensor.shape) > 1:
            errors.all += before.size
            if made == kind:
                errors.add(before, after)
        writer.write_tensor_data(data)


def write_about(found: About, path: Path | str) -> None:
    """The JSON file."""
    write_atomic(path, canonical_json(asdict(found)))


def read_about(path: Path | str) -> About:
    """What write_about wrote, as a product of the same build."""
    return from_object(json.loads(Path(path).read_text(encoding="utf-8")), About, "about")
