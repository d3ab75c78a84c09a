"""/profile: calls and cycles by function and shape, samples of stacks, and who called.

The checks are those of fluid-host, too (tests/host/test_host_profile.py).
"""

import os
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from fluid import modfile
from fluid.coverage import FOLDER, KERNEL
from fluid.event_types import Bench, Done, Event, Hotness, ProfRaw
from fluid.hotness_types import HotFunction
from fluid.machine import Machine
from guests import Machines, TinyModel, codes, names, said
from qemu_images import image_of
from test_module_disk import NORM, drop, module_of
from test_tasks import ENDLESS, ICOUNT

LAYERS, DIM, KV_DIM, FFN = 2, 64, 32, 192  # of models.make_tiny
COMPLETE = "/complete 5 once upon a time"
RUNS = 12
DROPPED = bytes(range(16))  # sources of a module that was not built here


def measured(machine: Machine) -> Hotness:
    """The export, which agrees with itself."""
    [event] = machine.command("/profile")
    assert isinstance(event, Hotness)
    check_consistent(event)
    return event


def check_consistent(event: Hotness) -> None:
    """Calls are in buckets, each once; numbers are in order; modules are those that are loaded."""
    loaded = {(m.name, m.target, m.source) for m in event.modules}
    for f in event.functions:
        assert sum(calls for _, calls in f.buckets) == f.calls > 0
        starts = [start for start, _ in f.buckets]
        assert starts == sorted(set(starts)) and starts[0] <= f.min
        assert f.min <= f.median <= f.max and f.calls * f.min <= f.cycles <= f.calls * f.max
        assert (f.module, f.target, f.source) in loaded
        assert f.caller == ("llama" if f.module.startswith("tensor_") else "kernel")
    assert sum(stack.count for stack in event.samples.stacks) == event.samples.taken


def one(event: Hotness, name: str, module: str | None = None) -> HotFunction:
    """The only record of this function."""
    [found] = [f for f in event.functions if f.name == name and module in (None, f.module)]
    return found


def operations(event: Hotness) -> dict[tuple[str, int, int], int]:
    """Calls of tensor operations by name, rows and columns."""
    return {
        (f.name, f.rows, f.cols): f.calls for f in event.functions if f.module.startswith("tensor_")
    }


def expected_operations(done: Done, vocabulary: int) -> dict[tuple[str, int, int], int]:
    """What the layers of a tiny Q8_0 model come to: the prompt is one batch, each token behind it
    one with its drafts, but for the last."""
    evals = done.n_gen - done.accepted
    tokens = done.n_prompt + evals - 1 + done.drafted
    each = {
        ("rmsnorm", 0, DIM): 2 * LAYERS + 1,
        ("rope", 0, DIM // 4): 2 * LAYERS,
        ("store_kv", 0, DIM // 4): 2 * LAYERS,
        ("attention", 0, DIM // 4): LAYERS,
        ("add", 0, DIM): 2 * LAYERS,
        ("swiglu", 0, FFN): LAYERS,
        ("quantize_q8", 0, DIM): 3 * LAYERS + 1,
        ("quantize_q8", 0, FFN): LAYERS,
        ("matmul_q8_0", DIM, DIM): 2 * LAYERS,
        ("matmul_q8_0", KV_DIM, DIM): 2 * LAYERS,
        ("matmul_q8_0", FFN, DIM): 2 * LAYERS,
        ("matmul_q8_0", DIM, FFN): LAYERS,
        ("matmul_q8_0", vocabulary, DIM): 1,
    }
    return {("row_q8_0", vocabulary, DIM): tokens} | {k: n * evals for k, n in each.items()}


def done_of(events: list[Event]) -> Done:
    done = events[-1]
    assert isinstance(done, Done) and done.reason == "length"
    return done


def check_calls(machine: Machine) -> Hotness:
    """A completion has called what its layers imply, and nothing is counted from before."""
    machine.command(COMPLETE)
    assert codes(machine.command("/profile reset")) == []
    done = done_of(machine.command(COMPLETE))
    event = measured(machine)
    [vocabulary] = [f.rows for f in event.functions if f.name == "row_q8_0"]
    assert operations(event) == expected_operations(done, vocabulary)
    evaluated = one(event, "llama_eval")
    assert (evaluated.module, evaluated.calls) == ("llama", done.n_gen - done.accepted)
    inner = sum(f.cycles for f in event.functions if f.caller == "llama")
    assert 0 < inner < evaluated.cycles
    return event


def check_reset(machine: Machine) -> None:
    machine.command(COMPLETE)
    assert one(measured(machine), "llama_eval").calls > 0
    assert codes(machine.command("/profile reset")) == []
    assert [f.name for f in measured(machine).functions if f.name != "llama_position"] == []
    for line in ("/profile nonsense", "/profile reset now"):
        assert codes(machine.command(line)) == ["E-CON-03"]


def check_benchmark(machine: Machine) -> None:
    """Its size is its shape, its calls are those of its result, on any number of runs."""
    machine.command("/profile reset")
    results = []
    for size, calls in ((4096, 5), (65536, 3), (4096, 2)):
        events = machine.command(f"/bench regex_dfa {size} {calls}")
        found = [e for e in events if isinstance(e, Bench)]
        results.append((found or machine.wait_for(Bench, 120))[-1])
    by_size: dict[int, list[Bench]] = {}
    for result in results:
        assert isinstance(result, Bench)
        by_size.setdefault(result.size, []).append(result)
    event = measured(machine)
    assert {f.name for f in event.functions} == {"bench_regex_dfa_call"}
    assert {(f.rows, f.cols, f.calls) for f in event.functions} == {(4096, 0, 7), (65536, 0, 3)}
    for f in event.functions:
        assert f.min == min(result.min for result in by_size[f.rows])
        assert f.max == max(result.max for result in by_size[f.rows])


def check_table(machine: Machine) -> None:
    """For people: the functions with the most cycles first, and sums."""
    machine.command("/profile reset")
    machine.command(COMPLETE)
    rows = [line.split() for line in said(machine, "/profile").splitlines()]
    assert rows[0] == ["function", "shape", "calls", "median", "kilocycles", "variant"]
    assert rows[1][0] == "llama_eval"
    kilocycles = [int(row[-2]) for row in rows[1:] if len(row) in (5, 8)]
    assert len(kilocycles) == 20 and kilocycles == sorted(kilocycles, reverse=True)
    [calls] = [int(row[0]) for row in rows if row[1:2] == ["calls,"]]
    assert calls == sum(f.calls for f in machine_export(machine).functions)


def machine_export(machine: Machine) -> Hotness:
    """The last one that it sent."""
    return [event for event in machine.events if isinstance(event, Hotness)][-1]


def stacks_in_order(event: Hotness, *functions: str) -> int:
    """Samples whose stacks have these functions, outermost first."""
    return sum(
        stack.count
        for stack in event.samples.stacks
        if [f for f in stack.functions if f in functions] == list(functions)
    )


@pytest.fixture
def guest(machines: Machines, target: str, tiny: TinyModel) -> Machine:
    """A machine with a tiny Q8_0 model, at its prompt; shared between tests."""
    return machines.shared(target, image_of(target, tiny("Q8_0")))


def test_calls_follow_from_the_layers(guest: Machine) -> None:
    assert check_calls(guest).hz > 10**6


def test_nothing_is_left_behind_a_reset(guest: Machine) -> None:
    check_reset(guest)


def test_the_table(guest: Machine) -> None:
    check_table(guest)


def test_benchmarks(machines: Machines, target: str) -> None:
    check_benchmark(machines.boot(target, image_of(target, None), mem=256))


def test_a_reset_while_a_call_is_measured(machines: Machines, target: str) -> None:
    """The call counts as a whole, and what is exported meanwhile agrees with itself."""
    guest = machines.boot(target, image_of(target, None), mem=256)
    assert codes(guest.command(ENDLESS)) == []
    for _ in range(RUNS):
        assert codes(guest.command("/profile reset")) == []
        guest.command("/selftest task-sleep")
        for f in measured(guest).functions:
            assert (f.name, f.rows) == ("bench_regex_dfa_call", 1 << 20)


def test_stacks(machines: Machines, target: str, tiny: TinyModel) -> None:
    """Where the time went: in the model, which the console had asked."""
    guest = machines.boot(target, image_of(target, tiny("Q8_0")), mem=256, icount=ICOUNT)
    guest.command("/profile reset")
    guest.command("/complete 230 once upon a time")  # nearly all of the context
    event = measured(guest)
    assert (event.samples.hz, event.samples.lost) == (100, 0)
    below = stacks_in_order(event, "console_run", "llama:llama_eval", "llama:forward")
    assert 20 < below <= event.samples.taken
    innermost: Counter[str] = Counter()
    for stack in event.samples.stacks:
        assert 0 < len(stack.functions) <= 16
        innermost[stack.functions[-1].partition(":")[0]] += stack.count
    assert innermost["tensor_q8_0"] > event.samples.taken / 4


def test_waiting_is_idle(machines: Machines, target: str) -> None:
    """Ticks while nobody has anything to do are counted, and are in no stack."""
    guest = machines.boot(target, image_of(target, None), mem=256, icount=ICOUNT)
    guest.command("/profile reset")
    for _ in range(RUNS):
        guest.command("/selftest task-sleep")
    samples = measured(guest).samples
    assert samples.idle >= RUNS and samples.taken < samples.idle
    guest.command("/profile reset")
    assert measured(guest).samples.idle < RUNS


def test_a_module_from_the_disk_has_its_own_records(
    machines: Machines, target: str, tiny: TinyModel, tmp_path: Path
) -> None:
    """Of its own sources, by the same caller; those of the module before stay."""
    image = tmp_path / "fluid.img"
    shutil.copyfile(image_of(target, tiny("Q8_0")), image)
    drop(image, modfile.pack(replace(module_of(image, target, NORM), source=DROPPED)), "norm.mod")
    guest = machines.boot(target, image, mem=256)
    dones = []
    for line in ("/profile reset", f"/unload {NORM}"):
        assert codes(guest.command(line)) == []
        dones.append(done_of(guest.command(COMPLETE)))
    [event] = guest.command("/profile")
    assert isinstance(event, Hotness)
    calls = [(2 * LAYERS + 1) * (done.n_gen - done.accepted) for done in dones]
    records = {f.source: f for f in event.functions if f.module == NORM}
    assert len(records) == 2 and records[DROPPED.hex()].calls == calls[0]
    [built] = [f for source, f in records.items() if source != DROPPED.hex()]
    assert built.calls == calls[1]
    assert [f.caller for f in records.values()] == ["llama", "llama"]
    [loaded] = [m for m in event.modules if m.name == NORM]
    assert loaded.source == built.source
    assert names(guest.command(COMPLETE))[-1] == "done"


def test_counters_of_what_is_instrumented(guest: Machine) -> None:
    """A plain image has none; under `scons coverage` first the kernel, then each module."""
    before = len(guest.events)
    text = said(guest, "/profile counters")
    parts = [event for event in guest.events[before:] if isinstance(event, ProfRaw)]
    assert text == f"{len(parts)} parts with counters\n"
    loaded = [module.name for module in measured(guest).modules]
    expected = [KERNEL, *sorted(loaded)] if FOLDER in os.environ else []
    assert [part.module for part in parts][:1] == expected[:1]
    assert sorted(part.module for part in parts) == sorted(expected)
    assert all(part.target == guest.config.target for part in parts[:1])
