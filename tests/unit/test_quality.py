"""What a measurement of quality asks, how it is added up, and when it refuses what it is told."""

from __future__ import annotations

import base64
import math
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fluid.canonical import canonical_json
from fluid.convert import About
from fluid.errors import FluidError
from fluid.event_types import Boot, Error, Event, Prompt, Ready, Score
from fluid.quality_results import (
    Quality,
    collect,
    perplexity,
    read_quality,
    summary,
    table,
    write_quality,
)
from fluid.quality_scores import (
    Predictions,
    Scores,
    Text,
    ask,
    boot,
    compare,
    log_sum_exp,
    read_scores,
    write_scores,
)
from fluid.quality_texts import BYTES, DOCUMENTS, Piece, beginning, read_pieces, write_pieces

ROOT = Path(__file__).resolve().parents[2]
PIECE = Piece("a.md", "Grün.")
TARGET = "x86-64-v2"


def a_score(**change: Any) -> Score:
    """Of three tokens."""
    lists = {"argmax": [1, 2, 0], "margin": [0.5] * 3, "logsumexp": [1.0] * 3}
    every: dict[str, Any] = {"ids": [0, 1, 2], "top": [[(1, 0.5)]] * 3, "nll": 2.0, **lists}
    return Score(**(every | change))


class FakeMachine:
    """Says what it is given."""

    def __init__(self, *events: Event) -> None:
        self.events = list(events)
        self.asked: list[str] = []

    def wait_for(self, kind: type[Event], seconds: float) -> list[Event]:
        return [event for event in self.events if isinstance(event, (kind, Error))]

    def command(self, line: str, seconds: float) -> list[Event]:
        self.asked.append(line)
        return self.events


def asked(*events: Event) -> Score:
    machine: Any = FakeMachine(*events)
    return ask(machine, PIECE)


def test_texts_are_long_enough_and_end_at_a_word(tmp_path: Path) -> None:
    write_pieces([ROOT / name for name in DOCUMENTS], tmp_path / "texts.json")
    pieces = read_pieces(tmp_path / "texts.json")
    assert [piece.name for piece in pieces] == [Path(name).name for name in DOCUMENTS]
    for piece, name in zip(pieces, DOCUMENTS, strict=True):
        whole = (ROOT / name).read_text(encoding="utf-8")
        assert whole.startswith(piece.text) and whole[len(piece.text)] in " \n"
        assert BYTES - 60 < len(piece.text.encode()) < BYTES


def test_a_text_that_cannot_be_used(tmp_path: Path) -> None:
    short, binary = tmp_path / "short.md", tmp_path / "binary.md"
    short.write_text("A few words. " * 9)
    binary.write_bytes(b"\xff " * BYTES)
    for path in (short, binary, tmp_path / "absent.md"):
        with pytest.raises(FluidError, match=r"E-QUAL-02 .*restore it"):
            beginning(path)


def test_what_is_asked() -> None:
    machine: Any = FakeMachine(a_score())
    assert ask(machine, PIECE) == a_score()
    assert machine.asked == ["/score base64:" + base64.b64encode("Grün.".encode()).decode()]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"argmax": [1, 2]}, "3 tokens and lists of [2, 3]"),
        ({"logsumexp": [1.0] * 4}, "lists of [3, 4]"),
        ({key: [] for key in ("ids", "argmax", "margin", "top", "logsumexp")}, "0 tokens"),
        ({"nll": None}, "a loss of None"),
        ({"nll": math.nan}, "a loss of nan"),
        ({"logsumexp": [1.0, math.inf, 1.0]}, "finite"),
    ],
)
def test_scores_that_are_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(FluidError, match=r"E-QUAL-03 a\.md") as error:
        asked(a_score(**change))
    assert said in str(error.value)


def test_a_machine_that_scores_nothing() -> None:
    with pytest.raises(FluidError, match=r"E-QUAL-03 .*E-CTX-01 too long"):
        asked(Error(code="E-CTX-01", text="too long"))
    with pytest.raises(FluidError, match=r"E-QUAL-03 .*found nothing"):
        asked()


def test_a_machine_without_model() -> None:
    about: dict[str, Any] = {"mem_total": 1, "mem_used": 1, "ms": 1}
    started = Boot(build="00", target=TARGET, cpu="any", features=[], cores=1)
    ready = Ready(model="m", variant="v", **about)
    machine: Any = FakeMachine(started, ready, Prompt())
    assert boot(machine) == (started, "m")
    refused: list[Event] = [
        Error(code="E-GGUF-01", text="no model"),
        Ready(model=None, variant=None, **about),
    ]
    machine = FakeMachine(started, *refused)
    with pytest.raises(FluidError, match=r"E-QUAL-03 .*E-GGUF-01 no model"):
        boot(machine)


def test_oracle_beside_a_score() -> None:
    """Losses are those of the tokens that follow; margins, of the best two."""
    logits = np.array([[0, 2, 1], [0, 0, 3], [5, 1, 1]], np.float32)
    text = compare(a_score(), logits, "a.md")
    sums = [math.log(sum(math.exp(x) for x in row)) for row in logits.tolist()]
    assert text.oracle.logsumexp == pytest.approx(sums, abs=1e-5)
    assert text.oracle.argmax == [1, 2, 0] and text.margins == [1, 3, 4]
    assert text.losses == pytest.approx([sums[0] - 2, sums[1] - 3], abs=1e-5)
    assert text.oracle.nll == pytest.approx((sums[0] + sums[1] - 5) / 2, abs=1e-5)
    assert (text.ours.nll, text.ours.argmax, text.ids) == (2.0, [1, 2, 0], [0, 1, 2])
    assert log_sum_exp(logits + 1000) == pytest.approx(np.array(sums) + 1000, abs=1e-3)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_an_oracle_that_does_not_compute(bad: float) -> None:
    logits = np.zeros((3, 3), np.float32)
    logits[1, 1] = bad
    with (
        np.errstate(invalid="ignore"),
        pytest.raises(FluidError, match=r"E-QUAL-04 a\.md: finite"),
    ):
        compare(a_score(), logits, "a.md")


def a_text(argmax: list[int], oracle: list[int], losses: list[float], shift: float) -> Text:
    count = len(argmax)
    mean = sum(losses) / len(losses)
    return Text(
        name=f"{count}.md",
        ids=list(range(count)),
        ours=Predictions(argmax=argmax, logsumexp=[1 + shift] * count, nll=mean + shift),
        oracle=Predictions(argmax=oracle, logsumexp=[1.0] * count, nll=mean),
        margins=[0.1 * (i + 1) for i in range(count)],
        losses=losses,
    )


def some_scores(kind: str, shift: float, more: float) -> Scores:
    """Two texts of three and two tokens; our losses are `shift` above the oracle's, these `more`
    above those of 1, 2 and 6 nats, but for the second one."""
    off = [9] if shift else [2]
    first = a_text([1, *off, 3], [1, 2, 3], [1 + more, 2], shift)
    second = a_text([4, 5], [4, 5 if not more else 6], [6 + more], shift)
    about: dict[str, Any] = {"model": "m", "cpu": "any", "build": "00", "file_bytes": 1000}
    return Scores(about=About(kind, 0.5, 0.1), texts=[first, second], **about)


EXACT, OTHER = some_scores("F32", 0.0, 0.0), some_scores("Q4_0", 0.5, 0.25)


def test_perplexity_is_of_tokens_not_of_texts() -> None:
    assert perplexity([1.0, 4.0], [2, 1]) == pytest.approx(math.exp(2))


def test_summary() -> None:
    found = summary(OTHER, EXACT)
    assert found.oracle == pytest.approx(math.exp((1.25 + 2 + 6.25) / 3))
    assert found.perplexity == pytest.approx(found.oracle * math.exp(0.5))
    assert found.arithmetic == pytest.approx(math.exp(0.5) - 1)
    assert found.cost == pytest.approx(0.5 / 3)
    assert found.spread == pytest.approx(math.sqrt(np.var([0.25, 0, 0.25], ddof=1) / 3))
    assert found.rms == pytest.approx(0.5)
    assert (found.agreed, found.kept) == (3, 4)  # 9 for 2 and 5 for 6; 6 for 5
    assert found.margin == pytest.approx(0.2)
    exact = summary(EXACT, EXACT)
    assert (exact.agreed, exact.kept, exact.margin, exact.cost) == (5, 5, 0.0, 0.0)


def test_other_tokens_are_refused() -> None:
    texts = [replace(EXACT.texts[0], ids=[7, 8, 9]), EXACT.texts[1]]
    with pytest.raises(FluidError, match="E-QUAL-03 Q4_0: the tokens of F32"):
        summary(replace(OTHER, texts=texts), EXACT)


def a_result() -> Quality:
    return collect([EXACT, OTHER], TARGET, "host")


def test_scores_are_written_and_read(tmp_path: Path) -> None:
    write_scores(OTHER, tmp_path / "scores.json")
    assert read_scores(tmp_path / "scores.json") == OTHER


def test_file_and_table(tmp_path: Path) -> None:
    found = a_result()
    assert found.positions == 5
    write_quality(found, tmp_path / "quality.json")
    assert read_quality(tmp_path / "quality.json", TARGET) == found
    text = table(found)
    row = next(line for line in text.splitlines() if line.startswith("Q4_0"))
    assert "5 positions in the beginnings of 3.md, 2.md" in text
    assert all(part in row for part in ("+18.14% ± 9.84%", "80.0%", "+64.87%", "60.0%", "0.5000"))
    with pytest.raises(FluidError, match=r"E-RPT-03 .*i686 expected"):
        read_quality(tmp_path / "quality.json", "i686")


@pytest.mark.parametrize(
    "damage",
    [
        *({"schema": 2}, {"formats": []}, {"model": None}, {"texts": []}),
        *({"kind": "Q9_9"}, {"kind": "F32"}, {"share": 1.5}, {"file_bytes": 0}),
        *({"perplexity": 0.5}, {"oracle": "low"}, {"rms": math.nan}, {"spread": -1}),
        *({"agreed": 6}, {"kept": 6}, {"agreed": -1}),
    ],
)
def test_damaged_file(tmp_path: Path, damage: dict[str, Any]) -> None:
    data = asdict(a_result())
    (data if damage.keys() <= data.keys() else data["formats"][1]).update(damage)
    path = tmp_path / "quality.json"
    path.write_bytes(canonical_json(data))
    with pytest.raises(FluidError, match=r"E-RPT-03 .*quality\.json"):
        read_quality(path, TARGET)
