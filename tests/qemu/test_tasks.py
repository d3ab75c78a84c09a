"""Tasks on the machine: shares of the processor, the console meanwhile, and faults of one of them.

With -icount the machine's time is counted in instructions: shares are the same on any host.
"""

import re
from pathlib import Path

import pytest

from faulty_modules import CODE, faulty
from fluid.emulator import Ending
from fluid.event_types import Bench, Done, Error, Prompt, Token
from fluid.machine import Machine
from fluid.registry import Registry, pack, unpack
from guests import Machines, TinyModel, codes, names, said
from module_build import make_mod
from qemu_images import image_of
from test_errors import artifact_registry, with_registry

ICOUNT = "shift=3"  # 8 ns for each instruction
ENDLESS = "/bench regex_dfa 1048576 1000000"
SHARE = 0.1  # how far a share may be off
CHECKSUMS = {4096: 0xFD607B5D, 65536: 0x5EBB0FF3, 1048576: 0x8E2ED3FF}
WRONG = """
#include "fluid/bench.h"
#include "fluid/module.h"
FLUID_EXPORT bench_open_fn bench_wrong_open;
FLUID_EXPORT bench_call_fn bench_wrong_call;
FLUID_EXPORT bench_close_fn bench_wrong_close;
int bench_wrong_open(struct fluid_bench *b, uint64_t size, struct fluid_error *err) {
    *b = (struct fluid_bench){.size = 0, .unit = "nothing", .checksum = 1};
    return size == 0 ? 0 : fluid_fail(err, "E-BENCH-04", "less expected");
}
uint32_t bench_wrong_call(const struct fluid_bench *b) { return b->checksum + 1; }
void bench_wrong_close(struct fluid_bench *b) { (void)b; }
"""


Row = tuple[str, str, int, float, int]  # name, state, priority, share, bytes of stack; 0 for "-"


def rows(text: str) -> list[Row]:
    """What /tasks prints, shares since the one before, in percent; idle at the end."""
    found = re.findall(r"^ +(\S+) +(\S+) +(\d+|-) +([\d.]+) %  (\d+|-)", text, re.MULTILINE)
    return [
        (name, state, int(priority.strip("-") or 0), float(share), int(stack.strip("-") or 0))
        for name, state, priority, share, stack in found
    ]


def tasks(guest: Machine) -> list[Row]:
    """All but the one that makes code better, which only sleeps and looks here."""
    found = rows(said(guest, "/tasks"))
    assert ("jit", 1) in [(row[0], row[2]) for row in found]
    return others(found)


def others(found: list[Row]) -> list[Row]:
    return [row for row in found if row[0] != "jit"]


def test_tasks_lists_who_runs(machines: Machines, target: str) -> None:
    guest = machines.boot(target, image_of(target, None), mem=256)
    [console, idle] = tasks(guest)
    assert console[:3] == ("console", "running", 4) and 1000 < console[4] < 32768
    assert idle[0] == "idle"
    assert 99 <= console[3] + idle[3] <= 100.1
    assert codes(guest.command(ENDLESS)) == []
    [console, bench, idle] = tasks(guest)
    assert bench[:3] == ("regex_dfa", "ready", 1) and bench[4] < 32768
    assert codes(guest.command("/bench stop")) == []
    while [row[0] for row in tasks(guest)] != ["console", "idle"]:  # at its next poll
        assert codes(guest.command("/selftest task-sleep")) == []
    assert codes(guest.command("/selftest")) == []


def test_equal_tasks_get_equal_shares(machines: Machines, target: str) -> None:
    guest = machines.boot(target, image_of(target, None), mem=256, icount=ICOUNT)
    for _ in range(2):
        guest.command(ENDLESS)
    guest.command("/tasks")
    for _ in range(30):  # the machine's own time passes: the console sleeps in between
        assert codes(guest.command("/selftest task-sleep")) == []
    _, first, second, idle = tasks(guest)
    assert first[3] > 30 and idle[3] < 1
    assert abs(first[3] - second[3]) <= SHARE * first[3]


def test_a_reply_and_a_benchmark_share(machines: Machines, target: str, tiny: TinyModel) -> None:
    """Priorities 4 and 1: four fifths and one; and the same text as alone."""
    guest = machines.boot(target, image_of(target, tiny()), mem=256, icount=ICOUNT)
    alone = [e.piece for e in guest.command("/complete 1000 once") if isinstance(e, Token)]
    guest.command(ENDLESS)
    start = len(guest.text)
    replies = 5
    # As one paste: the machine never waits for us.
    guest.send(b"/tasks\r" + replies * b"/complete 1000 once\r" + b"/tasks\r")
    events = [event for _ in range(replies + 2) for event in guest.wait_for(Prompt, 240)]
    both = [e.piece for e in events if isinstance(e, Token)]
    guest.wait_text(b" idle ", 20, guest.text.rindex(b"generated, "))
    console, bench, _ = others(rows(guest.text[start:].decode().replace("\r", "")))[3:]
    assert both == replies * alone and len(alone) > 100
    assert abs(bench[3] - 20) <= SHARE * 20 and abs(console[3] - 80) <= SHARE * 80


@pytest.mark.parametrize("size", CHECKSUMS)
def test_a_benchmark_in_the_background(machines: Machines, target: str, size: int) -> None:
    guest = machines.boot(target, image_of(target, None), mem=256)
    assert names(guest.command(f"/bench regex_dfa {size} 3")) in ([], ["bench"])
    done = [e for e in guest.events if isinstance(e, Bench)]
    [bench] = done or guest.wait_for(Bench, 120)
    assert isinstance(bench, Bench)
    assert (bench.name, bench.size, bench.calls) == ("regex_dfa", size, 3)
    assert bench.size == size
    assert bench.tag == f"regex_dfa_{target}" and bench.checksum == CHECKSUMS[size]
    assert 0 < bench.min <= bench.median <= bench.max
    guest.wait_text(b"bench regex_dfa %d: 3 calls of %d characters" % (size, size), 20)


def test_a_line_that_is_typed_meanwhile(machines: Machines, target: str) -> None:
    """What a task says does not spoil it, and it is shown again."""
    guest = machines.boot(target, image_of(target, None), mem=256)
    guest.command("/bench regex_dfa 1048576 20")
    guest.send(b"/nonsense")
    guest.wait_text(b"/nonsense", 20)
    guest.wait_for(Bench, 120)
    said_by_task = b"bench regex_dfa 1048576: 20 calls of"
    guest.wait_text(said_by_task, 20)
    guest.wait_text(b"/nonsense", 20, guest.text.index(said_by_task))
    guest.send(b"\r")
    assert codes(guest.wait_for(Prompt, 60)) == ["E-CON-02"]


def test_ctrl_c_stops_the_reply_and_not_the_benchmark(
    machines: Machines, target: str, tiny: TinyModel
) -> None:
    guest = machines.boot(target, image_of(target, tiny()), mem=256)
    guest.command(ENDLESS)
    guest.send_line("/complete 10000 once")
    guest.wait_for(Token, 60)
    guest.send(b"\x03")
    done = guest.wait_for(Done, 60)[-1]
    assert isinstance(done, Done) and done.reason in ("cancel", "context")
    guest.wait_for(Prompt, 60)
    assert "regex_dfa" in [row[0] for row in tasks(guest)]


def with_benchmark(
    target: str, image: Path, folder: Path, *, kind: str | None, entry: str = "call"
) -> Path:
    """The image whose benchmark faults in this entry point, or one with another that is wrong."""
    content = artifact_registry(image)
    if kind is not None:
        content = faulty(content, "regex_dfa", f"bench_regex_dfa_{entry}", CODE[kind])
    else:
        source = folder / "wrong.c"
        source.write_text(WRONG)
        arch = "i686" if target == "i686" else "x86_64"
        mod = make_mod(folder / "wrong.mod", [source], arch=arch, name="wrong", target=target)
        registry: Registry = unpack(content)
        content = pack([*registry.files, mod.read_bytes()])
    return with_registry(image, content, folder)


@pytest.mark.parametrize(("kind", "entry"), [("page", "call"), ("opcode", "open")])
def test_a_fault_costs_the_task(
    machines: Machines, target: str, tiny: TinyModel, tmp_path: Path, kind: str, entry: str
) -> None:
    image = with_benchmark(target, image_of(target, tiny()), tmp_path, kind=kind, entry=entry)
    guest = machines.boot(target, image, mem=256)
    told = 0
    for faults in (1, 2, 3):
        guest.command("/bench regex_dfa")
        while len(codes(guest.events)) < faults:
            guest.read_event(60)
        guest.wait_text(b"error E-MOD-16: ", 20, told)
        told = guest.text.index(b"error E-MOD-16: ", told) + 1
        guest.wait_text(b"\n> ", 20, told)
    assert codes(guest.events) == ["E-MOD-16"] * 3
    assert f"regex_dfa:bench_regex_dfa_{entry}".encode() in guest.text
    assert [row[0] for row in tasks(guest)] == ["console", "idle"]
    assert names(guest.command("hello"))[-1] == "done"
    assert codes(guest.command("/selftest")) == []
    guest.send_line("/off")
    assert guest.wait_end(60) is Ending.PASS


def test_endless_recursion_in_a_task(
    machines: Machines, target: str, tiny: TinyModel, tmp_path: Path
) -> None:
    """It meets its own guard page, and the report says whose; on i686 that is the end."""
    image = with_benchmark(target, image_of(target, None), tmp_path, kind="stack")
    guest = machines.boot(target, image, mem=256)
    guest.send_line("/bench regex_dfa")
    guest.wait_text(b"the stack of task regex_dfa is full", 60)
    if target == "i686":
        assert guest.wait_end(60) is Ending.PANIC
        return
    guest.wait_for(Error, 60)
    assert codes(guest.command("/selftest")) == []


def test_wrong_results_and_requests(machines: Machines, target: str, tmp_path: Path) -> None:
    guest = machines.boot(
        target, with_benchmark(target, image_of(target, None), tmp_path, kind=None), mem=256
    )
    assert "regex_dfa (" in said(guest, "/bench") and "  wrong (" in said(guest, "/bench")
    guest.command("/bench wrong")
    guest.wait_text(b"error E-BENCH-03: benchmark wrong: checksum 1 expected, found 2", 60)
    guest.command("/bench regex_dfa 17")
    guest.wait_text(b"error E-BENCH-02: a size of 4096, 65536 or 1048576 expected", 60)
    guest.command("/bench wrong 5")
    guest.wait_text(b"error E-BENCH-04: ", 60)
    for line in ("/bench regex", "/bench regex_dfa_with_a_name_that_has_no_end_at_all"):
        assert codes(guest.command(line))[-1:] == ["E-BENCH-01"]
    for line in ("x", "4096 0", "4096 1000001", "4096 1 1"):
        assert codes(guest.command(f"/bench regex_dfa {line}"))[-1:] == ["E-CON-03"]
    for _ in range(4):
        assert codes(guest.command(ENDLESS)) == []
    assert codes(guest.command(ENDLESS)) == ["E-BENCH-05"]
    assert said(guest, "/bench").count("running: regex_dfa") == 4
    guest.command("/bench stop")
    assert codes(guest.command("/selftest")) == []
