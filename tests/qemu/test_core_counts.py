"""More than one processor: started, working together with the same results, and faulting."""

import re
from pathlib import Path

import pytest

from fluid.emulator import Ending
from fluid.event_types import Bench, Boot, Error, Panic, Score
from fluid.machine import Machine
from fluid.registry import pack, unpack
from fluid.targets import TARGETS
from guests import Machines, TinyModel, benchmark, codes, names, said
from module_build import make_mod
from qemu_images import image_of
from qemu_models import smollm2
from test_errors import artifact_registry, with_registry

COUNTS = (1, 2, 4)
TARGET = "x86-64-v2"
POLL_US = 50_000  # the longest that Ctrl-C may wait, of the machine's own time
TEXT = "The quick brown fox jumps over the lazy dog, which does not care about foxes at all."

LOOPS = 1000  # without work, in one call of the benchmark below

# A benchmark that uses all cores: every piece waits until each core has one, so that none is left
# out. On cores beside the first one it does what its size says; 110: nothing, LOOPS times.
MODULE = """
#include "fluid/bench.h"
#include "fluid/module.h"
FLUID_EXPORT bench_open_fn bench_cores_open;
FLUID_EXPORT bench_call_fn bench_cores_call;
FLUID_EXPORT bench_close_fn bench_cores_close;
struct state { uint64_t size; uint32_t arrived, sum; };
static int descend(volatile int depth) {
    return depth == 0 ? 0 : descend(depth + 1) + depth; /* until the stack is full */
}
static void nothing(void *context, uint32_t index, uint32_t core) {
    (void)context, (void)index, (void)core;
}
static void piece(void *context, uint32_t index, uint32_t core) {
    struct state *s = context;
    __atomic_fetch_add(&s->arrived, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&s->arrived, __ATOMIC_SEQ_CST) < fluid_core_count())
        __asm__ volatile("pause");
    if (core != 0 && s->size == 101)
        *(volatile char *)(uintptr_t)index = 1; /* page 0 is absent */
    if (core != 0 && s->size == 102)
        fluid_free(fluid_alloc(16, 16)); /* not allowed here */
    if (core != 0 && s->size == 103)
        *(volatile char *)fluid_core_count = 1; /* code of the kernel */
    if (core == 0 && s->size == 104)
        __builtin_trap(); /* the other cores go on meanwhile */
    if (core != 0 && s->size == 105)
        __asm__ volatile("divb %b0" : : "r"(0) : "eax");
    if (core != 0 && s->size == 106)
        descend(1);
    __atomic_fetch_add(&s->sum, index + 1, __ATOMIC_RELAXED);
}
static void trap(void *context, uint32_t index, uint32_t core) {
    (void)context, (void)core;
    if (index == 70000)
        __builtin_trap();
}
int bench_cores_open(struct fluid_bench *b, uint64_t size, struct fluid_error *err) {
    uint32_t n = fluid_core_count();
    (void)err;
    *b = (struct fluid_bench){size, size == 110 ? LOOPS : size, "loops", n * (n + 1) / 2, 0};
    return 0;
}
uint32_t bench_cores_call(const struct fluid_bench *b) {
    struct state s = {b->size, 0, 0};
    for (uint32_t i = 0; b->size == 110 && i < LOOPS; i++)
        fluid_parallel_for(fluid_core_count(), nothing, 0);
    if (b->size == 107)
        fluid_parallel_for(200000, trap, 0); /* more than are given out at a time */
    fluid_parallel_for(fluid_core_count(), piece, &s);
    return s.sum;
}
void bench_cores_close(struct fluid_bench *b) { (void)b; }
"""


@pytest.mark.parametrize("count", COUNTS)
def test_every_core_works(machines: Machines, target: str, count: int) -> None:
    """On i686 the first one is all there is."""
    guest = machines.boot(target, image_of(target, None), mem=256, smp=count)
    used = 1 if target == "i686" else count
    boot = guest.events[0]
    assert isinstance(boot, Boot) and boot.cores == used
    assert f"cores in use: {used}\n" in said(guest, "/cpu")
    assert codes(guest.command("/selftest", 300)) == [], guest.text[-3000:].decode()
    for name in ("parallel", "parallel-long", "parallel-late", "cores", "cores-flush"):
        assert f"selftest {name} ".encode() in guest.text
    guest.send_line("/off")
    assert guest.wait_end(60) is Ending.PASS


@pytest.mark.full
@pytest.mark.parametrize("count", COUNTS)
def test_parallel_loops_race(machines: Machines, target: str, count: int) -> None:
    """10^5 loops, one right behind the other (10^3 are in every self-test)."""
    guest = machines.boot(target, image_of(target, None), mem=256, smp=count)
    assert codes(guest.command("/selftest parallel-race", 1200)) == []


def scores(guest: Machine) -> tuple[Score, str]:
    """What is told of the logits, and a digest of the bits of all of them."""
    [score] = guest.command(f"/score {TEXT}", 600)
    assert isinstance(score, Score) and len(score.ids) > 10
    digest = re.search(r"digest of all logits ([0-9a-f]{8})\r?\n", guest.text.decode())
    assert digest
    return score, digest[1]


@pytest.mark.parametrize("quant", ["F32", "Q8_0"])
def test_logits_of_a_tiny_model(
    machines: Machines, target: str, tiny: TinyModel, quant: str
) -> None:
    """Every logit is the same, bit for bit, whoever computed it."""
    image = image_of(target, tiny(quant))
    alone, *others = (scores(machines.boot(target, image, mem=512, smp=count)) for count in COUNTS)
    assert others == [alone] * len(others)


@pytest.mark.of_target(TARGET)
def test_logits_of_a_real_model(machines: Machines) -> None:
    """Its matrices are large enough for many pieces."""
    image = image_of(TARGET, smollm2())
    alone, *others = (scores(machines.boot(TARGET, image, mem=512, smp=count)) for count in COUNTS)
    assert others == [alone] * len(others)


@pytest.mark.of_target(TARGET)
@pytest.mark.parametrize("count", [1, 2])
def test_ctrl_c_does_not_wait_long(machines: Machines, count: int) -> None:
    """While a real model reads and writes, in the machine's own time: 8 ns for an instruction."""
    icount = "shift=3" if count == 1 else None
    guest = machines.boot(TARGET, image_of(TARGET, smollm2()), mem=512, smp=count, icount=icount)
    assert names(guest.command(f"/complete 2 {TEXT}", 600))[-1] == "done"
    found = re.search(r"Ctrl-C was looked for every (\d+) us", said(guest, "/tasks"))
    assert found and int(found[1]) > 0
    if count == 1:
        assert int(found[1]) < POLL_US


def with_module(target: str, folder: Path, image: Path) -> Path:
    """The image with the benchmark above."""
    source = folder / "cores.c"
    source.write_text(MODULE)
    flags = [f"-DLOOPS={LOOPS}"]
    arch = TARGETS[target].arch
    mod = make_mod(
        folder / "cores.mod", [source], arch=arch, flags=flags, name="cores", target=target
    )
    files = [mod.read_bytes(), *unpack(artifact_registry(image)).files]  # sorted by name
    return with_registry(image, pack(files), folder)


def faults(guest: Machine, size: int, vector: str, function: str = "piece") -> None:
    """A call that faults, where and how."""
    before = len(codes(guest.events))
    guest.command(f"/bench cores {size} 1")
    while len(codes(guest.events)) == before:
        guest.read_event(60)
    error = next(e for e in reversed(guest.events) if isinstance(e, Error))
    assert (
        error.code == "E-MOD-16" and vector in error.text and f"cores:{function}+0x" in error.text
    )


def every_fault(guest: Machine) -> None:
    """Each kind of fault once; afterwards every core works."""
    faults(guest, 101, "#PF")
    faults(guest, 102, "#UD")
    faults(guest, 103, "#PF")
    faults(guest, 104, "#UD")
    faults(guest, 105, "#DE")
    faults(guest, 106, "#PF", "descend")
    faults(guest, 107, "#UD", "trap")
    assert isinstance(benchmark(guest, "/bench cores 100 5"), Bench)


@pytest.mark.of_target(TARGET)
@pytest.mark.parametrize("count", [2, 4])
def test_a_fault_on_another_core(
    machines: Machines, tiny: TinyModel, tmp_path: Path, count: int
) -> None:
    """It costs the call, and every core works on."""
    image = with_module(TARGET, tmp_path, image_of(TARGET, tiny()))
    guest = machines.boot(TARGET, image, mem=256, smp=count)
    for _ in range(3):
        every_fault(guest)
    assert codes(guest.command("/selftest", 300)) == []
    assert names(guest.command("hello"))[-1] == "done"


@pytest.mark.of_target(TARGET)
def test_a_panic_stops_all_cores(machines: Machines) -> None:
    guest = machines.boot(TARGET, image_of(TARGET, None), mem=256, smp=4)
    guest.send_line("/selftest fault-ud")
    assert guest.wait_end(60) is Ending.PANIC
    assert isinstance(guest.events[-1], Panic)
    assert guest.text.count(b"panic:") == 1
