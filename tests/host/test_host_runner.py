"""fluid-host: the kernel in a Linux process boots, answers, fails and ends like the machine."""

import ctypes
import errno
import hashlib
import random
import re
import struct
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from engine_driver import recorded, shared, smollm2
from fluid.bootarea import read_area
from fluid.emulator import Ending, MachineConfig
from fluid.errors import FluidError
from fluid.event_types import Boot, Done, Panic, Prompt, Ready, Token
from fluid.machine import Machine, MachineEnded
from fluid.targets import DEFAULT_TARGET
from guests import TinyModel, codes, memory_of, names
from host_machine import BUILDS, SECONDS, Hosts, hosts_of, image_of, program_of
from memory_faults import MEMORY_FAULTS, MemoryFault
from numpy_llama import NumpyLlama
from test_score import (
    EXACT,
    MODELS,
    QUANTISED,
    TEXTS,
    base64_of,
    check_against_oracle,
    complete,
    greedy,
    score,
)
from x86_exceptions import EXCEPTIONS

DIVIDE, DEBUG, _, BREAKPOINT, OVERFLOW, BOUND_RANGE, INVALID_OPCODE = range(7)
PROTECTION, PAGE_FAULT, X87_ERROR, ALIGNMENT, SIMD_ERROR = 13, 14, 16, 17, 19
WRITE, FETCH = 0x2, 0x10  # bits of a page fault's error code (SDM vol. 3A, 4.7)
FLAT_TOKENS = 100_000
FAST = BUILDS[-1] if len(BUILDS) == 1 else (DEFAULT_TARGET, "none")  # for real models


def end(machine: Machine, line: str) -> Ending:
    """What a last line leads to."""
    machine.send_line(line)
    return machine.wait_end(SECONDS)


def test_boot(hosts: Hosts, tiny: TinyModel) -> None:
    """Events, build id and variant are those of the image."""
    image = image_of(hosts.build, tiny())
    host = hosts.boot(image)
    assert names(host.events) == ["boot", "ready", "prompt"]
    boot, ready = host.events[:2]
    assert isinstance(boot, Boot) and isinstance(ready, Ready)
    assert boot.build == read_area(image).manifest.build_id.hex()
    assert boot.target == hosts.build[0]
    assert ready.model == tiny().stem
    assert ready.mem_total == 256 << 20
    assert ready.variant is not None
    assert end(host, "/off") is Ending.PASS
    assert names(host.events)[-1] == "bye"


@pytest.mark.parametrize(("quant", "tokenizer", "options"), MODELS, ids=str)
def test_scores_equal_the_oracle(
    hosts: Hosts, tiny: TinyModel, quant: str, tokenizer: str, options: dict[str, Any]
) -> None:
    model = tiny(quant, tokenizer, **options)
    host, oracle = hosts.model(model), NumpyLlama(model)
    for text in TEXTS:
        found = score(host, base64_of(text))
        tolerance = QUANTISED if quant.startswith("Q") else EXACT
        check_against_oracle(found, oracle.logits(found.ids), tolerance)


def test_completions_equal_the_oracle(hosts: Hosts, tiny: TinyModel) -> None:
    host, oracle = hosts.model(tiny()), NumpyLlama(tiny())
    prompt = score(host, TEXTS[0]).ids
    tokens, done = complete(host, 24, TEXTS[0])
    expected, margin = greedy(oracle, prompt, len(tokens))
    assert margin > 2 * EXACT, "this prompt decides nothing"
    assert [token.id for token in tokens] == expected
    assert done.gen_tps > 0


def test_stories_equal_the_recorded_tokens(hosts: Hosts) -> None:
    host = hosts.model(shared("models/stories260K.gguf"))
    for run in recorded("stories260K_greedy.json")["runs"]:
        assert score(host, base64_of(run["text"])).ids == run["ids"]
        tokens, _ = complete(host, run["n_predict"], base64_of(run["text"]))
        assert [token.id for token in tokens] == run["gen_ids"], run["name"]


def test_chat_and_ctrl_c(hosts: Hosts, tiny: TinyModel) -> None:
    """A reply is stopped by a byte that overtakes what was typed before, which is not lost."""
    host = hosts.model(tiny("Q8_0", "bpe", dim=128, ffn=384, layers=4, ctx=2048))
    host.command("/set max_tokens 4", SECONDS)
    assert names(host.command("hello", SECONDS))[-1] == "done"
    host.send_line("/complete 100000 once upon a time")
    host.wait_for(Token, SECONDS)
    host.send(b"/nonsense\r\x03")
    done = host.wait_for(Prompt, SECONDS)[-2]
    assert isinstance(done, Done) and done.reason in ("cancel", "context", "eog")
    assert codes(host.wait_for(Prompt, SECONDS)) == ["E-CON-02"]


def test_selftests(hosts: Hosts) -> None:
    """The machine's own invariants, .bss to page protection, hold for the process."""
    host = hosts.model(None)
    assert codes(host.events) == ["E-FAT-18"]
    assert codes(host.command("/selftest", SECONDS)) == []
    assert b"28 of 28 passed" in host.text


@pytest.mark.full
@pytest.mark.parametrize("storm", ["pages-storm", "heap-storm", "pool-storm"])
def test_a_million_requests(hosts: Hosts, storm: str) -> None:
    """/selftest makes 10,000 of each kind, under AddressSanitizer, too."""
    host = hosts.model(None)
    for _ in range(100):
        assert codes(host.command(f"/selftest {storm}", SECONDS)) == []


@pytest.mark.parametrize(
    ("fault", "vector", "error_bits", "function"),
    [
        ("fault-divide", DIVIDE, 0, "divide"),
        ("fault-ud", INVALID_OPCODE, 0, "invalid_opcode"),
        ("fault-page-null", PAGE_FAULT, 0, "null_read"),
        ("fault-stack-overflow", PAGE_FAULT, 0, "descend"),
        ("fault-nx", PAGE_FAULT, FETCH, "selftest_run"),
        ("fault-rodata-write", PAGE_FAULT, WRITE, "rodata_write"),
        ("fault-text-write", PAGE_FAULT, WRITE, "text_write"),
        ("fault-double", PROTECTION, 0, "double_fault"),  # Linux forbids what it would need
        ("fault-gp", PROTECTION, 0, "general_protection"),
        ("fault-db", DEBUG, 0, "debug"),
        ("fault-bp", BREAKPOINT, 0, "breakpoint"),
        ("fault-of", OVERFLOW, 0, "overflow"),
        ("fault-mf", X87_ERROR, 0, "x87_error"),
        ("fault-ac", ALIGNMENT, 0, "alignment_check"),
        ("fault-xm", SIMD_ERROR, 0, "simd_error"),
        ("panic", None, 0, "software_panic"),
    ],
)
def test_faults(
    hosts: Hosts, fault: str, vector: int | None, error_bits: int, function: str
) -> None:
    """Signals become the report and the event that exceptions are on the bare machine."""
    check_fault(hosts, fault, vector, error_bits, function)


@pytest.mark.parametrize("build", [build for build in BUILDS if build[0] == "i686"])
def test_bound_range(build: tuple[str, str]) -> None:
    """BOUND does not exist in 64-bit mode."""
    with hosts_of(build) as hosts:
        check_fault(hosts, "fault-br", BOUND_RANGE, 0, "bound_range")


@pytest.mark.parametrize("build", [build for build in BUILDS if build[1] == "none"])
def test_a_smashed_stack(build: tuple[str, str]) -> None:
    """AddressSanitizer, where it is, sees it before the canary does."""
    with hosts_of(build) as hosts:
        check_fault(hosts, "fault-stack-smash", None, 0, "stack_smash")


@pytest.mark.parametrize("build", [build for build in BUILDS if build[1] == "none"])
@pytest.mark.parametrize("fault", MEMORY_FAULTS, ids=lambda fault: fault.name)
def test_memory_faults(build: tuple[str, str], fault: MemoryFault) -> None:
    """AddressSanitizer, where it is, sees some of them earlier."""
    with hosts_of(build) as hosts:
        check_fault(hosts, fault.name, None, 0, fault.function)


def check_fault(
    hosts: Hosts, fault: str, vector: int | None, error_bits: int, function: str
) -> None:
    """The report in words and the event."""
    host = hosts.model(None)
    assert end(host, f"/selftest {fault}") is Ending.PANIC
    panic = host.events[-1]
    assert isinstance(panic, Panic)
    assert panic.vector == vector
    if vector is not None:
        words = rf"panic: {EXCEPTIONS[vector].label}\b.*, vector {vector}, error code "
        assert re.search(words, host.text.decode())
    assert (panic.error_code or 0) & error_bits == error_bits
    assert (panic.address is not None) == (vector == PAGE_FAULT)
    assert function in " ".join(panic.backtrace)
    assert all(re.fullmatch(r"[\w.:]+\+0x[0-9a-f]+|\?", line) for line in panic.backtrace)


def test_a_fault_in_the_report(hosts: Hosts) -> None:
    host = hosts.model(None)
    assert end(host, "/selftest panic-nested") is Ending.PANIC
    assert b"panic while reporting a panic" in host.text


def test_a_panic_within_an_event(hosts: Hosts) -> None:
    """The half-written event ends where the panic begins."""
    host = hosts.model(None)
    assert end(host, "/selftest panic-event") is Ending.PANIC
    assert isinstance(host.events[-1], Panic)
    assert len(host.malformed) == 1
    host.malformed.clear()


def test_reboot(hosts: Hosts) -> None:
    """As with QEMU: the end, or from the start again."""
    assert end(hosts.model(None), "/reboot") is Ending.RESET
    host = hosts.model(None, reboot=True)
    host.send_line("/reboot")
    host.wait_for(Prompt, SECONDS)
    assert names(host.events).count("boot") == 2


def test_the_end_of_input_switches_off(hosts: Hosts) -> None:
    """From a pipe: the lines are run, then the process ends."""
    command = [program_of(hosts.build), str(image_of(hosts.build, None))]
    done = subprocess.run(command, input=b"/help\n", capture_output=True, timeout=SECONDS)
    assert done.returncode == 33
    assert b"/complete N TEXT" in done.stdout
    assert done.stderr == b""


@pytest.mark.parametrize(
    "arguments",
    [[], ["--mem"], ["--mem", "31"], ["--mem", "1e3"], ["--cpu", "-1"], ["--fast"], ["a", "b"]],
    ids=" ".join,
)
def test_arguments(hosts: Hosts, arguments: list[str]) -> None:
    command = [program_of(hosts.build), *arguments]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS)
    assert done.returncode == 2
    assert b"E-HOST-01" in done.stderr
    assert done.stdout == b""


def test_options_of_emulators_are_refused(hosts: Hosts, tmp_path: Path) -> None:
    host = hosts.model(None)
    with pytest.raises(FluidError, match="E-RUN-12"):
        host.qmp.execute("stop")
    image = image_of(hosts.build, None)
    with pytest.raises(FluidError, match="E-RUN-01"):
        MachineConfig(image=image, target="i686", runner="host", icount="shift=3")
    with (
        pytest.raises(FluidError, match=r"E-RUN-03 .*scons build/"),
        Machine(image, target="i686", runner="host", emulator=str(tmp_path / "none")),
    ):
        pass


def refused(hosts: Hosts, image: Path, **options: Any) -> list[str]:
    """Codes of a process that does not get as far as a prompt."""
    host = hosts.start(image, **options)
    with pytest.raises(MachineEnded) as ended:
        host.wait_for(Prompt, SECONDS)
    assert ended.value.ending is Ending.FAIL
    return codes(host.events)


def test_resources_that_are_not_there(hosts: Hosts, tmp_path: Path) -> None:
    image = image_of(hosts.build, None)
    assert refused(hosts, image, extra=("--cpu", "1023")) == ["E-HOST-06"]
    small = tmp_path / "small.img"
    small.write_bytes(bytes(1023))
    assert refused(hosts, small) == ["E-HOST-02"]
    if (
        hosts.build[0] == "i686" or hosts.build[1] == "address"
    ):  # 32 bits, or below AddressSanitizer's shadow
        assert refused(hosts, image, mem=60000) == ["E-HOST-05"]


def forbid_threads() -> None:
    """seccomp(2) in a child: clone fails as at a limit of the session, which does not bind root."""
    load, equal, give = 0x20, 0x15, 0x06  # linux/bpf_common.h
    clone3, clone, clone32, error = 435, 56, 120, 0x50000  # system calls, SECCOMP_RET_ERRNO
    rows = [
        (load, 0, 0, 0),
        (equal, 3, 0, clone3),
        (equal, 1, 0, clone),
        (equal, 0, 2, clone32),
        (give, 0, 0, error | errno.EAGAIN),
        (give, 0, 0, error | errno.ENOSYS),
        (give, 0, 0, 0x7FFF0000),  # SECCOMP_RET_ALLOW
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("<HBBI", *row) for row in rows))
    program = ctypes.create_string_buffer(struct.pack("@HP", len(rows), ctypes.addressof(code)))
    libc = ctypes.CDLL(None)
    assert libc.prctl(38, 1, 0, 0, 0) == 0  # PR_SET_NO_NEW_PRIVS
    assert libc.prctl(22, 2, program, 0, 0) == 0  # PR_SET_SECCOMP, SECCOMP_MODE_FILTER


def test_no_thread_to_start(hosts: Hosts) -> None:
    command = [program_of(hosts.build), str(image_of(hosts.build, None))]
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=SECONDS,
        preexec_fn=forbid_threads,
    )
    assert done.returncode == 35
    assert b"E-HOST-07" in done.stdout


MAGIC, VERSION, CRC, STAGE2, BLOB_COUNT, RESERVED = 512, 520, 524, 544, 564, 1023


@pytest.mark.parametrize("offset", [MAGIC, VERSION, CRC, STAGE2, BLOB_COUNT, RESERVED])
def test_damaged_manifest(hosts: Hosts, tmp_path: Path, offset: int) -> None:
    """No bit of the manifest goes unchecked."""
    data = bytearray(image_of(hosts.build, None).read_bytes())
    data[offset] ^= 0x10
    damaged = tmp_path / "damaged.img"
    damaged.write_bytes(data)
    assert refused(hosts, damaged) == ["E-HOST-03"]


def test_damaged_blobs(hosts: Hosts, tmp_path: Path) -> None:
    """Kernel: refused. A module: its next variant, or an engine that is missing."""
    image = image_of(hosts.build, None)
    blobs = read_area(image).manifest.blobs
    damaged = tmp_path / "damaged.img"
    for blob, offset in ((blobs[0], 0), (blobs[0], blobs[0].size - 1)):
        data = bytearray(image.read_bytes())
        data[blob.lba * 512 + offset] ^= 0x10
        damaged.write_bytes(data)
        assert refused(hosts, damaged) == ["E-HOST-04"]
    data = bytearray(image.read_bytes())
    data[blobs[2].lba * 512] ^= 0x10
    damaged.write_bytes(data)
    assert codes(hosts.boot(damaged).events) == ["E-MOD-12", "E-MOD-13"]


def test_kill_at_any_moment(hosts: Hosts, tiny: TinyModel) -> None:
    """SIGKILL leaves the image as it was, and the next start works."""
    image = image_of(hosts.build, tiny())
    before = hashlib.sha256(image.read_bytes()).digest()
    moments = random.Random(7)
    for _ in range(10):
        host = hosts.start(image)
        host.send_line("/complete 200 once upon a time")
        time.sleep(moments.random() / 5)
        host.kill()
        assert host.ending is Ending.KILLED
    assert hashlib.sha256(image.read_bytes()).digest() == before
    assert complete(hosts.boot(image), 3, "once")[0]


def check_flat(host: Machine, count: int) -> None:
    """Generates so many tokens; memory is then as it was after the first reply."""
    complete(host, 100, "a")
    (before, _), made = memory_of(host), 0
    while made < count:
        made += len(complete(host, 200, f"once upon a time {made}")[0])
    assert memory_of(host)[0] == before


def test_a_token_takes_no_memory(hosts: Hosts, tiny: TinyModel) -> None:
    """A reply of two hundred tokens, drafts and all, takes as many blocks as one of ten."""
    host = hosts.model(tiny("Q8_0"))
    blocks = []
    for count in (10, 200, 10):
        before = memory_of(host)[1]
        assert len(complete(host, count, "once upon a time")[0]) == count
        blocks.append(memory_of(host)[1] - before)
    assert blocks[0] == blocks[1] == blocks[2]


def test_memory_stays_flat(hosts: Hosts, tiny: TinyModel) -> None:
    check_flat(hosts.model(tiny("Q8_0")), 1000)


@pytest.mark.full
def test_memory_stays_flat_for_long(tiny: TinyModel) -> None:
    with hosts_of(FAST) as hosts:
        check_flat(hosts.model(tiny("Q8_0"), life=7200.0), FLAT_TOKENS)


def test_smollm2_knows_the_largest_ocean() -> None:
    with hosts_of(FAST) as hosts:
        host = hosts.model(smollm2(), mem=512)
        events = host.command("Name the largest ocean on Earth.", 600)
    tokens = [event for event in events if isinstance(event, Token)]
    assert "Pacific" in b"".join(token.piece for token in tokens).decode()
    assert isinstance(events[-1], Done) and events[-1].reason == "eog"
