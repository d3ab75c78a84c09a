"""Benchmarks get better code while they run, as operations of the model do; their checksums tell
whether it is right (src/kernel/console/bench.c)."""

from __future__ import annotations

from pathlib import Path

import pytest

from fluid.event_types import Bench, Error, Event, Tier, Warn
from fluid.machine import Machine
from guests import said
from host_machine import SECONDS, Hosts
from models import make_tiny
from tier_faults import FAULT, Row, bad_sum, fake_compiler, response
from tier_images import modules, real_compiler, slow, tier_image

CALLS = 30_000
COMMAND = f"/bench sum 65536 {CALLS}"
NAME = "bench_sum_call"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bench")
    return make_tiny(folder / "tiny.gguf", quant="Q8_0", tokenizer="bpe", ctx=256)


def image_with(folder: Path, model: Path, compiler: Path) -> Path:
    """Its benchmark `sum` has not been optimised."""
    folder.mkdir(exist_ok=True)
    return tier_image(folder, model, modules([slow(folder, "sum")]), compiler)


def run(host: Machine) -> list[Event]:
    """What is said until the benchmark is done, which has made all of its calls."""
    host.send_line(COMMAND)
    events = host.wait_for(Bench, SECONDS)
    done = events[-1]
    assert isinstance(done, Bench) and done.calls == CALLS
    return events


def decided(events: list[Event]) -> list[Tier]:
    return [e for e in events if isinstance(e, Tier) and e.op == NAME]


def off(host: Machine) -> None:
    host.send_line("/off")
    assert host.wait_end(SECONDS).name == "PASS"


def test_a_benchmark_gets_faster(machines: Hosts, model: Path, tmp_path: Path) -> None:
    """In its first run, and from the beginning after the next start."""
    image = image_with(tmp_path, model, real_compiler())
    host = machines.boot(image, extra=("--writable",))
    tiers = decided(run(host))
    published = [t for t in tiers if t.result == "published"]
    assert published and published[0].cycles_after < published[0].cycles_before
    assert published[0].from_ == "T0" and published[0].shape == "65536x0"
    row = next(line for line in said(host, "/jit").splitlines() if NAME in line)
    assert published[-1].to in row.split()
    off(host)
    host = machines.boot(image, extra=("--writable",))
    again = decided(run(host))
    assert not {t.to for t in again} & {t.to for t in tiers}
    assert "cached" in said(host, "/jit")
    off(host)


@pytest.mark.parametrize(
    ("first", "wrong", "reason", "code"),
    [
        ("", "1", "differs", "E-BENCH-03"),
        ("", "before >= 30", "differs", "E-BENCH-03"),
        (FAULT, "0", "fault", "E-MOD-16"),
        (f"if (before >= 30) {FAULT}", "0", "fault", "E-MOD-16"),
        (f"if (before >= 2000) {FAULT}", "0", "fault", "E-MOD-16"),
        ("", "before >= 2000", "differs", "E-BENCH-03"),
    ],
    ids=["sum", "sum-later", "fault", "fault-later", "published-fault", "published-sum"],
)
def test_code_that_is_wrong(
    machines: Hosts, model: Path, tmp_path: Path, first: str, wrong: str, reason: str, code: str
) -> None:
    """The call is made again with the image's code, and the code does not come back."""
    bad = response(bad_sum(tmp_path, first, wrong))
    compiler = fake_compiler(tmp_path, [Row(NAME, answer=bad)])
    image = image_with(tmp_path / "images", model, compiler)
    host = machines.boot(image, extra=("--writable",))
    events = run(host)
    found = [t for t in decided(events) if t.reason == reason]
    assert found and code in {e.code for e in events if isinstance(e, Warn)}
    off(host)
    host = machines.boot(image, extra=("--writable",))
    assert not {t.to for t in decided(run(host))} & {t.to for t in found}
    off(host)


def test_two_runs_of_one_benchmark(machines: Hosts, model: Path, tmp_path: Path) -> None:
    """Each looks at its own calls: what is in the slot meanwhile is not blamed for them."""
    bad = response(bad_sum(tmp_path, "", "before >= 30"))
    compiler = fake_compiler(tmp_path, [Row(NAME, answer=bad)])
    host = machines.boot(image_with(tmp_path / "images", model, compiler))
    for _ in range(2):
        host.send_line(COMMAND)
    events = [*host.wait_for(Bench, SECONDS), *host.wait_for(Bench, SECONDS)]
    assert [e.calls for e in events if isinstance(e, Bench)] == [CALLS, CALLS]
    assert {t.reason for t in decided(events)} == {"differs"}
    assert not [e for e in events if isinstance(e, Error)]
