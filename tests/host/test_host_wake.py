"""Modules that come as bitcode alone: compiled when somebody looks for their entry points, and
better from then on (src/kernel/jit/wake.c)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from fluid import modfile
from fluid.event_types import Error, Event, Ready, Warn
from fluid.modlayout import Module
from guests import said
from host_machine import Hosts
from jit_modules import NAMES
from models import make_tiny
from tier_faults import Row, bad_add, fake_compiler, response
from tier_images import TARGET, alone, modules, real_compiler, run, tier_image


@dataclass(frozen=True)
class Stage:
    """A model, modules without code, and what the model says with the build's code."""

    model: Path
    parts: list[Module]
    reference: list[int]


@pytest.fixture(scope="module")
def stage(machines: Hosts, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    folder = tmp_path_factory.mktemp("wake")
    model = make_tiny(folder / "tiny.gguf", quant="Q8_0", tokenizer="bpe", ctx=1024)
    plain = run(machines, tier_image(folder, model, modules(), None), 1)
    return Stage(model, modules([alone(name, TARGET) for name in NAMES]), plain.completions[0])


def model_of(events: list[Event]) -> str | None:
    return next(e.model for e in events if isinstance(e, Ready))


def test_the_model_runs_and_gets_faster(machines: Hosts, stage: Stage, tmp_path: Path) -> None:
    """From code of level 0 on, which is as right as all other code."""
    image = tier_image(tmp_path, stage.model, stage.parts, real_compiler())
    found = run(
        machines,
        image,
        60,
        until=lambda decided: any(t.from_ == "O0" and t.result == "published" for t in decided),
    )
    assert all(tokens == stage.reference for tokens in found.completions)
    rows = [line.split() for line in found.before.splitlines()]
    assert {row[2] for row in rows if row[0].startswith("matmul_")} == {"O0"}
    assert any(t.from_ == "O0" and t.result == "published" for t in found.tiers)
    again = run(machines, image, 1)
    assert again.keys("hit") and again.completions == [stage.reference]


def test_nobody_compiles(machines: Hosts, stage: Stage, tmp_path: Path) -> None:
    """The model cannot run; the machine does."""
    host = machines.boot(tier_image(tmp_path, stage.model, stage.parts, None))
    assert model_of(host.events) is None
    assert [e.code for e in host.events if isinstance(e, Error)]
    assert "tensor_q8_0" in said(host, "/load")


def test_a_compiler_that_gives_up(machines: Hosts, stage: Stage, tmp_path: Path) -> None:
    """It is asked once for each module."""
    compiler = fake_compiler(tmp_path, [])
    host = machines.boot(tier_image(tmp_path, stage.model, stage.parts, compiler))
    warned = [e.code for e in host.events if isinstance(e, Warn)]
    assert model_of(host.events) is None and len(warned) == len(NAMES)
    assert "tensor_q8_0" in said(host, "/load")


@pytest.mark.parametrize("name", ["tensor_act", "tensor_q8_0"])
def test_a_compiler_that_answers_something_else(
    machines: Hosts, stage: Stage, tmp_path: Path, name: str
) -> None:
    """A module without code, or another one's: that is no answer, and it is not asked again."""
    act = bad_add(tmp_path)
    empty = modfile.pack(replace(alone(name, TARGET), bitcode=b""))
    for answer in (empty, act) if name != "tensor_act" else (empty,):
        compiler = fake_compiler(tmp_path, [Row("", answer=response(answer))])
        host = machines.boot(tier_image(tmp_path, stage.model, stage.parts, compiler))
        warned = [e.code for e in host.events if isinstance(e, Warn)]
        others = len(NAMES) - (answer is act)  # tensor_act gets its own
        assert model_of(host.events) is None and warned == ["E-JIT-39"] * others
        assert "tensor_q8_0" in said(host, "/load")


def test_a_benchmark(machines: Hosts, stage: Stage, tmp_path: Path) -> None:
    """Is listed as one once somebody has asked for it: bitcode does not tell what it exports."""
    parts = modules([alone("sum", TARGET)])
    host = machines.boot(tier_image(tmp_path, stage.model, parts, real_compiler()))
    assert "  sum" not in said(host, "/bench")
    assert not [e for e in host.command("/bench sum 4096 3") if isinstance(e, Error)]
    assert "  sum (O0)" in said(host, "/bench")
