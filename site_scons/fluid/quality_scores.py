"""What the engine and a float oracle predict at each position of the texts, with the same file.

The oracle (float_llama.py) computes with the same weights, made floats, and never rounds
activations; where the two differ is what our arithmetic costs. E-QUAL-03: the machine's scores are
not as they must be. E-QUAL-04: the oracle's are not.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from fluid import fat
from fluid.canonical import canonical_json
from fluid.convert import About
from fluid.emulator import HOST
from fluid.errors import FluidError
from fluid.event_types import Boot, Error, Prompt, Ready, Score
from fluid.files import write_atomic
from fluid.float_llama import Array, FloatLlama
from fluid.hosted import machine_memory
from fluid.image import build_image
from fluid.machine import Machine
from fluid.quality_texts import Piece
from fluid.records import from_object

BOOT_SECONDS = 300.0
STEP_SECONDS = 900.0
DIGITS = 6  # behind the point, as in the event

Progress = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """Entry i is about the token behind position i; nll: mean of the tokens that are there."""

    argmax: list[int]
    logsumexp: list[float]
    nll: float


@dataclass(frozen=True, kw_only=True)
class Text:
    """Of one text; margins and losses: the oracle's, by position: logit of the best token above
    the second best, and negative logarithm of the probability of the token that is there."""

    name: str
    ids: list[int]
    ours: Predictions
    oracle: Predictions
    margins: list[float]
    losses: list[float]


@dataclass(frozen=True, kw_only=True)
class Scores:
    """Of one format."""

    about: About
    file_bytes: int = field(metadata={"least": 1})
    model: str
    cpu: str
    build: str
    texts: list[Text]


def ask(machine: Machine, piece: Piece) -> Score:
    """Its /score of a text, every list as long as it must be."""
    words = base64.b64encode(piece.text.encode()).decode()
    events = machine.command(f"/score base64:{words}", STEP_SECONDS)
    found = [event for event in events if isinstance(event, Score)]
    if not found:
        told = next((f"{e.code} {e.text}" for e in events if isinstance(e, Error)), "nothing")
        raise _wrong(piece, told)
    score = found[0]
    lengths = {len(v) for v in (score.argmax, score.margin, score.top, score.logsumexp)}
    if len(score.ids) < 2 or lengths != {len(score.ids)}:
        raise _wrong(piece, f"{len(score.ids)} tokens and lists of {sorted(lengths)}")
    if score.nll is None or not all(map(math.isfinite, (score.nll, *score.logsumexp))):
        raise _wrong(piece, f"a loss of {score.nll} and sums that need not be finite")
    return score


def _wrong(piece: Piece, found: str) -> FluidError:
    return FluidError(
        "E-QUAL-03",
        f"{piece.name}: a prediction of finite numbers for each of its tokens expected behind "
        f"/score, found {found}; rebuild the image",
    )


def log_sum_exp(logits: Array) -> Array:
    """Of each row."""
    top = logits.max(-1)
    total: Array = top + np.log(np.exp(logits - top[:, None]).sum(-1))
    return total


def compare(score: Score, logits: Array, name: str) -> Text:
    """Ours with the oracle's logits (tokens, vocab) for the same ids."""
    ids, sums = score.ids, log_sum_exp(logits)
    best = np.partition(logits, -2, axis=-1)[:, -2:]
    losses = sums[:-1] - logits[np.arange(len(ids) - 1), ids[1:]]
    if not (np.isfinite(sums).all() and np.isfinite(losses).all()):
        raise FluidError(
            "E-QUAL-04",
            f"{name}: finite logits of the float oracle expected, found others; the weights of "
            "this format do not compute",
        )
    assert score.nll is not None  # see ask
    return Text(
        name=name,
        ids=ids,
        ours=Predictions(argmax=score.argmax, logsumexp=score.logsumexp, nll=score.nll),
        oracle=Predictions(
            argmax=[int(i) for i in logits.argmax(-1)],
            logsumexp=_rounded(sums),
            nll=round(float(losses.mean(dtype=np.float64)), DIGITS),
        ),
        margins=_rounded(best[:, 1] - best[:, 0]),
        losses=_rounded(losses),
    )


def _rounded(numbers: Array) -> list[float]:
    return [round(float(number), DIGITS) for number in numbers]


def boot(machine: Machine) -> tuple[Boot, str]:
    """What runs there, and the name of its model. E-QUAL-03 when it runs none."""
    events = machine.wait_for(Ready, BOOT_SECONDS) + machine.wait_for(Prompt, BOOT_SECONDS)
    ready = next(event for event in events if isinstance(event, Ready))
    if ready.model is None:
        told = next((f"{e.code} {e.text}" for e in events if isinstance(e, Error)), "nothing")
        raise FluidError(
            "E-QUAL-03",
            f"the model was expected to run in fluid-host, found {told}; rebuild the image",
        )
    return next(event for event in machine.events if isinstance(event, Boot)), ready.model


def measure(
    model: Path,
    about: About,
    boot_area: Path,
    pieces: Sequence[Piece],
    folder: Path,
    progress: Progress,
    *,
    target: str,
    threads: int,
    program: str,
) -> Scores:
    """Of one format; the image with it is in `folder` only meanwhile."""
    size = model.stat().st_size
    options: dict[str, Any] = {"mem": machine_memory(size), "smp": threads, "emulator": program}
    with TemporaryDirectory(prefix="quality-", dir=folder) as scratch:
        partition, image = Path(scratch, "fat.img"), Path(scratch, "fluid.img")
        progress(f"{about.kind}: image")
        fat.build_fat_partition([(model, "MODEL.GGUF")], partition)
        build_image(boot_area, partition, image)
        partition.unlink()
        with Machine(image, target=target, runner=HOST, **options) as machine:
            told, name = boot(machine)
            progress(f"{about.kind}: engine")
            scores = [ask(machine, piece) for piece in pieces]
    oracle = FloatLlama(model)
    texts = []
    for number, (piece, score) in enumerate(zip(pieces, scores, strict=True), 1):
        progress(f"{about.kind}: oracle, text {number} of {len(pieces)}")
        texts.append(compare(score, oracle.logits(score.ids), piece.name))
    return Scores(
        about=about,
        file_bytes=size,
        model=name,
        cpu=told.cpu,
        build=told.build,
        texts=texts,
    )


def write_scores(found: Scores, path: Path | str) -> None:
    """A JSON file."""
    write_atomic(path, canonical_json(asdict(found)))


def read_scores(path: Path | str) -> Scores:
    """What write_scores wrote, as a product of the same build."""
    return from_object(json.loads(Path(path).read_text(encoding="utf-8")), Scores, "scores")
