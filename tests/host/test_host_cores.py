"""fluid-host on several processors: the same bits, faults and ends, and no time while it idles."""

import re
import resource
import subprocess
from pathlib import Path

import pytest

from fluid.emulator import Ending
from fluid.event_types import Bench, Boot, Done, Panic, Prompt, Token, Warn
from fluid.machine import Machine
from guests import TinyModel, benchmark, codes, names, no_more_events, said
from host_machine import BUILDS, SECONDS, Hosts, hosts_of, image_of, program_of
from qemu_models import smollm2
from test_core_counts import COUNTS, LOOPS, every_fault, scores, with_module
from test_host_runner import FAST

FOR_EVER = 1_000_000_000  # calls of a benchmark
IDLE_NS = 1_000_000  # less than a core that spins takes of half a second, on a busy host, too


def with_benchmark(hosts: Hosts, folder: Path, model: Path | None = None) -> Path:
    """An image with the benchmark `cores`."""
    return with_module(hosts.build[0], folder, image_of(hosts.build, model))


def warned(host: Machine) -> set[str]:
    """Codes of its warnings."""
    return {event.code for event in host.events if isinstance(event, Warn)}


@pytest.mark.parametrize("count", COUNTS)
def test_every_core_works(hosts: Hosts, count: int) -> None:
    host = hosts.model(None, smp=count)
    assert isinstance(host.events[0], Boot) and host.events[0].cores == count
    assert f"cores in use: {count}\n" in said(host, "/cpu")
    assert codes(host.command("/selftest", SECONDS)) == [], host.text[-3000:].decode()


def test_more_cores_than_processors(hosts: Hosts) -> None:
    """The most that there may be share what there is; each takes its part of every loop."""
    host = hosts.model(None, smp=32)
    [warning] = [event for event in host.events if isinstance(event, Warn)]
    assert warning.code == "E-HOST-08"
    assert warning.text.startswith("32 processors expected, one for each core, found ")
    assert codes(host.command("/selftest cores", SECONDS)) == []
    assert codes(host.command("/selftest parallel", SECONDS)) == []


@pytest.mark.parametrize("quant", ["F32", "Q8_0"])
def test_logits(hosts: Hosts, tiny: TinyModel, quant: str) -> None:
    """Every logit is the same, bit for bit, whoever computed it."""
    model = tiny(quant, "bpe", dim=128, ffn=384, layers=4, ctx=2048)
    alone, *others = (scores(hosts.model(model, smp=count)) for count in COUNTS)
    assert others == [alone] * len(others)


def test_logits_and_text_of_a_real_model() -> None:
    found = []
    with hosts_of(FAST) as hosts:
        for count in COUNTS:
            host = hosts.model(smollm2(), mem=512, smp=count)
            tokens = host.command("/complete 16 Once upon a time", 600)
            found.append((scores(host), [t.id for t in tokens if isinstance(t, Token)]))
    assert found[1:] == found[:1] * (len(found) - 1)


def test_ctrl_c_while_all_cores_compute() -> None:
    """In a prompt of many tokens and in the reply; the console goes on."""
    with hosts_of(FAST) as hosts:
        host = hosts.model(smollm2(), mem=512, smp=2)
        host.send_line("/score " + "All work and no play makes Jack a dull boy. " * 80)
        host.send(b"\x03")
        assert codes(host.wait_for(Prompt, SECONDS)) == ["E-CON-07"]
        host.send_line("/complete 100000 Once upon a time")
        host.wait_for(Token, SECONDS)
        host.send(b"\x03")
        done = host.wait_for(Prompt, SECONDS)[-2]
        assert isinstance(done, Done) and done.reason == "cancel"
        assert names(host.command("/complete 3 Once", SECONDS))[-1] == "done"


@pytest.mark.parametrize("count", [2, 4])
def test_a_fault_on_another_core(hosts: Hosts, tiny: TinyModel, tmp_path: Path, count: int) -> None:
    """It costs the call, and every core works on."""
    host = hosts.boot(with_benchmark(hosts, tmp_path, tiny()), smp=count)
    every_fault(host)
    every_fault(host)
    assert codes(host.command("/selftest", SECONDS)) == []
    assert isinstance(host.command("/complete 3 once", SECONDS)[-1], Done)


def processor_ns(host: Machine) -> dict[str, int]:
    """Processor time of each thread (proc(5), /proc/pid/schedstat), by its name."""
    threads = Path(f"/proc/{host._process.pid}/task").iterdir()
    return {
        f"{(thread / 'comm').read_text().strip()} {thread.name}": int(
            (thread / "schedstat").read_text().split()[0]
        )
        for thread in threads
    }


def test_an_idle_prompt_takes_no_processor_time(hosts: Hosts, tmp_path: Path) -> None:
    """Processor time is counted, no clock looked at: cores that have worked are parked."""
    host = hosts.boot(with_benchmark(hosts, tmp_path), smp=2)
    assert isinstance(benchmark(host, "/bench cores 100 5"), Bench)
    assert no_more_events(host)
    before = processor_ns(host)
    assert len([name for name in before if name.startswith("core 1 ")]) == 1
    assert host.quiet(0.5)
    after = processor_ns(host)
    assert after.keys() == before.keys()
    assert sum(after.values()) - sum(before.values()) < IDLE_NS


@pytest.mark.parametrize("ending", ["/off", "/reboot", "/selftest fault-ud"])
@pytest.mark.parametrize("busy", [False, True], ids=["parked", "busy"])
def test_the_end(hosts: Hosts, tmp_path: Path, ending: str, busy: bool) -> None:
    """Whatever the other cores do meanwhile."""
    host = hosts.boot(with_benchmark(hosts, tmp_path), smp=4)
    if busy:
        host.command(f"/bench cores 110 {FOR_EVER}", SECONDS)
    host.send_line(ending)
    found = host.wait_end(SECONDS)
    if ending.startswith("/selftest"):
        assert found is Ending.PANIC and isinstance(host.events[-1], Panic)
        assert host.text.count(b"panic:") == 1
    else:
        assert found is {"/off": Ending.PASS, "/reboot": Ending.RESET}[ending]


def test_a_reboot_finds_the_same_processors(hosts: Hosts) -> None:
    """Though the thread that starts again is pinned to one of them."""
    host = hosts.model(None, smp=2, reboot=True)
    first = len(host.events), warned(host)
    host.send_line("/reboot")
    host.wait_for(Prompt, SECONDS)
    assert [e.cores for e in host.events if isinstance(e, Boot)] == [2, 2]
    again = {event.code for event in host.events[first[0] :] if isinstance(event, Warn)}
    assert again == first[1]
    assert "cores in use: 2\n" in said(host, "/cpu")


@pytest.mark.parametrize("build", [build for build in BUILDS if build[1] == "none"])
def test_threads_that_do_not_start(build: tuple[str, str]) -> None:
    """For want of address space, which sanitizers need all of. Those that have started are used."""
    image, mem, rest = image_of(build, None), 64, 40
    limit = (mem + rest) << 20
    done = subprocess.run(
        [program_of(build), "--mem", str(mem), "--cores", "32", str(image)],
        input=b"/selftest cores\n/cpu\n",
        capture_output=True,
        timeout=SECONDS,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
    )
    assert done.returncode == 33, done.stdout[-3000:]
    said_number = re.search(rb"E-CORE-01: 32 cores .* found at number (\d+): ", done.stdout)
    in_use = re.search(rb"cores in use: (\d+)\r?\n", done.stdout)
    assert said_number and in_use and 1 < int(in_use[1]) == int(said_number[1]) - 1 < 31


@pytest.mark.parametrize("value", ["0", "33", "-1", "two", "1.5", ""])
def test_bad_numbers(hosts: Hosts, value: str) -> None:
    command = [program_of(hosts.build), "--cores", value, str(image_of(hosts.build, None))]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"E-HOST-01 ") and b"1 to 32 cores" in done.stderr


def test_no_number(hosts: Hosts) -> None:
    command = [program_of(hosts.build), "--cores"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS)
    assert done.returncode == 2 and b"found --cores without a number" in done.stderr


def test_what_an_empty_loop_costs(hosts: Hosts, tmp_path: Path) -> None:
    """Printed (pytest -s): time decides nothing here."""
    image = with_benchmark(hosts, tmp_path)
    for count in COUNTS:
        host = hosts.boot(image, smp=count)
        mhz = re.search(r"clock: (\d+) MHz", said(host, "/cpu"))
        result = benchmark(host, "/bench cores 110 21")
        assert mhz and isinstance(result, Bench) and result.units == LOOPS
        cycles = [result.min / LOOPS, result.median / LOOPS, result.max / LOOPS]
        us = ", ".join(f"{c / int(mhz[1]):.2f}" for c in cycles)
        print(f"\n{'-'.join(hosts.build)}, {count} cores: {us} us (least, median, most)")
