"""The compiler as a child of fluid-host: whatever it does, there is an answer or an error, and no
process is left (src/kernel/arch/hosted/compiler_process.c)."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from hostcc import FAIL, ROOT, build
from tier_faults import Action, Row, fake_compiler

KERNEL = ROOT / "src/kernel"
SOURCES = [
    *(ROOT / "tests/host/compiler_host.c", FAIL, KERNEL / "arch/hosted/compiler_process.c"),
    *(KERNEL / f"jit/{name}.c" for name in ("compiler", "compiler_file", "elf_note")),
]


def asked(program: Path) -> list[str]:
    """What was said of it."""
    host = build("compiler_host", SOURCES, flags=["-D_GNU_SOURCE"])
    done = subprocess.run([host, program], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("action", "said"),
    [
        (Action.CRASH, "E-JIT-30 an answer of jit.elf expected, found its end (signal 11)"),
        (Action.STATUS, "E-JIT-30 an answer of jit.elf expected, found its end (exit status 3)"),
        (Action.EAT, "E-JIT-30 an answer of jit.elf expected, found its end (signal 6)"),
        (Action.LOOP, "E-JIT-30 an answer of jit.elf expected, found none within 90 seconds"),
        (Action.SLEEP, "E-JIT-30 an answer of jit.elf expected, found none within 90 seconds"),
        (Action.FLOOD, "E-JIT-30 an answer of jit.elf expected, found more than there is memory"),
    ],
    ids=lambda value: value.name.lower() if isinstance(value, Action) else "",
)
def test_one_that_does_not_answer(tmp_path: Path, action: Action, said: str) -> None:
    error, rest = asked(fake_compiler(tmp_path, [Row("add", action)]))
    assert error.startswith(said)
    assert rest.startswith("no child") and (action is Action.FLOOD or rest.endswith("yes"))


@pytest.mark.parametrize("size", [0, 1, 3_000_000], ids=str)
def test_any_answer(tmp_path: Path, size: int) -> None:
    first, rest = asked(fake_compiler(tmp_path, [Row("add", answer=b"x" * size)]))
    assert first == f"{size} bytes: {'x' * size}" and rest.startswith("no child")


def test_one_that_reads_nothing(tmp_path: Path) -> None:
    """Its end says why, not what it has left in the pipe."""
    source, program = tmp_path / "deaf.c", tmp_path / "deaf"
    source.write_text("int main(void) { return 5; }\n")
    subprocess.run(
        ["clang-19", "-static", "-Wl,--build-id=sha1", str(source), "-o", str(program)], check=True
    )
    assert asked(program)[0].startswith(
        "E-JIT-30 an answer of jit.elf expected, found its end (exit status 5)"
    )


def test_what_is_no_program(tmp_path: Path) -> None:
    """Nobody compiles, or nothing can be started: that is the machine's fault, E-JIT-33."""
    none = tmp_path / "none"
    none.write_bytes(b"no program")
    assert asked(none)[0].startswith("no compiler: E-JIT-34")
    assert asked(tmp_path / "absent") == ["no compiler:  "]
    other = tmp_path / "other"
    data = bytearray(fake_compiler(tmp_path, []).read_bytes())
    data[18] = 40  # e_machine: ARM
    other.write_bytes(data)
    assert asked(other)[0].startswith("E-JIT-33 a process for jit.elf expected, found: ")
