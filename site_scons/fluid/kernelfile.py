"""The kernel as a flat file: kernel.elf as it lies in memory, without .bss.

Owner of struct kernel_header in src/include/fluid/bootinfo.h. E-BOOT-03: stage2 could not load it.
"""

import struct
from dataclasses import dataclass
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

from fluid.errors import FluidError
from fluid.files import StrPath

KERNEL_MAX = 16 << 20
KERNEL_HEADER_MAGIC = 0x4E524B46
KERNEL_HEADER = struct.Struct("<II16s16sQII")
BUILD_ID_OFFSET = 8  # of kernel_header.build_id


@dataclass(frozen=True)
class KernelShape:
    """Where the flat kernel lives: `load` and `entry` are physical addresses."""

    load: int
    entry: int
    file_size: int
    mem_size: int


def kernel_shape(kernel_elf: StrPath) -> KernelShape:
    """From the program headers; raises E-BOOT-03 for what stage2 could not load."""
    try:
        with Path(kernel_elf).open("rb") as file:
            elf = ELFFile(file)
            loads = [p for p in elf.iter_segments() if p["p_type"] == "PT_LOAD" and p["p_memsz"]]
            entry = elf["e_entry"]
    except ELFError as error:
        raise FluidError(
            "E-BOOT-03",
            f"kernel: an ELF file expected, not a readable ELF found ({error}); build again",
        ) from None
    if not loads:
        raise FluidError(
            "E-BOOT-03", "kernel: loadable segments expected, none found; check kernel.ld"
        )
    load = min(p["p_paddr"] for p in loads)
    file_end = max(p["p_paddr"] + p["p_filesz"] for p in loads)
    mem_end = max(p["p_paddr"] + p["p_memsz"] for p in loads)
    shape = KernelShape(load, entry, file_end - load, mem_end - load)
    if shape.file_size > KERNEL_MAX:
        raise FluidError(
            "E-BOOT-03",
            f"kernel: at most {KERNEL_MAX} bytes expected, {shape.file_size} found; shrink it",
        )
    if not load <= entry < file_end or mem_end > 1 << 31 or load < 1 << 20:
        raise FluidError(
            "E-BOOT-03", f"kernel: entry {entry:#x} in {load:#x}..{file_end:#x}, between 1 MiB "
            "and 2 GiB, expected; check kernel.ld"
        )  # fmt: skip
    return shape


def flatten_kernel(kernel_elf: StrPath) -> bytes:
    """The kernel as it lies in memory, without .bss; checks its header."""
    shape = kernel_shape(kernel_elf)
    flat = bytearray(shape.file_size)
    with Path(kernel_elf).open("rb") as file:
        for p in ELFFile(file).iter_segments():
            if p["p_type"] == "PT_LOAD" and p["p_filesz"]:
                at = p["p_paddr"] - shape.load
                flat[at : at + p["p_filesz"]] = p.data()
    magic, size, *_ = KERNEL_HEADER.unpack_from(flat.ljust(KERNEL_HEADER.size, b"\0"))
    if magic != KERNEL_HEADER_MAGIC or size < KERNEL_HEADER.size:
        raise FluidError(
            "E-BOOT-03",
            f"kernel: struct kernel_header expected at its start, magic {magic:#x} found; "
            "check the section .kernel_header in kernel.ld",
        )
    return bytes(flat)
