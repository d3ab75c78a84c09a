"""Which bytes of our files are code, in which mode they run, and how people find them.

Modules and the kernel are compiled, so that their executable sections hold nothing but code; the
boot sectors are assembler, with a few words of data at places that their symbols tell.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile
from iced_x86 import Mnemonic

from fluid.codecheck import I486, Rule, Text, used_features
from fluid.cpufeatures import feature_names
from fluid.files import StrPath
from fluid.kernelfile import KERNEL_HEADER, flatten_kernel
from fluid.modlayout import MACHINE_X86_64, SECTION_EXEC, Section, Symbol

# Interrupted code has its vector registers in use, so kernel code must not touch them; but for
# these files, which are about that.
# /selftest that raises #XM, and the one of what a switch keeps.
VECTOR_FILES = frozenset({"exceptions.c", "test_tasks.c"})
# check=address: -fsanitize=function has this and a hash of its type in front of each function.
TYPE_SIGNATURE = b"\xfe\xca\x05\xc1"
TYPE_PREFIX = 8  # bytes
STAGE2_HEADER = 8  # bytes: a jump over the signature (BOOT_STAGE2_MAGIC)
SHORT_JUMP = 2  # bytes


def _mnemonics(*names: str) -> frozenset[int]:
    return frozenset(getattr(Mnemonic, name) for name in names)


@dataclass(frozen=True)
class _Symbols:
    """Names by address, sorted."""

    addresses: Sequence[int]
    names: Sequence[str]

    def where(self, start: str, address: int) -> str:
        at = bisect.bisect_right(self.addresses, address) - 1
        if at < 0:
            return f"{start} {address:#x}"
        return f"{start} {address:#x} ({self.names[at]}+{address - self.addresses[at]:#x})"


def _pieces(data: bytes, starts: Sequence[int]) -> list[tuple[int, int]]:
    """(start, end) of the code in a section: all but prefixes of the functions at `starts`."""
    found, begin = [], 0
    for start in sorted(set(starts)):
        prefix = start - TYPE_PREFIX
        if prefix >= begin and data[prefix:].startswith(TYPE_SIGNATURE):
            found.append((begin, prefix))
            begin = start
    return [*found, (begin, len(data))]


def module_texts(
    sections: Sequence[Section], symbols: Sequence[Symbol], machine: int
) -> list[Text]:
    """The code of a module; addresses count from the start of the section."""
    bits = 64 if machine == MACHINE_X86_64 else 32
    texts = []
    for number, section in enumerate(sections):
        if not section.flags & SECTION_EXEC:
            continue
        inside = [(s.offset, s.name) for s in symbols if s.section == number]
        names = _Symbols([offset for offset, _ in inside], [name for _, name in inside])

        def where(address: int, names: _Symbols = names, name: str = section.name) -> str:
            return names.where(name, address)

        for start, end in _pieces(section.data, names.addresses):
            texts.append(Text(section.data[start:end], start, bits, where))
    return texts


class _Elf:
    """A linked file with its symbols."""

    def __init__(self, path: StrPath) -> None:
        self.name = Path(path).name
        with Path(path).open("rb") as file:
            elf = ELFFile(file)
            self.bits: int = elf.elfclass
            code = [s for s in elf.iter_sections() if s["sh_flags"] & SH_FLAGS.SHF_EXECINSTR]
            self.sections: list[tuple[int, bytes]] = [(s["sh_addr"], s.data()) for s in code]
            symbols = list(elf.get_section_by_name(".symtab").iter_symbols())
        self.values: dict[str, int] = {s.name: s["st_value"] for s in symbols}
        self.files = self._files(symbols)
        named = sorted((s["st_value"], s.name) for s in symbols if self._is_code(s))
        self.symbols = _Symbols([at for at, _ in named], [name for _, name in named])

    def _is_code(self, symbol: Any) -> bool:
        at = symbol["st_value"]
        inside = any(start <= at < start + len(data) for start, data in self.sections)
        return inside and bool(symbol.name) and symbol["st_info"]["type"] != "STT_SECTION"

    @staticmethod
    def _files(symbols: Sequence[Any]) -> list[tuple[range, str]]:
        """Addresses of each local function and the file that it is from."""
        found, file = [], ""
        for symbol in symbols:
            if symbol["st_info"]["type"] == "STT_FILE":
                file = symbol.name
            elif (
                symbol["st_info"]["type"] == "STT_FUNC" and symbol["st_info"]["bind"] == "STB_LOCAL"
            ):
                start = symbol["st_value"]
                found.append((range(start, start + symbol["st_size"]), file))
        return found

    def where(self, address: int) -> str:
        return self.symbols.where(self.name, address)

    def text(self, start: int, end: int, bits: int) -> Text:
        """The code between two addresses of one section."""
        for base, data in self.sections:
            if base <= start < end <= base + len(data):
                return Text(data[start - base : end - base], start, bits, self.where)
        raise AssertionError(f"{self.name}: {start:#x}..{end:#x} is no code")


def kernel_texts(kernel_elf: StrPath) -> tuple[list[Text], Callable[[int], bool]]:
    """The kernel's code, and which addresses may use vector registers. The entry is 32-bit code."""
    elf = _Elf(kernel_elf)
    split = elf.values["kernel_code32_end"]
    texts = []
    for start, data in elf.sections:
        end = start + len(data)
        if start < split < end:
            texts += [elf.text(start, split, 32), elf.text(split, end, elf.bits)]
        else:
            texts.append(elf.text(start, end, elf.bits))
    designated = [addresses for addresses, file in elf.files if file in VECTOR_FILES]
    return texts, lambda address: any(address in addresses for addresses in designated)


def check_kernel(kernel_elf: StrPath) -> None:
    """Raises E-CPU-23 .. 25 unless the kernel keeps within the features that its header names:
    stage2 looks for these. It sets XCR0 and switches tasks by XSAVE where CPUID has that
    (arch/x86/cpu_state.c, extended.c), takes random numbers where it has RDRAND (arch/x86/random.c)
    and reads the counters that leaf 0xA tells of (arch/x86/pmu.c)."""
    texts, vectors = kernel_texts(kernel_elf)
    _, _, _, target, cpu_bits, *_ = KERNEL_HEADER.unpack_from(flatten_kernel(kernel_elf))
    name = f"the kernel for {target.rstrip(bytes(1)).decode('ascii', 'replace')}"
    features = frozenset(feature_names(cpu_bits))
    guarded = _mnemonics("RDPMC", "RDRAND", "XGETBV", "XSETBV", "XSAVE", "XRSTOR")
    used_features(texts, Rule(name, features, guarded=guarded, vectors=vectors))


def boot_rule(stage: str) -> Rule:
    """The boot sectors run on any processor far enough to say what it lacks."""
    return Rule(
        f"{stage}, which a 486 runs", frozenset(), frozenset(I486), vectors=lambda at: False
    )


def stage1_texts(stage1_elf: StrPath) -> list[Text]:
    """A jump over the place of a BIOS parameter block, and the code up to its data."""
    elf = _Elf(stage1_elf)
    first, start, data = (elf.values[name] for name in ("stage1", "start", "packet"))
    return [elf.text(first, first + SHORT_JUMP, 16), elf.text(start, data, 16)]


def stage2_texts(stage2_elf: StrPath) -> list[Text]:
    """A jump over the signature, 16-bit code, 32-bit code."""
    elf = _Elf(stage2_elf)
    first, split = elf.values["stage2_start"], elf.values["stage2_code16_end"]
    [(start, data)] = elf.sections
    return [
        elf.text(first, first + SHORT_JUMP, 16),
        elf.text(first + STAGE2_HEADER, split, 16),
        elf.text(split, start + len(data), 32),
    ]


def check_stages(stage1_elf: StrPath, stage2_elf: StrPath) -> None:
    """Raises E-CPU-23 .. 25 unless the boot sectors run on every processor."""
    used_features(stage1_texts(stage1_elf), boot_rule("stage1"))
    used_features(stage2_texts(stage2_elf), boot_rule("stage2"))
