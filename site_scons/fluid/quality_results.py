"""quality-<runner>.json: what each format costs, and what our arithmetic costs on top of it.

The float oracle on the unchanged weights is the measure. The same oracle on the weights of a format
tells what the format costs; our engine against the oracle on these same weights, what we cost.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from fluid.canonical import canonical_json
from fluid.errors import FluidError
from fluid.files import write_atomic
from fluid.quality_formats import EXACT, FORMATS
from fluid.quality_scores import Predictions, Scores, Text
from fluid.records import EventError
from fluid.samples import read_as

SCHEMA: Literal[1] = 1
COUNT = {"least": 1}
PART = {"least": 0}


@dataclass(frozen=True, kw_only=True)
class Format:
    """One format; share and error as in convert.About.

    perplexity: the engine's; oracle: the float oracle's on the same weights. cost: by how much a
    token's loss of the oracle is above that on unchanged weights, a mean, in nats; spread: standard
    error of that mean. agreed: positions where the engine's best token is the oracle's on the same
    weights; kept: where this one is the oracle's on unchanged weights. margin: the largest one
    between the oracle's best two where engine and oracle do not agree, 0 where they always do. rms:
    of the differences of logsumexp.
    """

    kind: str
    file_bytes: int = field(metadata=COUNT)
    share: float
    error: float
    perplexity: float
    oracle: float
    cost: float
    spread: float
    agreed: int = field(metadata=PART)
    kept: int = field(metadata=PART)
    margin: float
    rms: float

    @property
    def above(self) -> float:
        """By which part the oracle's perplexity is above that on unchanged weights."""
        return math.expm1(self.cost)

    @property
    def above_error(self) -> float:
        """Its standard error."""
        return math.exp(self.cost) * self.spread

    @property
    def arithmetic(self) -> float:
        """By which part our perplexity is above that of the oracle on the same weights."""
        return self.perplexity / self.oracle - 1


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One text."""

    name: str
    tokens: int = field(metadata={"least": 2})


@dataclass(frozen=True, kw_only=True)
class Quality:
    """The file."""

    schema: Literal[1]
    target: str
    runner: str
    cpu: str
    build: str
    model: str
    texts: list[Measured]
    formats: list[Format]

    @property
    def positions(self) -> int:
        """At which a token is predicted."""
        return sum(text.tokens for text in self.texts)


def perplexity(losses: Sequence[float], counts: Sequence[int]) -> float:
    """Of mean losses and the numbers of tokens that they are of."""
    pairs = zip(losses, counts, strict=True)
    return math.exp(sum(loss * count for loss, count in pairs) / sum(counts))


def summary(scores: Scores, exact: Scores) -> Format:
    """Of one format; exact: those of the unchanged weights. E-QUAL-03 when they are of other
    tokens."""
    if [text.ids for text in scores.texts] != [text.ids for text in exact.texts]:
        raise FluidError(
            "E-QUAL-03",
            f"{scores.about.kind}: the tokens of {exact.about.kind} expected, found others; "
            "rebuild the image",
        )
    counts = [len(text.ids) - 1 for text in scores.texts]
    pairs = list(zip(scores.texts, exact.texts, strict=True))
    changes = [
        here - there
        for text, other in pairs
        for here, there in zip(text.losses, other.losses, strict=True)
    ]
    squares = [
        (ours - theirs) ** 2
        for text in scores.texts
        for ours, theirs in zip(text.ours.logsumexp, text.oracle.logsumexp, strict=True)
    ]
    return Format(
        kind=scores.about.kind,
        file_bytes=scores.file_bytes,
        share=scores.about.share,
        error=scores.about.error,
        perplexity=perplexity([text.ours.nll for text in scores.texts], counts),
        oracle=perplexity([text.oracle.nll for text in scores.texts], counts),
        cost=statistics.fmean(changes),
        spread=statistics.stdev(changes) / math.sqrt(len(changes)),
        agreed=sum(_same(text.ours, text.oracle).count(True) for text in scores.texts),
        kept=sum(_same(text.oracle, other.oracle).count(True) for text, other in pairs),
        margin=max(map(_margin, scores.texts)),
        rms=math.sqrt(statistics.fmean(squares)),
    )


def _same(here: Predictions, there: Predictions) -> list[bool]:
    """Whether the best tokens are the same, by position."""
    return [a == b for a, b in zip(here.argmax, there.argmax, strict=True)]


def _margin(text: Text) -> float:
    """The oracle's largest margin at a position where the engine's best token is another."""
    same = _same(text.ours, text.oracle)
    return max((m for m, agreed in zip(text.margins, same, strict=True) if not agreed), default=0.0)


def collect(found: Sequence[Scores], target: str, runner: str) -> Quality:
    """All formats, the one with unchanged weights first."""
    first = found[0]
    return Quality(
        schema=SCHEMA,
        target=target,
        runner=runner,
        cpu=first.cpu,
        build=first.build,
        model=first.model,
        texts=[Measured(name=text.name, tokens=len(text.ids)) for text in first.texts],
        formats=[summary(scores, first) for scores in found],
    )


def write_quality(found: Quality, path: Path | str) -> None:
    write_atomic(path, canonical_json(asdict(found)))


def read_quality(path: Path | str, target: str) -> Quality:
    """E-RPT-03 when it is not what write_quality writes."""
    return read_as(path, Quality, SCHEMA, target, _check)


def _check(found: Quality) -> None:
    kinds = [one.kind for one in found.formats]
    if kinds[:1] != [EXACT] or len(set(kinds)) < len(kinds) or not set(kinds) <= set(FORMATS):
        raise EventError(f"quality.formats: {EXACT} and others of ours expected, {kinds} found")
    for one in found.formats:
        numbers = (one.perplexity, one.oracle, one.cost, one.spread, one.margin, one.rms, one.error)
        if not all(map(math.isfinite, numbers)):
            raise EventError(f"{one.kind}: finite numbers expected")
        if not max(one.agreed, one.kept) <= found.positions:
            raise EventError(f"{one.kind}: at most {found.positions} positions expected")
        if min(one.perplexity, one.oracle) < 1 or min(one.spread, one.margin, one.rms) < 0:
            raise EventError(f"{one.kind}: perplexities from 1 on, no negative spreads expected")
        if not 0 <= one.share <= 1:
            raise EventError(f"{one.kind}: a share of 0 to 1 expected, {one.share} found")


def table(found: Quality) -> str:
    """For people: a row for each format."""
    names = ", ".join(text.name for text in found.texts)
    lines = [
        f"quality: {found.target}, {found.runner}, {found.cpu}, {found.model}, "
        f"{found.positions} positions in the beginnings of {names}",
        "share of the weights in the type, their error; perplexity of the float oracle on these "
        "weights, by how",
        "much above unchanged ones (with its standard error), best tokens kept; ours, above the "
        "oracle on the same",
        "weights, best tokens agreed, rms difference of logsumexp, largest margin where they "
        "disagree",
        f"{'format':<7}{'MB':>7}{'share':>7}{'error':>8}{'oracle':>9}{'weights':>18}{'kept':>8}"
        f"{'ours':>9}{'arithmetic':>12}{'agreed':>8}{'rms':>8}{'margin':>8}",
    ]
    return "\n".join([*lines, *(_row(found, one) for one in found.formats)]) + "\n"


def _row(found: Quality, one: Format) -> str:
    cost = f"{one.above:+.2%} ± {one.above_error:.2%}"
    return (
        f"{one.kind:<7}{one.file_bytes / 1e6:>7.1f}{one.share:>7.0%}{one.error:>8.2%}"
        f"{one.oracle:>9.3f}{cost:>18}{one.kept / found.positions:>8.1%}{one.perplexity:>9.3f}"
        f"{one.arithmetic:>+12.2%}{one.agreed / found.positions:>8.1%}{one.rms:>8.4f}"
        f"{one.margin:>8.3f}"
    )
