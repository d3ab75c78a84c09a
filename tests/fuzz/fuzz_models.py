"""The models that targets open before their first input: whole vocabularies, no tensors.

Made at the start of each run, in build/fuzz/models, replaced atomically: targets may run side by
side.
"""

import os
import struct
import tempfile
from functools import cache
from pathlib import Path

import gguf

import models
from chat_families import FAMILIES, make_model
from hostcc import ROOT

FOLDER = ROOT / "build" / "fuzz" / "models"
TOKENIZERS = {"bpe": "bpe", "llama-bpe": "bpe:llama-bpe", "spm": "spm"}
FAMILIES_BY_NAME = {family.name: family for family in FAMILIES}
SHAPE = {"dim": 32, "ffn": 32, "layers": 1}
TENSOR_COUNT = 8  # its place in the header, behind magic and version (GGUF spec)


def _without_tensors(path: Path) -> bytes:
    """A model's header and keys; the engine's tokenizer needs no more."""
    data = path.read_bytes()[: gguf.GGUFReader(path).data_offset]
    none = struct.pack("<Q", 0)
    return data[:TENSOR_COUNT] + none + data[TENSOR_COUNT + len(none) :]


@cache
def vocabulary(name: str) -> Path:
    """The path of a tokenizer or a chat family, written when first asked for."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    out = FOLDER / f"{name}.gguf"
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        new = Path(folder) / out.name
        if name in TOKENIZERS:
            models.make_tiny(new, "Q4_0", TOKENIZERS[name], tied=True, **SHAPE)  # type: ignore[arg-type]
        else:
            make_model(new, FAMILIES_BY_NAME[name], **SHAPE)
        new.write_bytes(_without_tensors(new))
        os.replace(new, out)
    return out
