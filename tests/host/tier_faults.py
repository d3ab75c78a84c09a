"""A compiler in the place of JIT.ELF that answers what a test wants (fake_compiler.c), and code
that it answers with: of the tensor operations, made to go wrong in some way."""

from __future__ import annotations

import enum
import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fluid import modfile
from fluid.jitlayout import RESPONSE, RESPONSE_MAGIC, VERSION_MAJOR, VERSION_MINOR
from fluid.modlayout import Module
from fluid.modread import read_mod
from host_features import features
from hostcc import ROOT, build
from module_build import make_mod
from tier_images import TARGET, source_of

ROW = struct.Struct("<32sIIII")
FOOTER = struct.Struct("<III")
FOOTER_MAGIC = 0x454B4146  # "FAKE"
STATIC = ["-static", "-Wl,--build-id=sha1", "-D_GNU_SOURCE"]


class Action(enum.IntEnum):
    """What fake_compiler.c does."""

    ANSWER = 0
    CRASH = 1
    STATUS = 2
    LOOP = 3
    EAT = 4
    SLEEP = 5
    FLOOD = 6


@dataclass(frozen=True)
class Row:
    """For an entry point, "": a whole module, at a level, 0: any. answer: of ANSWER, all of it."""

    entry: str
    action: Action = Action.ANSWER
    answer: bytes = b""
    level: int = 0


def fake_compiler(folder: Path, rows: Sequence[Row], name: str = "fake") -> Path:
    """JIT.ELF that does this; what it does not know it gives up."""
    program = build(
        "fake_compiler", [ROOT / "tests/host/fake_compiler.c"], flags=STATIC, sanitize=False
    )
    data = bytearray(program.read_bytes())
    table = b""
    for row in rows:
        table += ROW.pack(row.entry.encode(), row.level, row.action, len(data), len(row.answer))
        data += row.answer
    data += table + FOOTER.pack(FOOTER_MAGIC, len(rows), len(data))
    out = folder / f"{name}.elf"
    out.write_bytes(data)
    return out


def response(mod: bytes, status: int = 0, text: str = "") -> bytes:
    """What jit.elf would answer."""
    said = text.encode()
    head = (RESPONSE_MAGIC, VERSION_MAJOR, VERSION_MINOR, RESPONSE.size)
    size = RESPONSE.size + len(said) + len(mod)
    parts = (len(said), RESPONSE.size, len(mod), RESPONSE.size + len(said))
    return RESPONSE.pack(*head, size, status, 0, 1, 2, 3, *parts) + said + mod


def compiled(folder: Path, name: str, entry: str, damage: str = "") -> Module:
    """The module `name` at -O2 from its source with nothing but `entry` exported, in which that is
    called `sound`, and `entry` is what `damage` says in C: of the arguments and `calls`, so many
    before this one."""
    code = folder / f"{name}.{entry}.c"
    include = f'#include "{source_of(name)}"'
    code.write_text(f"#define {entry} sound\n{include}\n#undef {entry}\n{damage}\n")
    out = folder / f"{name}.{entry}.mod"
    flags = [*(f"-m{feature}" for feature in features(TARGET)), "-ffp-contract=off"]
    flags += [f"-I{ROOT / 'src/modules/tensor'}"]
    make_mod(out, [code], flags=flags, name=name, target="O1", features=features(TARGET))
    made = read_mod(out)
    return replace(made, exports=[e for e in made.exports if e.name == entry])


# The operations `add` and `matmul_q8_0` and the benchmark `sum`, and what is to happen in them.
COUNTED = """
    static uint32_t calls;
    uint32_t before = __atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED);
    (void)before;
"""
ADD = """
FLUID_EXPORT add_fn add;
void add(float *x, const float *y, uint64_t count) {{
    {counted} {first}
    sound(x, y, count);
    {then}
}}
"""
MATMUL = """
FLUID_EXPORT matmul_fn matmul_q8_0;
void matmul_q8_0(float *out, uint32_t out_stride, const void *w, const void *x, uint32_t rows,
                 uint32_t cols, uint32_t n, uint32_t ahead) {{
    {counted} {first}
    sound(out, out_stride, w, x, rows, cols, n, ahead);
    {then}
}}
"""
BENCH = """
FLUID_EXPORT bench_call_fn bench_sum_call;
uint32_t bench_sum_call(const struct fluid_bench *bench) {{
    {counted} {first}
    return sound(bench) + ({wrong});
}}
"""
FAULT = "__builtin_trap();"
PAGE = "*(volatile int *)16 = 1;"
NEVER = '{ for (;;) __asm__ volatile("pause"); }'


def bad_add(folder: Path, first: str = "", then: str = "") -> bytes:
    """A .mod whose `add` does this besides."""
    code = ADD.format(counted=COUNTED, first=first, then=then)
    return modfile.pack(compiled(folder, "tensor_act", "add", code))


def bad_matmul(folder: Path, first: str = "", then: str = "") -> bytes:
    """The same with `matmul_q8_0`."""
    code = MATMUL.format(counted=COUNTED, first=first, then=then)
    return modfile.pack(compiled(folder, "tensor_q8_0", "matmul_q8_0", code))


def bad_sum(folder: Path, first: str = "", wrong: str = "0") -> bytes:
    """The same with the benchmark, whose checksum is that much too large."""
    code = BENCH.format(counted=COUNTED, first=first, wrong=wrong)
    return modfile.pack(compiled(folder, "sum", "bench_sum_call", code))
