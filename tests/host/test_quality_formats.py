"""Models that our converter made, in fluid-host and in the float oracle: they agree as far as 8-bit
activations allow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fluid.convert import convert
from fluid.emulator import HOST
from fluid.quality_results import collect, summary
from fluid.quality_scores import Scores, measure
from fluid.quality_texts import Piece
from guests import TinyModel
from host_machine import Hosts, folder_of, program_of
from numpy_llama import NumpyLlama
from qemu_images import artifact

PIECES = [
    Piece(
        "tale", "once upon a time there was a little girl named lily, and she went to the big dog"
    ),
    Piece("noise", " she  saw\ta grün 你好 🙂 dog " * 3),
]
SHAPE = {"dim": 256, "ffn": 512, "layers": 2, "ctx": 512}  # K types fit all rows
EXACT = 1e-3  # of logits; activations are floats, too
ROUNDED = 0.02  # of logsumexp, with activations in 8 bits
MARGIN = 0.2  # of the oracle where its best token is not ours


def silent(text: str) -> None:
    """No progress."""


def scores(hosts: Hosts, model: Path, kind: str, folder: Path) -> Scores:
    path = folder / f"{kind}.gguf"
    about = convert(model, kind, path, silent)
    return measure(
        path,
        about,
        artifact(folder_of(hosts.build), "boot.bin"),
        PIECES,
        folder,
        silent,
        target=hosts.build[0],
        threads=1,
        program=program_of(hosts.build),
    )


@pytest.mark.parametrize("kind", ["BF16", "Q8_0", "Q4_1", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K"])
def test_engine_agrees_with_the_float_oracle(
    hosts: Hosts, tiny: TinyModel, tmp_path: Path, kind: str
) -> None:
    """Where their best tokens differ, the oracle itself hardly decides."""
    model = tiny("F32", "spm", **SHAPE)
    exact, found = (scores(hosts, model, each, tmp_path) for each in ("F32", kind))
    assert not list(tmp_path.glob("quality-*"))
    assert len(found.texts) == len(PIECES) and found.model == model.stem
    plain, one = collect([exact, found], hosts.build[0], HOST).formats
    positions = sum(len(text.ids) for text in found.texts)
    rms, margin = (EXACT, 2 * EXACT) if kind == "BF16" else (ROUNDED, MARGIN)
    assert plain.rms < EXACT and plain.agreed == plain.kept == positions > 50
    assert one.rms < rms and one.margin < margin
    assert one.agreed >= 0.9 * positions
    assert abs(one.arithmetic) < rms
    assert one.share > 0.5 and 0 < one.error < 0.4
    if kind == "Q2_K":
        assert one.kept < one.agreed / 2 and abs(one.cost) > 3 * abs(one.arithmetic)


def test_the_oracle_is_not_the_engine(hosts: Hosts, tiny: TinyModel, tmp_path: Path) -> None:
    """It rounds no activations: the tests' oracle, which does, is nearer to the engine."""
    found = scores(hosts, tiny("F32", "spm", **SHAPE), "Q4_K", tmp_path)
    rounding = NumpyLlama(tmp_path / "Q4_K.gguf")
    for text in found.texts:
        logits = rounding.logits(text.ids)
        sums = np.log(np.exp(logits).sum(-1))
        near = np.abs(sums - np.array(text.ours.logsumexp)).mean()
        far = np.abs(np.array(text.oracle.logsumexp) - np.array(text.ours.logsumexp)).mean()
        assert near < far / 3
    assert summary(found, found).cost == 0
