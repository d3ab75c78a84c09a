"""bench lookup=1 with a machine that computes nothing: turns, table, replies that differ."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from fluid import lookup_bench
from fluid.lookup_texts import EDIT, OTHER, REPEATED, SUMMARY, TEXTS, Text

OPTIONS: dict[str, Any] = {"target": "x86-64-v2", "tag": "x86-64-v2", "threads": 1}
SHORT = [Text("one", SUMMARY, "four words of text"), Text("two", OTHER, "two words")]


def test_each_text_in_turns(disk: Path, compiler: str) -> None:
    found = lookup_bench.run(
        disk, Path(compiler), texts=SHORT, rounds=3, progress=lambda text: None, **OPTIONS
    )
    assert [reply.ids for reply in found.replies] == [[0, 1, 2, 3], [0, 1]]
    for reply, drafted in zip(found.replies, (2, 1), strict=True):
        assert reply.on == [200.0] * 3 and reply.off == [100.0] * 3
        assert (reply.drafted, reply.accepted) == (drafted, drafted)
        assert reply.ratio == (2.0, 2.0, 2.0)
    text = lookup_bench.table(found)
    assert "median of 3 rounds" in text and "2.00 (2.00 to 2.00)" in text
    assert "summary: median of 1 texts 2.00, 2.00 to 2.00" in text


def test_the_command(
    disk: Path, compiler: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(lookup_bench, "ROUNDS", 1)
    monkeypatch.setattr(lookup_bench, "TEXTS", SHORT)
    assert lookup_bench.bench_lookup(disk, Path(compiler), disk.parent, **OPTIONS) == 0
    data = json.loads((disk.parent / "lookup-host.json").read_bytes())
    assert [reply["name"] for reply in data["replies"]] == ["one", "two"]
    assert "accepted" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("mute", "E-LOOK-01 a reply of two tokens or more expected, found E-CTX-01"),
        ("other", "E-LOOK-02"),
        ("no-model", "E-TIER-01"),
    ],
)
def test_refused(
    disk: Path,
    compiler: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    wrong: str,
    said: str,
) -> None:
    monkeypatch.setenv("FAKE_WRONG", wrong)
    assert lookup_bench.bench_lookup(disk, Path(compiler), disk.parent, **OPTIONS) == 1
    assert said in capfd.readouterr().err
    assert not (disk.parent / "lookup-host.json").exists()


def test_texts() -> None:
    """A line each; of each kind some, with names of their own."""
    assert len({text.name for text in TEXTS}) == len(TEXTS)
    assert all("\n" not in text.line for text in TEXTS)
    kinds = [text.kind for text in TEXTS]
    assert min(kinds.count(kind) for kind in (SUMMARY, REPEATED, OTHER)) >= 3
    edit = next(text for text in TEXTS if text.name == "code edit")
    assert base64.b64decode(edit.line.partition("base64:")[2]).decode() == EDIT
