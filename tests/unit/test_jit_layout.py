"""Requests for jit.elf and its responses: what is packed where, and what is refused."""

from __future__ import annotations

import re
import struct
from dataclasses import replace
from pathlib import Path

import pytest

from fluid import jit, jit_times, jitbuild, jitlayout
from fluid.error_docs import load
from fluid.errors import FluidError
from fluid.flags import BARE, CODE
from fluid.jitlayout import CONSTANT, REQUEST, RESPONSE, Constant, Request
from fluid.modlayout import MACHINE_X86_64, Module, Symbol

HEADER = Path(__file__).resolve().parents[2] / "src/include/fluid/jit.h"
SAMPLE = Request(
    payload=b"BC\xc0\xde" + bytes(7),
    name="tensor_attention",
    target="x86-64-v3",
    machine=MACHINE_X86_64,
    features=("sse", "sse2", "avx2"),
    entries=("attention", "store_kv"),
    level=3,
    rank=2,
    constants=(Constant("store_kv", 5, 64), Constant("attention", 0, 1 << 40, 8, 48)),
    source=b"s" * 16,
)


def fields(data: bytes) -> dict[str, int]:
    """The head's tables: counts and offsets."""
    names = [f"{t}_{f}" for t in ("feature", "entry", "constant", "string", "input") for f in "no"]
    return dict(zip(names, REQUEST.unpack_from(data)[-10:], strict=True))


def test_a_request_has_its_parts() -> None:
    data = jitlayout.pack_request(SAMPLE)
    head, at = REQUEST.unpack_from(data), fields(data)
    assert head[4] == len(data) and head[5:9] == (3, MACHINE_X86_64, 0, jitlayout.FLAGS)
    assert head[14:17] == (
        b"tensor_attention".ljust(32, b"\0"),
        b"x86-64-v3".ljust(16, b"\0"),
        b"s" * 16,
    )
    assert all(at[f"{t}_o"] % 8 == 0 for t in ("feature", "entry", "constant", "string", "input"))
    strings = data[at["string_o"] :][: at["string_n"]]

    def names(table: str) -> list[bytes]:
        offsets = struct.unpack_from(f"<{at[f'{table}_n']}I", data, at[f"{table}_o"])
        return [strings[offset:].split(b"\0")[0] for offset in offsets]

    assert names("feature") == [b"sse", b"sse2", b"avx2"]
    assert names("entry") == [b"attention", b"store_kv"]
    end = at["constant_o"] + CONSTANT.size * 2
    assert list(CONSTANT.iter_unpack(data[at["constant_o"] : end])) == [
        (1, 5, jitlayout.WHOLE_ARGUMENT, 4, 64),
        (0, 0, 48, 8, 1 << 40),
    ]
    assert data[at["input_o"] :] == SAMPLE.payload


def test_names_must_fit() -> None:
    for bad in ({"name": "a b"}, {"name": "x" * 32}, {"target": ""}):
        with pytest.raises(FluidError, match="E-MOD-26"):
            jitlayout.pack_request(replace(SAMPLE, **bad))  # type: ignore[arg-type]


def response(status: int = 0, text: bytes = b"", mod: bytes = b"m", **changes: int) -> bytes:
    head = {
        "magic": jitlayout.RESPONSE_MAGIC,
        "major": 1,
        "header": RESPONSE.size,
        "size": RESPONSE.size + len(text) + len(mod),
        "text_off": RESPONSE.size,
        "mod_off": RESPONSE.size + len(text),
    } | changes
    packed = RESPONSE.pack(
        *(head["magic"], head["major"], 0, head["header"], head["size"], status, 0),
        *(1, 2, 3, len(text), head["text_off"], len(mod), head["mod_off"]),
    )
    return packed + text + mod


def test_responses() -> None:
    good = jitlayout.unpack_response(response())
    assert (good.status, good.mod, good.parse_ns, good.generate_ns) == (0, b"m", 1, 3)
    bad = jitlayout.unpack_response(response(6, b"bitcode expected", b""))
    assert (bad.status, bad.text, bad.mod) == (6, "bitcode expected", b"")


@pytest.mark.parametrize(
    "data",
    [
        *(b"", response()[:63], response() + b"x", response(magic=1), response(major=2)),
        *(response(header=8), response(size=1 << 31), response(mod_off=1 << 20)),
        *(response(text_off=0xFFFFFFFF), response(0, b"", b""), response(3)),
    ],
)
def test_damaged_responses(data: bytes) -> None:
    with pytest.raises(FluidError, match="E-JIT-31"):
        jitlayout.unpack_response(data)


def program(folder: Path, script: str) -> Path:
    """Something in jit.elf's place."""
    path = folder / "jit.elf"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(("script", "found"), [("exit 3", "status 3"), ("kill -6 $$", "SIGABRT")])
def test_an_end_without_an_answer(script: str, found: str, tmp_path: Path) -> None:
    with pytest.raises(FluidError, match=f"E-JIT-30 .*{found}"):
        jit.compile_module(program(tmp_path, script), SAMPLE)


def test_an_error_is_raised(tmp_path: Path) -> None:
    (tmp_path / "answer").write_bytes(response(8, b"a function expected", b""))
    with pytest.raises(FluidError, match="E-JIT-08 a function expected"):
        jit.compile_module(program(tmp_path, f"cat {tmp_path}/answer"), SAMPLE)


def test_statuses_are_codes() -> None:
    """Each status of the header has a row in the catalogue, and the comment that says so."""
    rows = re.findall(r"JIT_(?:BAD|NO)_\w+ = (\d+), +/\* E-JIT-(\d\d)\b", HEADER.read_text())
    assert [int(status) for status, _ in rows] == [int(code) for _, code in rows]
    assert [int(status) for status, _ in rows] == list(range(1, 14))
    said = {code for code, row in load().errors.items() if row.area == "JIT"}
    assert said >= {f"E-JIT-{code}" for _, code in rows}


def test_a_request_for_a_module() -> None:
    exports = [Symbol("add", 0, 0, 1), Symbol("swiglu", 0, 1, 1)]
    module = Module("act", "x86-64-v2", 1, MACHINE_X86_64, 3, [], [], exports, [], [], source=b"x")
    request = jit.request_of(module, b"BC", ["sse"], level=1)
    assert (request.entries, request.level, request.rank) == (("add", "swiglu"), 1, 1)
    assert (request.name, request.source, request.features) == ("act", b"x", ("sse",))


def test_code_is_generated_as_modules_are() -> None:
    assert "-mno-red-zone" in BARE and jitlayout.FLAGS & jitlayout.FLAG_NO_RED_ZONE
    assert "-fno-omit-frame-pointer" in CODE and jitlayout.FLAGS & jitlayout.FLAG_FRAME_POINTER


def test_flags_of_bitcode() -> None:
    flags = ["--target=x86_64-unknown-none-elf", "-march=x86-64", "-O0", "-ffreestanding"]
    assert jitbuild.bitcode_flags(flags) == [
        *("--target=x86_64-unknown-none-elf", "-march=x86-64", "-ffreestanding"),
        *("-O2", "-emit-llvm", "-flto=thin"),
    ]


def test_missing_libraries(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without llvm-config there is nothing; else each file is looked for."""
    monkeypatch.setattr(jitbuild, "CONFIG", str(tmp_path / "llvm-config"))
    assert jitbuild.missing("clang-19") == [str(tmp_path / "llvm-config")]
    (tmp_path / "llvm-config").write_text(f"#!/bin/sh\necho {tmp_path}\n")
    (tmp_path / "llvm-config").chmod(0o755)
    header, archive = tmp_path / jitbuild.HEADER, tmp_path / "libLLVMX86CodeGen.a"
    assert jitbuild.missing("clang-19")[:2] == [str(header), str(archive)]
    with pytest.raises(FluidError, match=r"E-JIT-32 .*llvm-19-dev"):
        jitbuild.refuse([str(header)])


def test_the_table_of_times() -> None:
    """Percentiles are of all operations; the least time of several counts."""
    best = [
        jitlayout.Response(0, 1_000_000, n * 1_000_000, 500_000, "", bytes(n)) for n in range(4)
    ]
    rows = [jit_times.row(name, best) for name in ("add", "rope")]
    assert rows[0].total == (1.5, 2.5, 3.5, 4.5) and rows[0].size == (0, 1, 2, 3)
    lines = jit_times.table(rows).splitlines()
    assert lines[1].split() == ["add", "1.5", "2.5", "3.5", "4.5"]
    assert [line.split()[0] for line in lines[4:]] == [*("p50", "p95", "p100"), *["p50"] * 4]
    values = list(range(1, 101))
    assert [jit_times.percentile(values, p) for p in (1, 50, 95, 100)] == [1, 50, 95, 100]
    assert jit_times.percentile([7], 50) == 7
