"""bench tiers=1 with machines that compute nothing: in which order they are asked, where the time
of a token goes, and what is said when one of them is not like the others."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from fluid import report_tiers, tier_bench, tier_machine
from fluid.errors import FluidError
from fluid.machine import Machine
from fluid.tier_bench import Measured, Subject, subjects_of
from fluid.tier_results import NAMES, Operation, Split, Tiers, ratio, read_tiers, table, write_tiers

TAG = "x86-64-v2"


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fake decides at once, and takes the same time always."""
    monkeypatch.setattr(tier_bench, "ROUNDS", 3)
    monkeypatch.setattr(tier_machine, "QUIET_SECONDS", 0)


@pytest.fixture
def subjects(disk: Path, compiler: str) -> list[Subject]:
    """Four images; the fake goes by their names."""
    made = []
    for name in NAMES[:4]:
        path = Path(shutil.copyfile(disk, disk.with_name(f"{name}.img")))
        made.append(Subject(name, path, Path(compiler), name.endswith("-jit")))
    return made


def measured(subjects: list[Subject]) -> int:
    folder = subjects[0].image.parent
    options: dict[str, Any] = {"target": TAG, "tag": TAG, "threads": 1}
    return tier_bench.bench_tiers(subjects, folder, folder / "model", **options)


@pytest.fixture
def found(subjects: list[Subject]) -> Tiers:
    assert measured(subjects) == 0
    return read_tiers(subjects[0].image.with_name("tiers-host.json"), TAG)


def test_each_image_is_measured_and_those_that_compile_are_warm(found: Tiers) -> None:
    """The fake is four times as fast with a variant or with what it has kept."""
    assert [build.name for build in found.builds] == list(NAMES[:4])
    assert found.rates(found.builds[0], "decode") == [250_000.0] * tier_bench.ROUNDS
    for build in found.builds[1:]:
        assert found.against(build, "base", "decode") == (4.0, 4.0, 4.0)
        assert found.against(build, "base", "prompt") == (4.0, 4.0, 4.0)
    assert found.against(found.builds[0], "base", "decode") is None
    assert found.against(found.builds[0], "native", "decode") is None
    own = {build.name: build.against_off("decode") for build in found.builds}
    assert own["base-jit"] == (4.0, 4.0, 4.0) and own["variants-jit"] == (1.0, 1.0, 1.0)
    assert own["base"] is None and own["variants"] == (1.0, 1.0, 1.0)
    told = [(build.published, build.tuned, build.used) for build in found.builds]
    assert told == [(0, 0, 0), (0, 1, 1), (2, 1, 2), (2, 1, 2)]
    assert found.knobs == (1, 0.0)
    for build in found.builds:
        warm = build.name.endswith("-jit")
        assert build.compile_ms == ([30, 30, 60, 60] if warm else [])
        assert build.decisions == 0 and build.variant == "v"
    assert found.compiled == (45.0, 60, 60)


def test_where_the_time_goes(found: Tiers) -> None:
    """By kinds of operations; what the model's own module takes is outside of them."""
    parts = found.builds[0].parts
    assert parts.pop("outside of operations") == pytest.approx(4 - 0.51, abs=0.05)
    assert parts == pytest.approx(
        {"matrix products": 0.2, "attention": 0.3, "other operations": 0.01}
    )
    one = Operation(name="matmul_q4_1", rows=1, cols=1, calls=1, ns=4000)
    split = Split(tokens=2, ns=10_000, operations=[one, replace(one, name="matmul_f32")])
    assert split.parts()["matrix products"] == 4.0
    assert split.parts()["outside of operations"] == 1.0
    saved = found.contributions
    assert saved["the variant"][""] == pytest.approx(0.75, abs=0.01)
    assert saved["compiled code"]["attention"] == 0.0
    assert saved["compiled code beyond the variant"][""] == pytest.approx(0.0)


def test_images_stay_as_they_were(subjects: list[Subject], disk: Path) -> None:
    """What is written to is a copy, which goes again."""
    assert measured(subjects) == 0
    assert all(one.image.read_bytes() == disk.read_bytes() for one in subjects)
    left = {path.name for path in disk.parent.iterdir()}
    assert not {name for name in left if name.startswith("tiers-") and name != "tiers-host.json"}


def test_each_image_has_its_program() -> None:
    """The native one that of its own build."""
    images = [Path(f"{name}.img") for name in NAMES]
    made = subjects_of(images, Path("host"), Path("native-host"))
    assert [(one.name, str(one.program)) for one in made] == [
        *((name, "host") for name in NAMES[:4]),
        ("native", "native-host"),
    ]
    assert [one.name for one in made if one.compiles] == ["base-jit", "variants-jit"]
    assert subjects_of(images[:4], Path("host"), Path("native-host")) == made[:4]


class Asked:
    """Takes down who is asked."""

    def __init__(self, name: str, log: list[str], machine: Machine) -> None:
        self.name, self.log, self.machine = name, log, machine

    def command(self, line: str, seconds: float) -> Any:
        if line.startswith("/speed 256"):
            self.log.append(self.name)
        return self.machine.command(line, seconds)


@pytest.fixture
def machine(subjects: list[Subject], compiler: str) -> Callable[[], Machine]:
    return lambda: Machine(subjects[0].image, target=TAG, runner="host", emulator=compiler)


def test_turns(machine: Callable[[], Machine]) -> None:
    """Every second round backwards; the first one is not counted."""
    log: list[str] = []
    with ExitStack() as stack:
        made = {}
        for name in "abc":
            real = stack.enter_context(machine())
            ready = tier_machine.boot(real)
            made[name] = Measured(Asked(name, log, real), ready)  # type: ignore[arg-type]
        tier_bench.measure(made, lambda text: None, rounds=2, splits=1)
    assert "".join(log) == "abccbaabc"
    assert all(len(one.decode) == len(one.prompt) == 2 for one in made.values())
    assert all(len(one.splits) == 1 for one in made.values())


@pytest.mark.parametrize(
    ("wrong", "code", "said"),
    [
        ("no-model", "E-TIER-01", "E-MEM-02 more memory"),
        ("deaf", "E-TIER-01", "E-CON-02"),
        ("switchless", "E-TIER-01", "/jit on and off expected, found E-CON-02"),
        ("silent", "E-TIER-01", "behind /profile, found nothing"),
        ("lazy", "E-TIER-02", "found 0 decisions"),
        ("stumbles", "E-TIER-02", "stopped with a fatal error"),
        ("other", "E-TIER-03", "others of base-jit"),
    ],
)
def test_a_machine_that_is_not_like_the_others(
    subjects: list[Subject],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    wrong: str,
    code: str,
    said: str,
) -> None:
    monkeypatch.setenv("FAKE_WRONG", wrong)
    assert measured(subjects) == 1
    text = capfd.readouterr().err
    assert code in text and said in text


def test_too_little_memory() -> None:
    tier_bench.check_memory(1 << 20, 5)
    with pytest.raises(FluidError, match=r"E-TIER-04 .*5 machines.*smaller model"):
        tier_bench.check_memory(1 << 50, 5)


def test_file_table_and_rows(found: Tiers, tmp_path: Path) -> None:
    path = tmp_path / "tiers.json"
    write_tiers(found, path)
    assert read_tiers(path, TAG) == found
    native = replace(
        found.builds[0], name="native", decode=[one * 2 for one in found.builds[0].decode]
    )
    text = table(replace(found, builds=[*found.builds, native]))
    assert "4.00 (4.00 to 4.00)" in text and "8.00 (8.00 to 8.00)" in text
    assert "compile times of 8 functions and levels, ms of CPU: p50 45, p95 60, most 60" in text
    assert "the variant                         75." in text
    assert "knobs of the best variant            0.0%: 1 changed" in text
    slow = replace(found.builds[1], off_decode=[2 * ns for ns in found.builds[1].off_decode])
    assert replace(found, builds=[found.builds[0], slow]).knobs == (1, 0.5)
    still = replace(slow, tuned=0, on_decode=[], off_decode=[])
    assert replace(found, builds=[still]).knobs == (0, 0.0)
    assert ratio(None) == "-"
    rows = report_tiers.rows(found)
    assert len(rows) == 8 and rows[1][4:7] == ["4.00 (4.00 to 4.00)", "1.00 (1.00 to 1.00)", "-"]
    with pytest.raises(FluidError, match=r"E-RPT-03 .*i686"):
        read_tiers(path, "i686")


@pytest.mark.parametrize(
    "damage",
    [
        *({"schema": 2}, {"new": 0}, {"builds": []}),
        *({"name": "variants"}, {"decode": []}, {"splits": []}, {"prompt": [0, 1]}),
        *({"compile_ms": [-1]}, {"off_decode": [1]}),
    ],
)
def test_damaged_file(found: Tiers, tmp_path: Path, damage: dict[str, Any]) -> None:
    data = asdict(found)
    whole = damage.keys() <= {"schema", "new", "builds"}
    (data if whole else data["builds"][0]).update(damage)
    path = tmp_path / "tiers.json"
    path.write_text(json.dumps(data))
    with pytest.raises(FluidError, match=r"E-RPT-03 .*tiers\.json"):
        read_tiers(path, TAG)
