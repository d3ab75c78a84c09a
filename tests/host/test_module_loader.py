"""The kernel's module loader in a Linux process: good modules, damaged ones, wrong machines."""

from __future__ import annotations

import hashlib
import struct
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from fluid import ksyms, modfile, modlayout, registry
from fluid.cpufeatures import FEATURES, feature_bits
from fluid.modread import read_mod
from hostcc import FAIL, ROOT, build
from module_build import CXX_RUNTIME, make_mod

LOAD = ROOT / "src/kernel/load"
SOURCES = ["guard", "ksyms", "module_file", "module_place", "module_run", "registry", "relocate"]
SOURCES += ["sha256", "slot", "../prof/profile"]
MEMORY = [ROOT / f"src/kernel/mm/{name}.c" for name in ("heap_account", "pool")]
CALL_CONTEXT = ROOT / "src/kernel/arch/x86/call_context.S"
BASE = feature_bits(["sse", "sse2"])


ARCHES = ["x86_64", "i686"]
MISSING_32 = "32-bit programs cannot be built here; apt-get install gcc-multilib"


def build_loader(arch: str) -> Path:
    host = [ROOT / "tests/host/loader_host.c", ROOT / "tests/host/loader_env.c", FAIL]
    sources = [*host, CALL_CONTEXT, *MEMORY, *(LOAD / f"{name}.c" for name in SOURCES)]
    flags = ["-fno-pie", "-no-pie", "-D_GNU_SOURCE", "-Itests/host"]
    flags += [
        "-fno-sanitize=function"
    ]  # it reads in front of functions; modules have nothing there
    if arch == "x86_64":
        return build("loader_host", sources, flags=flags)
    probe = ["clang-19", "-m32", "-x", "c", "-", "-o", "/dev/null", "-fsanitize=address"]
    program = b'#include <stdio.h>\nint main(void) { return puts(""); }\n'
    if subprocess.run(probe, input=program, capture_output=True).returncode != 0:
        pytest.skip(MISSING_32)
    return build("loader_host32", sources, flags=[*flags, "-m32"])


@pytest.fixture(scope="module")
def loader() -> Path:
    return build_loader("x86_64")


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Without initialisers, so that damaged copies can be loaded without running any code."""
    return make_mod(tmp_path_factory.mktemp("sample") / "sample.mod")


def run(loader: Path, *arguments: object, status: int = 0) -> list[str]:
    command = [str(a) for a in (loader, *arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout.splitlines()


def rewrite(path: Path, out: Path, **changes: object) -> Path:
    """The module with some fields of its header replaced; hash made valid again."""
    out.write_bytes(modfile.pack(replace(read_mod(path), **changes)))  # type: ignore[arg-type]
    return out


@pytest.mark.parametrize("arch", ARCHES)
def test_every_kind_of_section_works(arch: str, tmp_path: Path) -> None:
    mod = make_mod(tmp_path / "s.mod", arch=arch, flags=["-DWITH_INITIALISER"])
    assert run(build_loader(arch), "call", mod) == [
        "module sample x86-64",
        "initialised 12",
        "bss 0 5000",
        "data 41 42",
        "name one two",
        "square 25",
        "cold 50",
        "other 1004 997",
        "page aligned 0",
        "import -1 E-TEST-01 number 42",
        "divide 123456789abcdef",
        "symbol sample:sample_square+0x2",
        "outside ?",
        "E-MOD-15 a module 'sample' is already loaded; remove one of the two",
        "again refused",
        "slot 1 1 1",
        "pages left 0",
    ]


@pytest.mark.parametrize("arch", ARCHES)
def test_every_allocation_may_fail(arch: str, tmp_path: Path) -> None:
    mod = make_mod(tmp_path / "s.mod", arch=arch)
    expected = ["loaded 1 behind many refusals", "slot 0 0 1"]
    assert run(build_loader(arch), "starve", mod) == expected


@pytest.mark.parametrize("arch", ARCHES)
def test_pages_are_protected(arch: str, tmp_path: Path) -> None:
    mod = make_mod(tmp_path / "s.mod", arch=arch)
    # group, then whether read, write, execute fault
    expected = ["0 010", "1 011", "2 001", "3 111"]
    assert run(build_loader(arch), "protect", mod) == expected


@pytest.mark.parametrize("arch", ARCHES)
def test_damaged_files_are_refused(arch: str, tmp_path: Path) -> None:
    mod = make_mod(tmp_path / "s.mod", arch=arch)
    rows = dict(line.split() for line in run(build_loader(arch), "fuzz", mod, 4000, 0))
    assert rows.pop("loaded") == "0"
    assert sum(map(int, rows.values())) == 4000
    assert set(rows) <= {"E-MOD-01", "E-MOD-02", "E-MOD-03", "E-MOD-04"}
    assert int(rows["E-MOD-04"]) > 1000


@pytest.mark.parametrize("arch", ARCHES)
def test_wrong_fields_under_a_valid_hash_never_crash(arch: str, tmp_path: Path) -> None:
    mod = make_mod(tmp_path / "s.mod", arch=arch)
    rows = dict(line.split() for line in run(build_loader(arch), "fuzz", mod, 20000, 1))
    assert sum(map(int, rows.values())) == 20000
    assert {f"E-MOD-{n:02}" for n in (1, 2, 3, 5, 6, 7, 8, 9)} <= set(rows)


@pytest.mark.full
def test_wrong_fields_long_campaign(loader: Path, sample: Path) -> None:
    rows = dict(line.split() for line in run(loader, "fuzz", sample, 300000, 1))
    assert sum(map(int, rows.values())) == 300000


def test_other_abi_machine_and_cpu(loader: Path, sample: Path, tmp_path: Path) -> None:
    out = tmp_path / "m.mod"
    cases = [
        (
            {"kernel_abi": 99},
            BASE,
            f"E-MOD-05 kernel ABI {modlayout.KERNEL_ABI} expected, 99 found",
        ),
        ({"machine": modlayout.MACHINE_I386}, BASE, "E-MOD-06 machine 62 expected, 3 found"),
        ({"cpu_bits": 1 << 40}, 0xFFFFFFFF, "E-MOD-07 made for CPU features that this machine"),
        ({}, 1 << FEATURES["sse"], "lacks: sse2 (0x2)"),
        ({}, BASE, "ok sample x86-64"),
    ]
    for changes, usable, expected in cases:
        assert expected in run(loader, "load", rewrite(sample, out, **changes), usable)[0]


def test_unknown_import(loader: Path, sample: Path, tmp_path: Path) -> None:
    module = read_mod(sample)
    mod = rewrite(sample, tmp_path / "m.mod", imports=[*module.imports[:-1], "printf"])
    assert "E-MOD-09 import 'printf'" in run(loader, "load", mod, BASE)[0]


def test_too_large_module(loader: Path, sample: Path, tmp_path: Path) -> None:
    module = read_mod(sample)
    huge = modlayout.Section(".bss.huge", 5, 4096, b"", 100 << 20)
    mod = rewrite(sample, tmp_path / "m.mod", sections=[*module.sections, huge])
    assert "E-MOD-10" in run(loader, "load", mod, BASE)[0]


def test_relocation_that_overflows(loader: Path, sample: Path, tmp_path: Path) -> None:
    module = read_mod(sample)
    for kind in (modlayout.RELOC_ABS32, modlayout.RELOC_ABS32S, modlayout.RELOC_PC32):
        n = next(n for n, r in enumerate(module.relocs) if modlayout.RELOC_BYTES[r.type] == 4)
        for addend in (1 << 32, -(1 << 33), (1 << 63) - 1):
            relocs = list(module.relocs)
            relocs[n] = replace(relocs[n], type=kind, addend=addend)
            mod = rewrite(sample, tmp_path / "m.mod", relocs=relocs)
            assert "E-MOD-08 relocation" in run(loader, "load", mod, BASE)[0]


def test_initialiser_outside_of_the_code(loader: Path, tmp_path: Path) -> None:
    mod = make_mod(tmp_path / "s.mod", flags=["-DWITH_INITIALISER"])
    module = read_mod(mod)
    init = {n for n, s in enumerate(module.sections) if s.flags & modlayout.SECTION_INIT}
    relocs = [r for r in module.relocs if r.section not in init]
    rewrite(mod, mod, relocs=relocs)
    assert "E-MOD-08 initialiser 0" in run(loader, "load", mod, BASE)[0]


@pytest.fixture(scope="module")
def variants(tmp_path_factory: pytest.TempPathFactory, sample: Path) -> list[Path]:
    """Two modules: `sample` in three variants, `lone` in one."""
    folder = tmp_path_factory.mktemp("variants")
    source = folder / "lone.c"
    source.write_text('#include "fluid/module.h"\nFLUID_EXPORT int lone(void) { return 1; }\n')
    tags = [
        ("x86-64", ["sse2"], 0),
        ("x86-64-v2", ["sse2", "sse4.2"], 1),
        ("x86-64-v3", ["avx2"], 2),
    ]
    mods = [
        rewrite(
            sample, folder / f"{tag}.mod", target=tag, cpu_bits=feature_bits(features), rank=rank
        )
        for tag, features, rank in tags
    ]
    lone = make_mod(folder / "lone.mod", [source], name="lone")
    return [*mods, rewrite(lone, lone, cpu_bits=feature_bits(["ssse3"]))]


def write_registry(out: Path, variants: list[Path]) -> bytes:
    registry.build_registry(variants, out)
    return out.read_bytes()


def test_registry_takes_the_best_usable_variant(
    loader: Path, variants: list[Path], tmp_path: Path
) -> None:
    write_registry(tmp_path / "r", variants)
    lines = run(loader, "registry", tmp_path / "r", feature_bits(["sse2", "ssse3", "sse4.2"]))
    assert lines == ["count 2", "module sample x86-64-v2 1", "module lone x86-64 1"]


def test_damaged_variant_costs_only_itself(
    loader: Path, variants: list[Path], tmp_path: Path
) -> None:
    data = bytearray(write_registry(tmp_path / "r", variants))
    best = next(e for e in registry.unpack(bytes(data)).entries if e.rank == 1)
    data[best.offset + best.size // 2] ^= 1
    (tmp_path / "r").write_bytes(data)
    lines = run(loader, "registry", tmp_path / "r", feature_bits(["sse2", "sse4.2"]))
    assert [line.split(":")[0] for line in lines] == [
        "warn E-MOD-04 sample (x86-64-v2)",
        "error E-MOD-11 a variant of each module for this CPU expected, none found of 1; use a "
        "newer processor, or an image for this one",
        "count 1",
        "module sample x86-64 1",
    ]


def test_entry_points_are_unique(loader: Path, sample: Path, tmp_path: Path) -> None:
    twin = rewrite(sample, tmp_path / "twin.mod", name="twin")
    write_registry(tmp_path / "r", [sample, twin])
    lines = run(loader, "registry", tmp_path / "r", BASE)
    assert lines[0].startswith("warn E-MOD-14 twin (x86-64): entry point 'sample_")
    assert lines[2:] == ["count 1", "module sample x86-64 1"]


def swap(folder: Path, version: int, arch: str = "x86_64") -> Path:
    """A version of sample/swap.c."""
    source = ROOT / "tests/host/sample/swap.c"
    out = folder / f"swap{version}.mod"
    return make_mod(out, [source], arch=arch, flags=[f"-DVERSION={version}"], name="swap")


@pytest.mark.parametrize("arch", ARCHES)
def test_a_module_takes_anothers_place(arch: str, tmp_path: Path) -> None:
    """All of it at once; the old one is finalised, last first; while it is in use it stays."""
    loader, first, second = build_loader(arch), swap(tmp_path, 1, arch), swap(tmp_path, 2, arch)
    assert run(loader, "override", first, second, 0) == [
        *("first in 1", "second in 1", "override done"),
        *("first in 2", "second in 2", "first out 2", "last out 2", "override E-MOD-17"),
        "value 1",
        *("first in 2", "second in 2", "first out 1", "last out 1", "override done"),
        "value 2",
        "loaded 1",
        "unload E-MOD-17",  # the slot calls it
    ]


def test_a_module_without_a_used_entry_point(loader: Path, tmp_path: Path) -> None:
    lines = run(loader, "override", swap(tmp_path, 1), swap(tmp_path, 2), 1)
    assert [line for line in lines if line.startswith("value")] == ["value 1", "value 1"]
    assert [line for line in lines if line.startswith("override")][1:] == ["override E-MOD-17"] * 2
    assert lines[-2:] == ["loaded 1", "unload E-MOD-17"]


def test_unloading(loader: Path, tmp_path: Path) -> None:
    assert run(loader, "unload", swap(tmp_path, 1))[2:] == [
        *("override done", "first out 1", "last out 1", "unload done"),
    ]


@pytest.mark.parametrize("level", ["-O0", "-O2"])
@pytest.mark.parametrize("arch", ARCHES)
def test_a_module_in_cxx(arch: str, level: str, tmp_path: Path) -> None:
    """Static objects come in order and go in reverse; nothing of the runtime is exported, and
    AddressSanitizer finds no memory left behind."""
    sources = [ROOT / "tests/host/sample/objects.cpp", CXX_RUNTIME]
    mod = make_mod(tmp_path / "o.mod", sources, arch=arch, flags=[level], name="objects")
    assert {e.name.partition("_")[0] for e in read_mod(mod).exports} == {"objects"}
    assert set(read_mod(mod).imports) <= {"fluid_alloc", "fluid_free", "host_note", "memset"}
    assert run(build_loader(arch), "objects", mod) == [
        *("here 1", "here 2", "here 3"),
        *("square gone 7", "shape gone 7", "objects_virtual 49"),
        *("here 4", "objects_local 4", "objects_local 5"),
        *("here 4950", "gone 4950", "objects_arrays 4950", "objects_refused 1"),
        *("gone 6", "gone 3", "gone 2", "gone 1", "unload done"),
    ]


def test_damaged_index(loader: Path, variants: list[Path], tmp_path: Path) -> None:
    data = write_registry(tmp_path / "r", variants)
    end = registry.HEADER.size + 4 * registry.ENTRY.size
    for at in range(end):
        bad = bytearray(data)
        bad[at] ^= 0x80
        (tmp_path / "r").write_bytes(bad)
        if at % 7 == 0:
            lines = run(loader, "registry", tmp_path / "r", BASE)
            assert lines[0].startswith("error E-MOD-12 registry index: field ")
            assert lines[1:] == ["count 0"]
    for size in (0, 3, registry.HEADER.size, end - 1, len(data) - 1):
        (tmp_path / "r").write_bytes(data[:size])
        assert run(loader, "registry", tmp_path / "r", BASE)[-1] == "count 0"


def test_index_entry_outside_under_a_valid_hash(
    loader: Path, variants: list[Path], tmp_path: Path
) -> None:
    data = bytearray(write_registry(tmp_path / "r", variants))
    index = slice(registry.HEADER.size, registry.HEADER.size + 4 * registry.ENTRY.size)
    for offset, size in ((0xFFFFFFC0, 64), (0, 0xFFFFFFFF), (len(data), 64), (64, 10)):
        struct.pack_into("<II", data, index.start + 60, offset, size)
        data[16:48] = hashlib.sha256(data[index]).digest()
        (tmp_path / "r").write_bytes(data)
        lines = run(loader, "registry", tmp_path / "r", feature_bits(["sse2", "ssse3"]))
        assert lines[0].startswith(("error E-MOD-12", "warn E-MOD-01"))


@pytest.mark.parametrize("size", [0, 1, 55, 56, 63, 64, 65, 119, 120, 1000, 70001])
def test_sha256(loader: Path, tmp_path: Path, size: int) -> None:
    data = bytes(i * 7 % 251 for i in range(size))
    (tmp_path / "data").write_bytes(data)
    for chunk in (1, 63, 64, 65, 1 << 20):
        assert run(loader, "sha", tmp_path / "data", chunk) == [hashlib.sha256(data).hexdigest()]


def test_kernel_symbols(loader: Path, tmp_path: Path) -> None:
    names = [(0x100018, "start"), (0x100020, "main"), (0x200000, "")]
    blob = ksyms.pack([ksyms.KernelSymbol(address, name) for address, name in names])
    (tmp_path / "k").write_bytes(blob)
    addresses = ["0x100017", "0x100018", "0x10001f", "0x1fffff", "0x200000", "0xffffffffffffffff"]
    assert run(loader, "ksyms", tmp_path / "k", *addresses) == [
        "0x100017 ?",
        "0x100018 start+0x0",
        "0x10001f start+0x7",
        "0x1fffff main+0xfffdf",
        "0x200000 ?",
        "0xffffffffffffffff ?",
    ]
    for damaged in (b"", blob[:-1], blob[:12], b"X" + blob[1:], blob[:4] + b"\xff" * 4 + blob[8:]):
        (tmp_path / "k").write_bytes(damaged)
        assert run(loader, "ksyms", tmp_path / "k", "0x100018") == ["0x100018 ?"]
