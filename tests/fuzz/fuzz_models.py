"""The models that targets open before their first input: whole vocabularies, no tensors.

Made at the start of each run, in build/fuzz/models, replaced atomically: targets may run side by
side.
"""

import os
import struct
import tempfile
from functools import cache
from pathlib import Path
from unittest import mock

import gguf

import models
from hostcc import ROOT

FOLDER = ROOT / "build" / "fuzz" / "models"
CHATML = "{{'<|im_start|>' + message['role']}}"
# name -> tokenizer, chat template (BPE only: models.py gives SPM none)
VOCABULARIES = {
    "bpe": ("bpe", models.SMOLLM2_TEMPLATE),
    "chatml": ("bpe", CHATML),
    "spm": ("spm", ""),
}
TENSOR_COUNT = 8  # its place in the header, behind magic and version (GGUF spec)


def _without_tensors(path: Path) -> bytes:
    """A model's header and keys; the engine's tokenizer needs no more."""
    data = path.read_bytes()[: gguf.GGUFReader(path).data_offset]
    none = struct.pack("<Q", 0)
    return data[:TENSOR_COUNT] + none + data[TENSOR_COUNT + len(none) :]


@cache
def vocabulary(name: str) -> Path:
    """The path of one of VOCABULARIES, written when first asked for."""
    tokenizer, template = VOCABULARIES[name]
    FOLDER.mkdir(parents=True, exist_ok=True)
    out = FOLDER / f"{name}.gguf"
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        new = Path(folder) / out.name
        with mock.patch.object(models, "SMOLLM2_TEMPLATE", template):
            models.make_tiny(new, "Q4_0", tokenizer, tied=True, dim=32, ffn=32, layers=1)
        new.write_bytes(_without_tensors(new))
        os.replace(new, out)
    return out
