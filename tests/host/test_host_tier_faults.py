"""Compilers that misbehave, and code that does: refused, remembered; tokens stay the same."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from cache_images import cache_of
from fluid import modfile
from fluid.event_types import Tier, Warn
from fluid.modlayout import Module
from fluid.modread import unpack
from host_machine import Hosts, folder_of, hosts_of
from models import make_tiny
from tier_faults import (
    FAULT,
    NEVER,
    PAGE,
    Action,
    Row,
    bad_add,
    bad_matmul,
    fake_compiler,
    response,
)
from tier_images import TARGET, Run, modules, run, slow, tier_image

ROUNDS = 200
PATIENT = 20_000  # completions: until a compiler that does not answer is given up
AGAIN = 6
MEASURED = 104  # calls of a candidate: four compared, then twelve blocks of eight and some


@dataclass(frozen=True)
class Stage:
    """A model, and what it says where nobody compiles."""

    folder: Path
    model: Path
    parts: list[Module]
    reference: list[int]


@pytest.fixture(scope="module")
def stage(machines: Hosts, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    folder = tmp_path_factory.mktemp("faults")
    model = make_tiny(folder / "tiny.gguf", quant="Q8_0", tokenizer="bpe", ctx=1024)
    parts = modules([slow(folder, name) for name in ("tensor_act", "tensor_q8_0")])
    plain = run(machines, tier_image(folder, model, parts, None), 1)
    return Stage(folder, model, parts, plain.completions[0])


def condemned(decided: Sequence[Tier], entry: str) -> set[tuple[str, str, str]]:
    """What may not come back of an operation: slots and levels."""
    final = [t for t in decided if t.op == entry and t.reason not in (None, "not-faster")]
    return {(t.op, t.shape, t.to) for t in final}


def both_starts(
    stage: Stage, machines: Hosts, folder: Path, row: Row, smp: int = 1, rounds: int = ROUNDS
) -> tuple[Run, Run]:
    """The first start, until something of the operation is condemned, and the second, which does
    not try that again. Tokens are those of a machine without a compiler."""
    folder.mkdir()
    image = tier_image(folder, stage.model, stage.parts, fake_compiler(folder, [row]))
    first = run(
        machines,
        image,
        rounds,
        smp=smp,
        until=lambda decided: bool(condemned(decided, row.entry)),
    )
    second = run(machines, image, AGAIN, smp=smp)
    for found in (first, second):
        assert all(tokens == stage.reference for tokens in found.completions)
    bad = condemned(first.tiers, row.entry)
    assert bad and not bad & {(t.op, t.shape, t.to) for t in second.tiers}
    assert quarantined(first) >= len(bad)
    assert cache_of(image).verify().sound()
    shutil.rmtree(folder)
    return first, second


def quarantined(found: Run) -> int:
    return sum(e.reason == "quarantine" for e in found.cache("reject"))


@pytest.mark.parametrize(
    ("first", "then", "reason"),
    [
        ("", "x[count / 2] += 1;", "differs"),
        ("", "x[count - 1] = -x[count - 1];", "differs"),
        ("", "x[count] = 0;", "overrun"),
        ("", "x[-1] = 0;", "overrun"),
        ("", "x[count + 15] = 0;", "overrun"),
        (FAULT, "", "fault"),
        (PAGE, "", "fault"),
        ("", FAULT, "fault"),
        (NEVER, "", "fault"),
        (f"if (before == 3) {NEVER}", "", "fault"),
        ("((void (*)(void))16)();", "", "fault"),
        ("add_fn *volatile again = add; again(x, y, count); calls++;", "", "fault"),
    ],
    ids=[
        *("one-result", "last-result", "behind", "in-front", "further-behind", "opcode", "page"),
        *("opcode-at-the-end", "never", "never-the-fourth-time", "jump", "stack"),
    ],
)
def test_code_that_is_wrong_at_once(
    stage: Stage, machines: Hosts, tmp_path: Path, first: str, then: str, reason: str
) -> None:
    """On data of its own: the model notices nothing."""
    row = Row("add", answer=response(bad_add(tmp_path, first, then)))
    found, again = both_starts(stage, machines, tmp_path / "images", row)
    assert found.reasons("add") == {reason} and not found.of("published")
    assert ("E-MOD-16" in found.warnings) == (reason == "fault")
    assert "E-MOD-16" not in again.warnings


def given_up(stage: Stage, machines: Hosts, folder: Path, entry: str, mod: bytes, smp: int) -> Run:
    """The first start with this code for the operation, whose call was given up; the second does
    not find it in the cache."""
    row = Row(entry, answer=response(mod))
    found, again = both_starts(stage, machines, folder / "images", row, smp)
    assert "fault" in found.reasons(entry) and "E-MOD-16" in found.warnings
    assert not again.keys("hit") & found.keys("reject")
    return found


@pytest.mark.parametrize("smp", [1, 2])
@pytest.mark.parametrize(
    ("entry", "build"), [("add", bad_add), ("matmul_q8_0", bad_matmul)], ids=["add", "matmul"]
)
@pytest.mark.parametrize(
    ("calls", "published"), [(30, False), (MEASURED * 8, True)], ids=["measured", "published"]
)
def test_code_that_faults_later(
    stage: Stage,
    machines: Hosts,
    tmp_path: Path,
    entry: str,
    build: Callable[..., bytes],
    calls: int,
    published: bool,
    smp: int,
) -> None:
    """In a call of the model, on whatever core: that is made again with the code from before."""
    mod = build(tmp_path, f"if (before >= {calls}) {FAULT}")
    found = given_up(stage, machines, tmp_path, entry, mod, smp)
    assert {t.op for t in found.of("published")} <= ({entry} if published else set())
    assert not published or entry != "add" or found.of("published")


@pytest.mark.parametrize(
    ("build", "entry", "smp"),
    [
        pytest.param(bad_add, "add", 1, id="add-1"),
        pytest.param(bad_add, "add", 2, id="add-2"),
        pytest.param(bad_matmul, "matmul_q8_0", 1, id="matmul-1", marks=pytest.mark.full),
        pytest.param(bad_matmul, "matmul_q8_0", 2, id="matmul-2", marks=pytest.mark.full),
    ],
)
def test_published_code_that_never_ends(
    stage: Stage,
    machines: Hosts,
    tmp_path: Path,
    build: Callable[..., bytes],
    entry: str,
    smp: int,
) -> None:
    """Given up after ten seconds of its processor, on whatever core; the reply goes on."""
    mod = build(tmp_path, f"if (before >= {MEASURED * 8}) {NEVER}")
    found = given_up(stage, machines, tmp_path, entry, mod, smp)
    texts = [e.text for e in found.events if isinstance(e, Warn) and e.code == "E-MOD-16"]
    assert texts and all("found time limit at" in text for text in texts)
    assert entry != "add" or found.of("published")


def changed(mod: bytes, **fields: object) -> bytes:
    return modfile.pack(replace(unpack(mod), **fields))  # type: ignore[arg-type]


def flipped(mod: bytes) -> bytes:
    return mod[:-1] + bytes([mod[-1] ^ 1])


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda mod: response(changed(mod, kernel_abi=7)), "E-MOD-05"),
        (lambda mod: response(changed(mod, machine=3)), "E-MOD-06"),
        (lambda mod: response(changed(mod, exports=[])), "no-entry"),
        (lambda mod: response(flipped(mod)), "E-MOD-04"),
        (lambda mod: response(b"MOD?" + mod[4:]), "E-MOD-01"),
        (lambda mod: response(mod[:100]), "E-MOD-01"),
        (lambda mod: response(b"", 12, "LLVM: code expected, found none"), "E-JIT-12"),
        (lambda mod: response(mod)[:-1], "E-JIT-31"),
        (lambda mod: b"garbage" * 100, "E-JIT-31"),
        (lambda mod: b"", "E-JIT-31"),
    ],
    ids=[
        *("abi", "machine", "no-entry", "hash", "magic", "cut", "refused", "cut-answer"),
        *("garbage", "nothing"),
    ],
)
def test_answers_that_are_of_no_use(
    stage: Stage,
    machines: Hosts,
    tmp_path: Path,
    answer: Callable[[bytes], bytes],
    reason: str,
) -> None:
    row = Row("add", answer=answer(bad_add(tmp_path)))
    found, _ = both_starts(stage, machines, tmp_path / "images", row)
    assert found.reasons("add") == {reason}


@pytest.mark.parametrize(
    "action",
    [
        Action.CRASH,
        Action.STATUS,
        Action.EAT,
        Action.FLOOD,
        pytest.param(Action.LOOP, marks=pytest.mark.full),
        pytest.param(Action.SLEEP, marks=pytest.mark.full),
    ],
    ids=lambda action: action.name.lower(),
)
def test_compilers_that_do_not_answer(
    stage: Stage, machines: Hosts, tmp_path: Path, action: Action
) -> None:
    """Killed at the latest after 90 seconds, in which the model goes on."""
    rounds = PATIENT if action in (Action.LOOP, Action.SLEEP) else 3 * ROUNDS
    found, _ = both_starts(stage, machines, tmp_path / "images", Row("add", action), rounds=rounds)
    assert found.reasons("add") == {"E-JIT-30"}


def test_memory_is_used_as_it_should_be(stage: Stage, tmp_path: Path) -> None:
    """AddressSanitizer watches the kernel while code comes and goes, faulty and sound."""
    build = (TARGET, "address")
    rows = [
        Row("add", answer=response(bad_add(tmp_path, f"if (before >= {MEASURED * 8}) {FAULT}"))),
        Row("matmul_q8_0", answer=response(bad_matmul(tmp_path, f"if (before >= 30) {FAULT}"))),
        Row("swiglu", Action.CRASH),
        Row("quantize_q8", answer=b"garbage"),
    ]
    compiler = fake_compiler(tmp_path, rows)
    image = tier_image(tmp_path, stage.model, stage.parts, compiler, built=folder_of(build))
    expected = {("matmul_q8_0", "fault"), ("swiglu", "E-JIT-30"), ("quantize_q8", "E-JIT-31")}

    def all_happened(decided: list[Tier]) -> bool:
        return expected <= {(t.op, t.reason) for t in decided}

    with hosts_of(build) as hosts:
        first = run(hosts, image, ROUNDS, smp=2, until=all_happened)
        second = run(hosts, image, AGAIN, smp=2)
    assert all_happened(first.tiers)
    for found in (first, second):
        assert all(tokens == stage.reference for tokens in found.completions)


def test_a_program_without_a_build_id(stage: Stage, machines: Hosts, tmp_path: Path) -> None:
    """E-JIT-34, and nobody compiles: E-JIT-36."""
    none = tmp_path / "none.elf"
    none.write_bytes(fake_compiler(tmp_path, []).read_bytes()[:64])
    image = tier_image(tmp_path, stage.model, stage.parts, none)
    host = machines.boot(image)
    assert [e.data["code"] for e in host.events if e.ev == "warn"] == ["E-JIT-34"]
    assert [e.data["code"] for e in host.command("/jit compile add 2")] == ["E-JIT-36"]


def test_jit_compile(stage: Stage, machines: Hosts, tmp_path: Path) -> None:
    """By hand: what there is to say about arguments, modules and answers."""
    rows = [Row("add", answer=response(bad_add(tmp_path))), Row("swiglu", Action.CRASH)]
    parts = [replace(m, bitcode=b"") if m.name == "tensor_norm" else m for m in stage.parts]
    image = tier_image(tmp_path, stage.model, parts, fake_compiler(tmp_path, rows))
    host = machines.boot(image)
    for line, code in (
        ("compile nothing 2", "E-JIT-37"),
        ("compile rmsnorm 2", "E-JIT-35"),
        ("compile swiglu 2", "E-JIT-30"),
        ("compile add 4", "E-CON-03"),
        ("compile add", "E-CON-03"),
        ("compiled", "E-CON-03"),
    ):
        assert [e.data.get("code") for e in host.command(f"/jit {line}")] == [code], line
    assert not host.command("/jit compile add 2") or "sha256" in bytes(host.text).decode()
