"""A module in C++ on the machine: static objects come and go with it, and what C++ makes fatal
costs the call."""

import shutil
from pathlib import Path

import pytest

from fluid.event_types import Error
from fluid.machine import Machine
from fluid.module_push import push
from fluid.targets import TARGETS
from guests import Machines, TinyModel, benchmark, codes, memory_of
from module_build import CXX_RUNTIME, make_mod
from qemu_images import image_of

SOURCE = """
#include <new>
#include "fluid/bench.h"
#include "fluid/module.h"
namespace {
struct Counted {
    Counted() : memory(new char[1000]) {}
    ~Counted() { delete[] memory; }
    char *memory;
};
Counted counted;
class Early {
  public:
    Early() { call(); }
    virtual ~Early() = default;
    virtual int late() = 0;
  private:
    __attribute__((noinline)) void call() { late(); }
};
class Late final : public Early {
  public:
    int late() override { return 1; }
};
}
extern "C" {
FLUID_EXPORT bench_open_fn bench_cxx_open;
FLUID_EXPORT bench_call_fn bench_cxx_call;
FLUID_EXPORT bench_close_fn bench_cxx_close;
}
int bench_cxx_open(struct fluid_bench *bench, uint64_t size, struct fluid_error *) {
    *bench = {size != 0 ? size : 1, 1, "calls", 7, nullptr};
    return 0;
}
uint32_t bench_cxx_call(const struct fluid_bench *bench) {
    if (bench->size == 2)
        Late{};
    if (bench->size == 3)
        return *new uint32_t[1u << 29];
    return counted.memory != nullptr ? 7 : 0;
}
void bench_cxx_close(struct fluid_bench *) {}
"""


@pytest.fixture
def guest(machines: Machines, target: str, tiny: TinyModel, tmp_path: Path) -> Machine:
    """A machine with the module in MODULES."""
    source = tmp_path / "cxx.cpp"
    source.write_text(SOURCE)
    t = TARGETS[target]
    sources = [source, CXX_RUNTIME]
    mod = make_mod(tmp_path / "c.mod", sources, arch=t.arch, name="cxx", target=t.lowest)
    image = tmp_path / "cxx.img"
    shutil.copyfile(image_of(target, tiny()), image)
    push(mod, image)
    return machines.boot(target, image, mem=256)


def run(guest: Machine, line: str) -> str:
    """How a benchmark ends: "ok" or a code."""
    end = benchmark(guest, line)
    return end.code if isinstance(end, Error) else "ok"


def test_what_ends_a_call(guest: Machine) -> None:
    """A pure virtual function is called; there is no memory for plain new."""
    assert run(guest, "/bench cxx 1 5") == "ok"
    for size in (2, 3):
        assert run(guest, f"/bench cxx {size} 1") == "E-MOD-16"
    assert run(guest, "/bench cxx 1 5") == "ok"
    text = bytes(guest.text).decode(errors="replace")
    assert "cxx:__cxa_pure_virtual+" in text
    assert "cxx:_Znaj+" in text or "cxx:_Znam+" in text or "cxx:bench_cxx_call+" in text


def test_static_objects_leave_no_memory_behind(guest: Machine) -> None:
    def used() -> str:
        return memory_of(guest)[0]

    assert codes(guest.command("/unload cxx")) == []
    before = used()
    for _ in range(3):
        assert codes(guest.command("/load cxx")) == []
        assert used() != before
        assert codes(guest.command("/unload cxx")) == []
    assert used() == before


def test_the_benchmark_in_cxx(machines: Machines, target: str, tiny: TinyModel) -> None:
    """physics_step; tests/host/test_physics_step.py knows its checksum."""
    guest = machines.boot(target, image_of(target, tiny()), mem=256)
    assert run(guest, "/bench physics_step 16 2") == "ok"
