"""A fault in a module costs the call that was made, not the machine."""

import re
from pathlib import Path

import pytest

from faulty_modules import CODE, faulty
from fluid.emulator import Ending
from fluid.event_types import Done, Error, Panic, Ready
from fluid.machine import Machine
from fluid.registry import pack, unpack
from fluid.targets import TARGETS
from guests import Machines, TinyModel, codes, names
from module_build import make_mod
from qemu_images import image_of
from test_errors import artifact_registry, still_works, warnings, with_registry
from x86_exceptions import EXCEPTIONS

DIVIDE, BREAKPOINT, OPCODE, DOUBLE_FAULT, PAGE_FAULT = 0, 3, 6, 8, 14
KINDS = {
    "divide": DIVIDE,
    "opcode": OPCODE,
    "page": PAGE_FAULT,
    "write-code": PAGE_FAULT,
    "jump": PAGE_FAULT,
    "breakpoint": BREAKPOINT,
    "dirty": OPCODE,
}
COMPLETE, SCORE, CHAT = "/complete 3 once", "/score once", "hello"


def boot(
    machines: Machines, target: str, model: Path, folder: Path, export: str, kind: str, name: str
) -> Machine:
    good = image_of(target, model)
    registry = faulty(artifact_registry(good), name, export, CODE[kind])
    return machines.boot(target, with_registry(good, registry, folder), mem=256)


def check_report(guest: Machine, start: int, vector: int, place: str) -> None:
    """For people: exception, registers and a backtrace that begins in the module."""
    said = bytes(guest.text[start:]).decode(errors="replace")
    label = re.escape(EXCEPTIONS[vector].label)
    assert re.search(rf"module fault: {label} .*, vector {vector}, error code 0x", said), said
    assert re.search(r"\b[er]sp +[0-9a-f]{8}", said)
    trace = said[said.index("backtrace:") :].splitlines()[1:3]
    assert any(f" {place}+0x" in line for line in trace), said  # the first is where it jumped to


def failed(guest: Machine, line: str, vector: int, place: str) -> None:
    """The command ends in one error, and no event before it is wrong."""
    start = len(guest.text)
    events = guest.command(line, 60)
    assert codes(events) == ["E-MOD-16"], (line, events)
    error = events[-1]
    assert isinstance(error, Error)
    assert f" at {place}+0x" in error.text and EXCEPTIONS[vector].label in error.text
    check_report(guest, start, vector, place)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_fault(
    machines: Machines, target: str, tiny: TinyModel, tmp_path: Path, kind: str
) -> None:
    """The conversation goes on behind it, as often as it comes."""
    guest = boot(machines, target, tiny(), tmp_path, "llama_tokenize", kind, "llama")
    for _ in range(3):
        failed(guest, SCORE, KINDS[kind], "llama:llama_tokenize")
    assert names(guest.command(CHAT))[-1] == "done"
    assert codes(guest.command("/selftest")) == []
    guest.send_line("/off")
    assert guest.wait_end(60) is Ending.PASS


@pytest.mark.parametrize(
    ("export", "lines", "fine"),
    [
        ("llama_chat_turn", [CHAT, CHAT], [COMPLETE, SCORE]),
        ("llama_piece", [COMPLETE, CHAT], [SCORE]),
        ("llama_is_eog", [COMPLETE, CHAT], [SCORE]),
        ("llama_rewind", [COMPLETE], ["/cpu"]),
        ("llama_position", [COMPLETE, CHAT, CHAT], [SCORE]),
        ("llama_eval", [COMPLETE, SCORE, CHAT, CHAT], ["/clear"]),
        ("llama_sample", [COMPLETE, CHAT], [SCORE]),
    ],
)
def test_every_call_of_the_engine(
    machines: Machines,
    target: str,
    tiny: TinyModel,
    tmp_path: Path,
    export: str,
    lines: list[str],
    fine: list[str],
) -> None:
    guest = boot(machines, target, tiny(), tmp_path, export, "page", "llama")
    for line in lines:
        failed(guest, line, PAGE_FAULT, f"llama:{export}")
    for line in fine:
        assert codes(guest.command(line)) == []


def test_in_the_middle_of_an_evaluation(
    machines: Machines, target: str, tiny: TinyModel, tmp_path: Path
) -> None:
    """A module below the one that was called, whose frames are left as well."""
    guest = boot(machines, target, tiny(), tmp_path, "rmsnorm", "opcode", "tensor_norm")
    for line in (COMPLETE, SCORE, CHAT):
        failed(guest, line, OPCODE, "tensor_norm:rmsnorm")
    said = bytes(guest.text).decode(errors="replace")
    assert re.search(r"tensor_norm:rmsnorm.*llama:llama_eval", said, re.DOTALL)


def test_while_the_model_is_opened(
    machines: Machines, target: str, tiny: TinyModel, tmp_path: Path
) -> None:
    guest = boot(machines, target, tiny(), tmp_path, "llama_open", "divide", "llama")
    assert codes(guest.events) == ["E-MOD-16"]
    [ready] = [event for event in guest.events if isinstance(event, Ready)]
    assert ready.model is None
    assert codes(guest.command(CHAT)) == ["E-CON-05"]
    assert codes(guest.command("/selftest")) == []


def test_endless_recursion(
    machines: Machines, target: str, tiny: TinyModel, tmp_path: Path
) -> None:
    """In long mode the page fault has a stack of its own, and the call is given up. In protected
    mode it becomes a double fault, another task, which is the end; but a readable one."""
    guest = boot(machines, target, tiny(), tmp_path, "llama_tokenize", "stack", "llama")
    if target != "i686":
        failed(guest, SCORE, PAGE_FAULT, "llama:llama_tokenize")
        done = guest.command(CHAT)[-1]
        assert isinstance(done, Done)
        return
    guest.send_line(SCORE)
    assert guest.wait_end(60) is Ending.PANIC
    panic = guest.events[-1]
    assert isinstance(panic, Panic) and panic.vector == DOUBLE_FAULT
    assert b"the kernel stack is full" in guest.text


MEMCPY = "extern void *memcpy(void *, const void *, unsigned long);\nstatic char to[64];\n"
MEMSET = "extern void *memset(void *, int, unsigned long);\n"
INITIALISERS = {
    "own": ("", "__builtin_trap();", OPCODE),
    "memcpy": (MEMCPY, "memcpy(to, (void *)8, length);", PAGE_FAULT),
    "memset": (MEMSET, "memset((void *)8, 1, length);", PAGE_FAULT),
}


def with_initialiser(target: str, image: Path, folder: Path, declarations: str, body: str) -> Path:
    """The image with one more module, whose initialiser does this."""
    source = folder / "broken.c"
    source.write_text(
        f'#include "fluid/kapi.h"\n#include "fluid/module.h"\n{declarations}'
        "static volatile unsigned long length = 33;\n"
        f"__attribute__((constructor)) static void initialise(void) {{ (void)length; {body} }}\n"
        "FLUID_EXPORT int broken(void) { return 0; }\n"
    )
    t = TARGETS[target]
    mod = make_mod(
        folder / "broken.mod",
        [source],
        arch=t.arch,
        name="broken",
        target=t.lowest,
        flags=["-Wno-incompatible-library-redeclaration"],
    )
    files = unpack(artifact_registry(image)).files
    return with_registry(image, pack([*files, mod.read_bytes()]), folder)


@pytest.mark.parametrize("kind", INITIALISERS)
def test_an_initialiser(
    machines: Machines, target: str, tiny: TinyModel, tmp_path: Path, kind: str
) -> None:
    """The module is left out, and the others work; whether its own code faults or what it calls of
    the C library."""
    declarations, body, vector = INITIALISERS[kind]
    image = with_initialiser(target, image_of(target, tiny()), tmp_path, declarations, body)
    guest = machines.boot(target, image, mem=256)
    assert warnings(guest) == ["E-MOD-16"]
    assert codes(guest.events) == ["E-MOD-11"]
    said = bytes(guest.text).decode(errors="replace")
    place = "broken:initialise" if kind == "own" else kind
    assert f"E-MOD-16: broken ({TARGETS[target].lowest})" in said
    assert re.search(rf"module fault: {EXCEPTIONS[vector].label} .* \S*{place}\S*\+0x", said), said
    still_works(guest)


MALLOC = "extern void *malloc(unsigned long);\nextern void free(void *);\n"
MISUSE = {
    "wild": ("", "fluid_free((void *)(length * 64));", r"fluid_free\(0x840\): already free, or "),
    "kernel": ("", "fluid_free((void *)0x100000);", r"fluid_free\(0x100000\): not the start of a"),
    "own": ("", "fluid_free((void *)&length);", r"fluid_free\(0x\w+\): not the start of a block"),
    "double": (
        "",
        "char *a = fluid_alloc(40, 1); fluid_free(a); fluid_free(a);",
        r"fluid_free\(0x\w+\): already free",
    ),
    "large": (
        "",
        "char *a = fluid_alloc(9000, 1); fluid_free(a); fluid_free(a);",
        r"fluid_free\(0x\w+\): already free",
    ),
    "overflow": (
        MALLOC,
        "char *a = malloc(length); a[length] = 1; free(a);",
        r"free\(0x\w+\): bytes behind it were overwritten",
    ),
    "alignment": ("", "(void)fluid_alloc(40, length);", "fluid_alloc: alignment 33"),
}


@pytest.mark.parametrize("kind", MISUSE)
def test_memory_that_is_not_the_modules(
    machines: Machines, target: str, tiny: TinyModel, tmp_path: Path, kind: str
) -> None:
    """Nothing is freed; the call ends, here that of the initialiser, and the heap is whole."""
    declarations, body, report = MISUSE[kind]
    image = with_initialiser(
        target, image_of(target, tiny()), tmp_path, declarations, f"{body} length = 1;"
    )
    guest = machines.boot(target, image, mem=256)
    assert "E-MEM-05" in warnings(guest)  # behind E-MEM-06 where it had memory
    said = bytes(guest.text).decode(errors="replace")
    assert re.search(rf"module fault: {report}.* at broken:initialise\+0x", said), said
    assert codes(guest.command("/selftest")) == []
    still_works(guest)


def test_what_a_module_does_not_give_back(
    machines: Machines, target: str, tiny: TinyModel, tmp_path: Path
) -> None:
    body = "(void)fluid_alloc(1000, 1); (void)fluid_alloc(24, 1); __builtin_trap();"
    image = with_initialiser(target, image_of(target, tiny()), tmp_path, "", body)
    guest = machines.boot(target, image, mem=256)
    assert warnings(guest) == ["E-MEM-06", "E-MOD-16"]
    assert b"found 1024 bytes in 2 blocks left" in guest.text
    still_works(guest)
