"""src/jit with AddressSanitizer and UndefinedBehaviorSanitizer against damaged requests: what is
ours in jit.elf, the parser of requests and the reader of objects, reads and writes nothing that is
not its own."""

from __future__ import annotations

import random
import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from fluid import jitbuild
from fluid.jitlayout import REQUEST, Constant, pack_request, unpack_response
from hostcc import ROOT, SANITIZERS
from jit_modules import request, require
from module_build import SAMPLE, compile_object
from test_jit_writer import MACHINE
from test_jit_writer import request as object_request

ROUNDS = 3000
# LLVM itself may follow a wrong pointer or ask for more memory than there is.
FINDING = re.compile(r"-buffer-(over|under)flow|use-after|double-free|runtime error")
KNOWN = (Constant("rmsnorm", 3, 576),)
NEAR = 600  # bytes of a request's tables, and of an object's headers at its end


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """jit.elf with sanitizers, and without limits."""
    require()
    folder, llvm = tmp_path_factory.mktemp("jit"), jitbuild.find_llvm()
    compiler = ["clang-19", "--driver-mode=g++", *SANITIZERS, "-fno-sanitize=vptr"]
    flags = [flag for flag in jitbuild.COMPILE if not flag.startswith("-O")]
    objects = []
    for source in (*jitbuild.sources(ROOT), "tests/host/jit_no_limits.cpp"):
        objects.append(str(folder / f"{Path(source).stem}.o"))
        one = [*compiler, "-O1", *flags, "-isystem", llvm.headers, "-Isrc/include"]
        subprocess.run([*one, "-c", source, "-o", objects[-1]], cwd=ROOT, check=True)
    linked = folder / "jit"
    link = ["-fuse-ld=lld", "-Wl,--gc-sections", "-Wl,--wrap=setrlimit", "-o", str(linked)]
    subprocess.run([*compiler, *objects, *link, *llvm.libraries], check=True)
    return linked


def damaged(data: bytes, rng: random.Random) -> bytes:
    """Some bytes others, mostly where offsets and sizes are; or cut off."""
    bad = bytearray(data)
    for _ in range(rng.randrange(1, 4)):
        head, tail = rng.randrange(NEAR), len(bad) - 1 - rng.randrange(2 * NEAR)
        at = rng.choice([head, REQUEST.size + head, tail, rng.randrange(len(bad))])
        bad[at] = rng.choice([0, 1, 0x7F, 0x80, 0xFF, bad[at] ^ 1 << rng.randrange(8)])
    return bytes(bad[: rng.randrange(len(bad))] if rng.random() < 0.1 else bad)


@pytest.mark.full
def test_damaged_requests(program: Path, tmp_path: Path) -> None:
    """Of objects, and of bitcode, which may kill LLVM but not by a fault of ours."""
    wanted = [
        object_request(compile_object(SAMPLE, tmp_path / f"{a}.o", arch=a, flags=["-g0"]), machine)
        for a, machine in MACHINE.items()
    ]
    wanted.append(request("tensor_norm", "x86-64-v2", "x86-64-v2", level=0, constants=KNOWN))
    good, rng, ends = list(map(pack_request, wanted)), random.Random(1), Counter[int]()
    for number in range(ROUNDS):
        data = damaged(good[number % len(good)], rng)
        done = subprocess.run([str(program)], input=data, capture_output=True, timeout=60)
        said = done.stderr.decode(errors="replace")
        assert not FINDING.search(said), said
        ends[unpack_response(done.stdout).status if done.returncode == 0 else -1] += 1
    assert {0, 1, 3, 6, 13} <= ends.keys() and ends[-1] < ROUNDS // 10, ends
