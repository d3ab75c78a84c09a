"""The scan of the building machine: three witnesses, made up here, and the real ones."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fluid import cpu, cpu_scan
from fluid.cpufeatures import FEATURES, LEVELS
from fluid.errors import FluidError

V3 = LEVELS["x86-64-v3"].features
V4 = LEVELS["x86-64-v4"].features


def linux(features: tuple[str, ...], *, lm: bool = True, count: int = 2, **keys: str) -> str:
    """A /proc/cpuinfo."""
    flags = [cpu_scan.LINUX[name] for name in features] + ["lm"] * lm
    known = {"vendor_id": "GenuineIntel", "cpu family": "6", "model": "106", "stepping": "6"}
    rows = known | {"flags": "fpu " + " ".join(flags)} | keys
    lines = "".join(f"{key}\t: {value}\n" for key, value in rows.items())
    return "".join(f"processor\t: {n}\n{lines}\n" for n in range(count))


Machine = Callable[..., cpu_scan.Scan]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """scan() of a machine on which the witnesses say what is given."""

    def run(compiler: tuple[str, ...], proc: str, cpuid: tuple[str, ...] | None) -> cpu_scan.Scan:
        switched = " ".join(f'"-target-feature" "+{name}"' for name in (*compiler, "aes", "64bit"))
        program = tmp_path / "clang"
        program.write_text(
            f'#!/bin/sh\necho \'{switched} "-target-feature" "-avx5124fmaps"\' >&2\n'
        )
        program.chmod(0o755)
        (tmp_path / "cpuinfo").write_text(proc)
        flags = None if cpuid is None else [cpu_scan.LINUX[name] for name in cpuid]
        said: dict[str, Any] = {} if flags is None else {"flags": flags}
        monkeypatch.setattr(cpu_scan, "cpuinfo_says", lambda: said)
        return cpu_scan.scan(str(program), tmp_path / "cpuinfo", tmp_path / "cache")

    return run


def test_a_machine_on_which_all_agree(machine: Machine) -> None:
    found = machine(V4, linux(V4), V4)
    assert found.differences == []
    assert (found.profile.march, found.profile.features) == ("x86-64", V4)
    assert found.profile.tag == "x86-64-v4"
    assert found.profile.processor == cpu.Processor("GenuineIntel", 6, 106, 2)


def test_what_one_denies_is_left_out_with_all_that_needs_it(machine: Machine) -> None:
    """What if py-cpuinfo knows no AVX2, and Linux switched F16C off?"""
    less = tuple(name for name in V4 if name != "avx2")
    found = machine(V4, linux(tuple(n for n in V4 if n != "f16c")), less)
    assert found.profile.features == tuple(n for n in V3 if n not in ("avx2", "f16c"))
    assert found.profile.level == "x86-64-v2"
    assert found.profile.tag == found.profile.image_tag != "x86-64-v2"
    said = {sentence.split(":")[0]: sentence for sentence in found.differences}
    assert set(said) == {"avx2", "f16c", *(n for n in V4 if n.startswith("avx512"))}
    assert said["avx2"] == "avx2: found by the compiler, Linux, not by py-cpuinfo; left out"
    assert said["f16c"] == "f16c: found by the compiler, py-cpuinfo, not by Linux; left out"
    assert said["avx512f"] == "avx512f: without f16c avx2; left out"


def test_processors_of_two_kinds(machine: Machine) -> None:
    """Code runs on all of them."""
    found = machine(V4, linux(V4, count=4) + linux(V3, count=4), V4)
    assert found.profile.features == V3
    assert found.profile.processor is not None and found.profile.processor.cores == 8


def test_odd_facts_about_a_processor_are_not_known(machine: Machine, tmp_path: Path) -> None:
    """What if a hypervisor makes up a name, and caches without size or lines? No feature hangs on
    them: nothing is refused."""
    index = tmp_path / "cache/index0"
    index.mkdir(parents=True)
    for name, value in {
        "level": "1", "type": "Data", "size": "0K", "coherency_line_size": "0"
    }.items():  # fmt: skip
        (index / name).write_text(value)
    found = machine(V3, linux(V3, vendor_id="A name of more than 12 characters"), V3)
    assert found.profile.processor == cpu.Processor(None, 6, 106, 2)
    assert found.profile.features == V3


@pytest.mark.parametrize("text", ["", "no JSON", "[]"])
def test_py_cpuinfo_that_fails(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    done = subprocess.CompletedProcess([], 0, text, "")
    monkeypatch.setattr(cpu_scan, "_run", lambda command: done)
    assert cpu_scan.cpuinfo_says() == {}


def test_a_program_that_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu_scan, "SECONDS", 0.05)
    assert cpu_scan._run(["sleep", "60"]).returncode == 1


def test_a_32_bit_machine(machine: Machine) -> None:
    found = machine(("sse", "sse2", "sse3"), linux(("sse", "sse2", "sse3"), lm=False), V3)
    assert found.profile.march == "i686"
    assert found.profile.features == ("sse", "sse2", "sse3")


@pytest.mark.parametrize(
    "proc", ["", "processor : 0\nFeatures : neon\n", linux(("sse",))], ids=["none", "arm", "sse"]
)
def test_a_machine_below_every_level(machine: Machine, proc: str) -> None:
    with pytest.raises(FluidError, match=r"E-CPU-22 this machine: .*sse sse2 expected"):
        machine(V3, proc, V3)


def test_a_witness_that_says_nothing(machine: Machine) -> None:
    """py-cpuinfo may fail; nothing is made up in its place."""
    with pytest.raises(FluidError, match="E-CPU-22"):
        machine(V3, linux(V3), None)


def test_the_machine_without_proc(tmp_path: Path) -> None:
    with pytest.raises(FluidError, match="E-CPU-22"):
        cpu_scan.scan("false", tmp_path / "none", tmp_path)


def test_caches(tmp_path: Path) -> None:
    rows = {
        "index0": ("1", "Data", "48K", "64"),
        "index1": ("1", "Instruction", "32K", "64"),
        "index2": ("2", "Unified", "1280K", "64"),
        "index3": ("3", "Unified", "54M", "64"),
        "index4": ("4", "Unified", "broken", "64"),
    }
    for index, row in rows.items():
        (tmp_path / index).mkdir()
        for name, value in zip(("level", "type", "size", "coherency_line_size"), row, strict=True):
            (tmp_path / index / name).write_text(value + "\n")
    (tmp_path / "index9").mkdir()
    assert cpu_scan.caches(tmp_path) == {
        "l1d": 48 << 10,
        "l2": 1280 << 10,
        "l3": 54 << 20,
        "line": 64,
    }
    assert cpu_scan.caches(tmp_path / "none") == {}


def test_the_profile_is_made_again_when_something_has_changed(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another machine, another compiler, a damaged file; otherwise the machine is not asked."""
    machine(V3, linux(V3), V3)
    path, proc = tmp_path / "build/native.json", tmp_path / "cpuinfo"
    scans: list[str] = []
    real = cpu_scan.scan

    def counted(compiler: str, proc: Path) -> cpu_scan.Scan:
        scans.append(compiler)
        return real(compiler, proc)

    monkeypatch.setattr(cpu_scan, "scan", counted)

    def asked(version: str = "19") -> int:
        before = len(scans)
        cpu_scan.native_profile(path, str(tmp_path / "clang"), version, proc)
        return len(scans) - before

    assert asked() == 1 and asked() == 0
    first = path.read_bytes()
    assert asked("20") == 1 and path.read_bytes() == first
    proc.write_text(linux(V3, count=3))
    assert asked("20") == 1 and path.read_bytes() != first
    for file in (path, path.with_suffix(".scan")):
        file.write_text("{}")
        assert asked("20") == 1 and asked("20") == 0


def test_this_machine() -> None:
    """The real witnesses agree on a profile that is one."""
    found = cpu_scan.scan("clang-19")
    path = Path("build/cpu/native.json")
    assert set(found.profile.features) <= FEATURES.keys()
    text = cpu_scan.story(found, path)
    start = text[: text.index("\n}\n") + 3]
    assert cpu.profile_from_dict(json.loads(start), "told") == found.profile
    assert f"level {found.profile.level}" in text and "native" not in start
    on = set(cpu_scan.compiler_says("clang-19"))
    assert set(found.profile.features) <= on
