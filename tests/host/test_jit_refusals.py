"""What jit.elf refuses: requests, bitcode and code that are not as they should be; its limits."""

from __future__ import annotations

import os
import re
import struct
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fluid import jit
from fluid.errors import FluidError
from fluid.jitlayout import REQUEST, Constant, Request, Response, pack_request, unpack_response
from fluid.modlayout import MACHINE_I386
from fluid.modread import unpack
from jit_modules import request, require

CASE = ("x86-64-v2", "x86-64-v2")
NAMES = (
    "magic major minor header_size file_size level machine input flags memory seconds kernel_abi "
    "rank reserved name target source feature_count feature_off entry_count entry_off "
    "constant_count constant_off string_size string_off input_size input_off"
)
FORMS = re.findall(r"\d*[A-Za-z]", REQUEST.format)  # of each field
AT = {f: struct.calcsize("<" + "".join(FORMS[:n])) for n, f in enumerate(NAMES.split())}


@pytest.fixture(scope="module")
def program() -> Path:
    return require()


@pytest.fixture(scope="module")
def good() -> Request:
    """One that compiles."""
    known = (Constant("rmsnorm", 3, 576),)
    return request("tensor_norm", *CASE, level=1, constants=known)


def refused(program: Path, wanted: Request, code: str) -> str:
    """The sentence; asserts the code."""
    with pytest.raises(FluidError) as caught:
        jit.compile_module(program, wanted)
    assert caught.value.code == code, caught.value
    return caught.value.text


def refused_bytes(program: Path, data: bytes, code: str) -> str:
    """The same for a request that pack_request() would not write."""
    with pytest.raises(FluidError) as caught:
        jit.accepted(jit.ask(program, data))
    assert caught.value.code == code, caught.value
    return caught.value.text


def changed(data: bytes, field: str, value: int, size: int = 4) -> bytes:
    at = AT[field]
    return data[:at] + value.to_bytes(size, "little") + data[at + size :]


@pytest.mark.parametrize("data", [b"", b"FJRQ", bytes(160), b"GET / HTTP/1.1\r\n" * 20])
def test_what_is_no_request(program: Path, data: bytes) -> None:
    refused_bytes(program, data, "E-JIT-01")


def test_versions(program: Path, good: Request) -> None:
    """A newer minor version has more behind the head; another major one is not understood."""
    data = pack_request(good)
    refused_bytes(program, changed(data, "major", 2, 2), "E-JIT-02")
    assert jit.ask(program, data[:6] + b"\x09\0" + data[8:]).status == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("header_size", 8), ("header_size", 1 << 30), ("file_size", 8), ("file_size", 1 << 31)),
        *(("file_size", 1 << 20), ("level", 4), ("machine", 40), ("input", 2), ("flags", 4)),
        *(("seconds", 0), ("seconds", 99999), ("reserved", 1)),
        *(("feature_count", 1 << 30), ("feature_off", 0xFFFFFFF0)),
        *(("entry_count", 1 << 22), ("entry_off", 1 << 30), ("constant_count", 0xFFFFFFFF)),
        *(("constant_off", 0xFFFFFFF8), ("string_size", 1), ("string_off", 1 << 20)),
        *(("input_size", 0xFFFFFFFF), ("input_off", 0xFFFFFFFF)),
        *(("name", 0), ("name", 0x20202020), ("target", 0x2D2D2D2D)),
    ],
)
def test_fields(program: Path, good: Request, field: str, value: int) -> None:
    data = changed(pack_request(good), field, value)
    assert "expected, found" in refused_bytes(program, data, "E-JIT-03")


def test_no_entry_point_means_all(program: Path, good: Request) -> None:
    """As a module that is bitcode alone is compiled."""
    made = unpack(jit.compile_module(program, replace(good, entries=(), constants=())).mod)
    assert {e.name for e in made.exports} >= set(good.entries)


@pytest.mark.parametrize("memory", [0, 1 << 20, 1 << 40])
def test_limits_have_limits(program: Path, good: Request, memory: int) -> None:
    refused_bytes(program, changed(pack_request(good), "memory", memory, 8), "E-JIT-03")


def test_every_truncation(program: Path, good: Request) -> None:
    """The stream ends early, anywhere in the tables."""
    data = pack_request(good)
    sizes = [*range(0, REQUEST.size, 37), *range(REQUEST.size, len(data), len(data) // 20)]
    for size in sizes:
        assert jit.ask(program, data[:size]).status in (1, 3)


def test_features(program: Path, good: Request) -> None:
    for name in ("native", "sse9", "+avx2", "SSE2"):
        refused(program, replace(good, features=(*good.features, name)), "E-JIT-04")


def test_a_system_without_limits(program: Path, good: Request) -> None:
    """No process may have more than its parent allows, unless it has the right to."""
    prefix = ["setpriv", "--bounding-set=-sys_resource"] if os.geteuid() == 0 else []
    command = ["prlimit", f"--as={256 << 20}", *prefix, str(program)]
    done = subprocess.run(command, input=pack_request(good), capture_output=True, timeout=60)
    with pytest.raises(FluidError, match="E-JIT-05 a limit of memory"):
        jit.accepted(unpack_response(done.stdout))


def test_bitcode_that_is_none(program: Path, good: Request) -> None:
    whole = good.payload
    for bad in (b"", b"BC\xc0\xde", b"int main;" * 9, whole[:1000], whole[: len(whole) // 2]):
        refused(program, replace(good, payload=bad), "E-JIT-06")


def answer_or_death(program: Path, data: bytes) -> Response | None:
    """None: it died."""
    try:
        return jit.ask(program, data, seconds=30)
    except FluidError as error:
        assert error.code == "E-JIT-30"
        return None


def damage(program: Path, good: Request, rounds: int, seed: int) -> dict[str, int]:
    """How damaged bitcode ended."""
    rng, ends = np.random.default_rng(seed), dict[str, int]()
    for _ in range(rounds):
        bad = bytearray(good.payload)
        for at in rng.integers(0, len(bad), rng.integers(1, 4)):
            bad[at] ^= 1 << rng.integers(8)
        wanted = replace(good, payload=bytes(bad), cpu_seconds=10, memory=256 << 20)
        answer = answer_or_death(program, pack_request(wanted))
        end = "died" if answer is None else f"E-JIT-{answer.status:02}"
        ends[end] = ends.get(end, 0) + 1
    return ends


def test_damaged_bitcode(program: Path, good: Request) -> None:
    """It is refused, or compiles to something, or kills the compiler; it never hangs."""
    ends = damage(program, good, 40, 1)
    assert ends.get("E-JIT-06", 0) >= 10, ends
    assert ends.get("died", 0) <= 20, ends


@pytest.mark.full
def test_damaged_bitcode_long_campaign(program: Path) -> None:
    for seed, name in enumerate(("tensor_act", "tensor_q4_0")):
        ends = damage(program, request(name, *CASE, level=2), 1000, seed)
        assert sum(ends.values()) == 1000 and ends["E-JIT-06"] > 300


def test_another_machines_bitcode(program: Path, good: Request) -> None:
    refused(program, replace(good, machine=MACHINE_I386, features=("sse2",)), "E-JIT-07")
    refused(program, replace(request("tensor_norm", "i686", "i686"), machine=62), "E-JIT-07")


def test_entry_points(program: Path, good: Request) -> None:
    for name in ("rmsnorm2", "llvm.fabs.f32"):
        refused(program, replace(good, entries=(name,), constants=()), "E-JIT-08")


@pytest.mark.parametrize(
    "known",
    [
        Constant("attention", 1, 64),  # no such argument
        Constant("attention", 0, 64),  # a pointer
        Constant("attention", 0, 64, 8),
        Constant("attention", 0, 64, field_off=51),  # in the middle of one
        Constant("attention", 0, 64, 8, 52),  # two at once
        Constant("attention", 0, 64, field_off=1 << 20),
        Constant("store_kv", 3, 1, 8),  # has four bytes
        Constant("store_kv", 3, 1, field_off=0),  # not a pointer
        Constant("store_kv", 0, 64, field_off=52),  # of a structure that attention alone knows
    ],
)
def test_constants(program: Path, known: Constant) -> None:
    refused(program, request("tensor_attention", *CASE, constants=(known,)), "E-JIT-09")


def test_constants_of_no_entry(program: Path, good: Request) -> None:
    data = bytearray(pack_request(good))
    (at,) = struct.unpack_from("<I", data, AT["constant_off"])
    for offset, value in ((0, 9), (12, 3), (16, 1 << 40)):  # entry, size, value
        bad = bytearray(data)
        struct.pack_into("<Q" if offset == 16 else "<I", bad, at + offset, value)
        refused_bytes(program, bytes(bad), "E-JIT-03")


def long_work(folder: Path, functions: int) -> bytes:
    """Bitcode that takes seconds to compile."""
    body = "for (int i = 0; i < n; i++) for (int j = 0; j < n; j++) a[i * n + j] += b[j] * {0};"
    text = "".join(
        f"void f{k}(float *a, const float *b, int n) {{ {body.format(k)} }}\n"
        for k in range(functions)
    )
    (folder / "long.c").write_text(text)
    command = [
        *("clang-19", "--target=x86_64-unknown-none-elf", "-ffreestanding", "-O2", "-emit-llvm"),
        *("-Xclang", "-disable-llvm-passes", "-c", "long.c", "-o", "long.bc"),
    ]
    subprocess.run(command, cwd=folder, check=True, timeout=60)
    return (folder / "long.bc").read_bytes()


def test_the_memory_limit(program: Path, good: Request, tmp_path: Path) -> None:
    """At once, and in the middle of the work. What takes too much there is much: the largest
    tensor module is compiled in 42 MiB, the program's own 34 included."""
    tensor = request("tensor_attention", *CASE, level=3)
    refused(program, replace(tensor, memory=16 << 20), "E-JIT-10")
    assert jit.compile_module(program, replace(tensor, memory=48 << 20)).mod
    entries = tuple(f"f{k}" for k in range(1500))
    wanted = replace(good, payload=long_work(tmp_path, 1500), entries=entries, constants=())
    refused(program, replace(wanted, level=0, memory=48 << 20), "E-JIT-10")


def test_the_time_limit(program: Path, good: Request, tmp_path: Path) -> None:
    entries = tuple(f"f{k}" for k in range(1500))
    wanted = replace(good, payload=long_work(tmp_path, 1500), entries=entries, constants=())
    refused(program, replace(wanted, level=3, cpu_seconds=1), "E-JIT-11")


def test_code_that_the_features_do_not_allow(program: Path) -> None:
    """Bitcode of the v3 source has instructions in it that only AVX2 has."""
    wanted = request("tensor_q4_0", "x86-64-v2", "x86-64-v3")
    wanted = replace(wanted, features=("sse", "sse2"))
    assert "LLVM" in refused(program, wanted, "E-JIT-12")


def test_no_file_is_touched(program: Path, good: Request, tmp_path: Path) -> None:
    """Neither in the folder nor by environment: a core file or a crash report would be one."""
    environment = {"TMPDIR": str(tmp_path), "LLVM_PROFILE_FILE": str(tmp_path / "p")}
    for data in (pack_request(good), b"junk", changed(pack_request(good), "level", 9)):
        subprocess.run([str(program)], input=data, cwd=tmp_path, env=environment, check=True)
    assert list(tmp_path.iterdir()) == []
