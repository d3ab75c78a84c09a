"""The benchmarks on the machine: their results, and that they do the work that they say."""

import pytest

from bench_oracles import CATALOGUE
from fluid.event_types import Bench
from fluid.machine import Machine
from fluid.training import ICOUNT, TICKS
from guests import Machines, benchmark, said
from qemu_images import image_of


def run(guest: Machine, name: str, size: int, calls: int) -> Bench:
    end = benchmark(guest, f"/bench {name} {size} {calls}")
    assert isinstance(end, Bench), end
    return end


def check_all(guest: Machine, target: str) -> None:
    """Each benchmark at its default size; the oracles calculate the checksums by other means."""
    for name, expected in CATALOGUE.items():
        end = run(guest, name, 0, 2)
        assert (end.name, end.size, end.calls) == (name, expected.default, 2)
        assert end.tag == f"{name}_{target}"
        assert end.checksum == expected.checksum(end.size)
        assert end.units > 0 and end.unit
        # TCG tells of no counters, Bochs of some that it refuses to read: no zeros come of either.
        assert {"branch_misses", "cache_misses", "tlb_misses"} <= dict(end.counters).keys()
        assert {count for _, count in end.counters} == {None}


def test_every_benchmark(machines: Machines, target: str) -> None:
    """test_targets.py does the same on the CPUs of every target."""
    guest = machines.boot(target, image_of(target, None), mem=256)
    assert f"\n{len(CATALOGUE)} benchmarks; " in said(guest, "/bench")
    check_all(guest, target)


@pytest.mark.parametrize(("name", "least"), [("fibonacci", 2), ("sum", 1 / 8)])
def test_work_grows_with_the_size(machines: Machines, target: str, name: str, least: float) -> None:
    """No closed form, no constant: instructions in proportion, `least` of them for each unit."""
    guest = machines.boot(target, image_of(target, None), mem=256, icount=ICOUNT)
    _, small, large = CATALOGUE[name].sizes
    few, many = run(guest, name, small, 9), run(guest, name, large, 3)
    assert abs(many.median / few.median / (large / small) - 1) < 0.1
    assert few.min > least * small * TICKS and many.min > least * large * TICKS


@pytest.mark.parametrize("tile", [8, 16, 32, 64])
def test_tiles(machines: Machines, target: str, tile: int) -> None:
    """Each has an event of its own: one multiplication with this tile."""
    guest = machines.shared(target, image_of(target, None))
    end = run(guest, "gemm_tile", 128000 + tile, 1)
    assert end.size == 128000 + tile
