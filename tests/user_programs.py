"""Small programs for ring 3 (tests/qemu/user_*.c), each of which does one thing."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

FOLDER = Path(__file__).with_name("qemu")
SOURCES = {  # of each program
    name: file
    for file in (FOLDER / "user_faults.c", FOLDER / "user_calls.c")
    for name in re.findall(r"^PROGRAM\((\w+)\)", file.read_text(), re.MULTILINE)
}
NAMES = tuple(SOURCES)
FLAGS = (
    *("--target=x86_64-linux-gnu", "-O1", "-fPIE", "-nostdlib", "-ffreestanding"),
    *("-fno-stack-protector", "-fuse-ld=lld", "-ffunction-sections", "-Wl,--gc-sections"),
    "-Wl,--no-dynamic-linker",
    *("-Wall", "-Wextra", "-Wno-unused-function", "-Wno-unused-parameter", "-Wno-unused-variable"),
    "-Wno-unused-const-variable",
)
MOVES = ("-static-pie",)  # position-independent
PLACED = ("-static", "-Wl,--image-base=0x400000000000")


def build(
    name: str, folder: Path, flags: tuple[str, ...] = (), kind: tuple[str, ...] = MOVES
) -> Path:
    """The program of that name; flags go to the compiler, too."""
    program = folder / f"{name}.elf"
    command = [
        "clang-19",
        *FLAGS,
        *kind,
        f"-DPROGRAM_NAME={name}",
        *flags,
        str(SOURCES[name]),
        "-o",
    ]
    subprocess.run([*command, str(program)], check=True, timeout=60)
    return program
