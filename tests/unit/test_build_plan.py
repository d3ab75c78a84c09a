"""CPU profiles, the plan, and the compiler flags that follow from them."""

from __future__ import annotations

import itertools
import json
import subprocess
from pathlib import Path

import pytest

from fluid import compiledb, cpu, flags, plan, planner
from fluid.cpufeatures import feature_bits
from fluid.errors import FluidError
from fluid.hosted import CHECKS
from fluid.targets import TARGETS, Target, host_sources, kernel_sources, module_variants

ROOT = Path(__file__).resolve().parents[2]
HOSTED = "src/kernel/arch/hosted"


@pytest.mark.parametrize("target", TARGETS.values(), ids=lambda t: t.tag)
def test_variants_have_profiles(target: Target) -> None:
    """Every variant has a profile, the target's own tag among them; each adds to the one below."""
    profiles = [cpu.load_profile(ROOT / f"profiles/cpu/{tag}.json") for tag in target.profiles]
    assert target.variants[0] == target.tag
    for lower, higher in itertools.pairwise(profiles):
        assert set(lower.features) < set(higher.features)


def test_target_profile(tmp_path: Path) -> None:
    """cpu_profile.json gives back the profile of each variant, and refuses others."""
    target = TARGETS["x86-64-v2"]
    file = tmp_path / "cpu_profile.json"
    sources = [ROOT / f"profiles/cpu/{tag}.json" for tag in target.profiles]
    cpu.write_target_profile(target, sources, file)
    for source in sources:
        assert cpu.read_target_profile(file, source.stem) == cpu.load_profile(source)
    with pytest.raises(FluidError, match="E-CPU-21"):
        cpu.read_target_profile(file, "i686")


def made(*names: str) -> plan.Plan:
    return planner.make_plan("i686", {name: planner.Subject("bench", "") for name in names}, None)


def test_plan_is_canonical(tmp_path: Path) -> None:
    """The same decisions give the same bytes in whatever order they were made."""
    one, other = tmp_path / "one", tmp_path / "other"
    plan.write_plan(made("b", "a"), one)
    plan.write_plan(made("a", "b"), other)
    assert one.read_bytes() == other.read_bytes()
    assert plan.read_plan(one) == made("a", "b")


@pytest.mark.parametrize(
    "text",
    [
        "",
        '{"schema": 9}',
        '{"schema": 2, "target": "i686", "modules": '
        '{"a": {"level": "-O3", "profile": false, "why": ""}}}',
        '{"schema": 2, "target": "i686", "modules": {"a": {"level": "O3"}}}',
    ],
)
def test_damaged_plan(tmp_path: Path, text: str) -> None:
    """A damaged plan, or one with a level that the compiler would not know, is refused."""
    file = tmp_path / "plan.json"
    file.write_text(text)
    with pytest.raises(FluidError, match="E-PLAN-01"):
        plan.read_plan(file)


def test_plan_without_module() -> None:
    """A module that the plan does not know has no silent default."""
    with pytest.raises(FluidError, match="E-PLAN-02"):
        made("a").decision("b")


@pytest.mark.parametrize("target", TARGETS.values(), ids=lambda t: t.tag)
def test_flags(target: Target) -> None:
    """No vector code in the kernel, the planned level and the variant's features in a module."""
    profiles = [cpu.load_profile(ROOT / f"profiles/cpu/{tag}.json") for tag in target.variants]
    low, high = profiles[0], profiles[-1]
    kernel = flags.kernel_flags(target, low)
    assert "-mgeneral-regs-only" in kernel
    lowest = cpu.load_profile(ROOT / f"profiles/cpu/{target.lowest}.json")
    host = flags.host_flags(target, lowest, "none")
    assert [flag for flag in host if flag.startswith("-msse")] == ["-msse", "-msse2"]
    assert "-mavx" not in host  # it starts on any CPU, to say what is missing
    assert {f"-m{name}" for name in low.features} <= set(kernel)
    bits = {f"{feature_bits(p.features):#x}u" for p in (low, high)}
    told = dict(
        flag.removeprefix("-D").split("=") for flag in flags.target_defines(target, low, high)
    )
    assert told["FLUID_TARGET"] == f'"{target.tag}"'
    assert {told["FLUID_KERNEL_FEATURES"], told["FLUID_TARGET_FEATURES"]} == bits
    module = flags.module_flags(target, high, plan.Decision("O3", False, "test"))
    assert [flag for flag in module if flag.startswith("-O")] == ["-O3"]
    assert {f"-m{name}" for name in high.features} <= set(module)
    assert "-g" not in module
    lower = flags.module_flags(target, low, plan.Decision("O3", False, "test"))
    assert {f"-m{name}" for name in high.features if name not in low.features}.isdisjoint(lower)


def test_what_runs_on_machines_counts_its_lines() -> None:
    """Kernel and modules of check=coverage, compiled for the machine and not for Linux."""
    target = TARGETS["x86-64-v2"]
    profile = cpu.load_profile(ROOT / "profiles/cpu/x86-64-v2.json")
    decision = plan.Decision("O2", False, "test")
    for code in (
        flags.kernel_flags(target, profile, "coverage"),
        flags.module_flags(target, profile, decision, "coverage"),
    ):
        assert {"-fprofile-instr-generate", "-fcoverage-mapping"} <= set(code)
        assert f"--target={target.triple}" in code
    for check in ("none", "address", "undefined"):
        assert "-fcoverage-mapping" not in flags.kernel_flags(target, profile, check)


def test_response_file_as_the_compiler_reads_it(tmp_path: Path) -> None:
    """Quotes, spaces and backslashes arrive in the compiler as they were."""
    file = tmp_path / "flags.rsp"
    given = ['-DTEXT="a b\\\\c"', "-O2"]
    flags.write_response(given, file)
    assert flags.read_response(file) == given
    source = tmp_path / "text.c"
    source.write_text("TEXT")
    command = ["clang-19", f"@{file}", "-E", "-P", str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == '"a b\\\\c"'


def test_module_files(tmp_path: Path) -> None:
    """Names of .mod files: plain for the target's own tag; ranks ascend."""
    for path in ("tensor/tensor_b.c", "tensor/tensor_a.c", "tensor/simd.h", "llama/x.c"):
        file = tmp_path / "src/modules" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    found = [(v.file, v.tag, v.rank) for v in module_variants(TARGETS["x86-64-v3"], tmp_path)]
    assert found == [
        ("llama.mod", "x86-64-v3", 1),
        ("tensor_a.mod", "x86-64-v3", 1),
        ("tensor_a.x86-64-v4.mod", "x86-64-v4", 2),
        ("tensor_b.mod", "x86-64-v3", 1),
        ("tensor_b.x86-64-v4.mod", "x86-64-v4", 2),
    ]
    base = module_variants(TARGETS["x86-64-v3"], tmp_path, "base")
    assert [v.file for v in base] == ["llama.mod", "tensor_a.mod", "tensor_b.mod"]
    (tmp_path / "src/modules/bench").mkdir()
    (tmp_path / "src/modules/bench/sum.c").touch()
    files = ["llama.mod", "sum.mod", "sum.x86-64-v4.mod", "tensor_a.mod", "tensor_a.x86-64-v4.mod"]
    for wanted, code in (
        ("all", [True, True, False, True, True]),
        ("base", [True, True, False, True, False]),
        ("none", [True, False, False, False, False]),
    ):
        made = module_variants(TARGETS["x86-64-v3"], tmp_path, wanted, jit=True)[:5]
        assert ([v.file for v in made], [v.code for v in made]) == (files, code)
    (tmp_path / "src/modules/bench/sum.c").unlink()
    found = [(v.file, v.tag, v.rank) for v in module_variants(TARGETS["i686"], tmp_path)][1:3]
    assert found == [("tensor_a.mod", "i686", 1), ("tensor_a.i686-v2.mod", "i686-v2", 2)]


@pytest.mark.parametrize("target", TARGETS.values(), ids=lambda t: t.tag)
def test_kernel_sources(target: Target) -> None:
    """main.c and the folders of this architecture only; no folder of src/kernel is forgotten."""
    sources = kernel_sources(target, ROOT)
    assert sources[0] == "src/kernel/main.c"
    assert len(sources) == len(set(sources))
    others = {t.arch for t in TARGETS.values()} - {target.arch} | {"hosted"}
    everything = {p.relative_to(ROOT).as_posix() for p in (ROOT / "src/kernel").rglob("*.[cS]")}
    left_out = {
        path
        for path in everything - set(sources)
        if target.arch == "x86_64" or not path.startswith("src/kernel/abi/linux/")
    }
    assert all(path.split("/")[3] in others for path in left_out), left_out


def test_host_sources() -> None:
    """Each kernel source belongs to the bare machine, to fluid-host, or to both."""
    for check in CHECKS:
        sources = host_sources(ROOT, check)
        assert len(sources) == len(set(sources))
        assert all((ROOT / path).is_file() for path in sources)
        assert {"src/kernel/main.c", "src/kernel/mm/pages.c"} <= set(sources)
    assert "src/kernel/mm/paging.c" not in sources
    hosted = {p.relative_to(ROOT).as_posix() for p in (ROOT / HOSTED).rglob("*.[cS]")}
    assert hosted <= {path for check in CHECKS for path in host_sources(ROOT, check)}


def test_compile_commands(tmp_path: Path) -> None:
    """Response files are expanded and paths stay relative to the folder of the entry."""
    flags.write_response(['-DTAG="x"', "-O2"], tmp_path / "a.rsp")
    unit = compiledb.Unit("clang-19", "src/a.c", "build/a.o", "a.rsp", ("src/include",))
    compiledb.write_database([unit], tmp_path, tmp_path / "db.json")
    (entry,) = json.loads((tmp_path / "db.json").read_text())
    assert entry["directory"] == str(tmp_path)
    assert entry["file"] == "src/a.c"
    command = ["clang-19", '-DTAG="x"', "-O2", "-Isrc/include", "-c", "-o", "build/a.o", "src/a.c"]
    assert entry["arguments"] == command
