"""Reading a relocatable ELF object into the parts that a .mod file keeps.

Kept: every SHF_ALLOC section that the code needs. Dropped: unwind tables and notes. Symbol values
are folded into addends, so that a relocation names a section or an import and nothing else.
References: System V ABI, "Relocation" (gABI, i386 and x86-64 psABI).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elftools.common.exceptions import ELFError
from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile
from elftools.elf.enums import ENUM_RELOC_TYPE_i386 as I386
from elftools.elf.enums import ENUM_RELOC_TYPE_x64 as X64
from elftools.elf.relocation import RelocationSection

from fluid.errors import FluidError
from fluid.files import StrPath
from fluid.modlayout import (
    ALIGN_MAX,
    MACHINE_I386,
    MACHINE_X86_64,
    RELOC_ABS32,
    RELOC_ABS32S,
    RELOC_ABS64,
    RELOC_BYTES,
    RELOC_PC32,
    RELOC_PC64,
    SECTION_EXEC,
    SECTION_FINI,
    SECTION_INIT,
    SECTION_NOBITS,
    SECTION_RUN,
    SECTION_WRITE,
    TARGET_IMPORT,
    TARGET_SECTION,
    Reloc,
    Section,
    Symbol,
)

MACHINES = {"EM_386": MACHINE_I386, "EM_X86_64": MACHINE_X86_64}
RELOC_TYPES: dict[int, dict[str, int]] = {
    MACHINE_X86_64: {
        "R_X86_64_64": RELOC_ABS64,
        "R_X86_64_32": RELOC_ABS32,
        "R_X86_64_32S": RELOC_ABS32S,
        "R_X86_64_PC32": RELOC_PC32,
        "R_X86_64_PLT32": RELOC_PC32,
        "R_X86_64_PC64": RELOC_PC64,
    },
    MACHINE_I386: {
        "R_386_32": RELOC_ABS32,
        "R_386_PC32": RELOC_PC32,
        "R_386_PLT32": RELOC_PC32,
    },
}
RELOC_NAMES: dict[int, dict[int, str]] = {
    MACHINE_X86_64: {number: name for name, number in X64.items() if isinstance(number, int)},
    MACHINE_I386: {number: name for name, number in I386.items() if isinstance(number, int)},
}
DROPPED = (".eh_frame", ".note", ".comment", ".llvm_addrsig", ".stack_sizes")
RUN_TYPES = {"SHT_INIT_ARRAY": SECTION_INIT, "SHT_FINI_ARRAY": SECTION_FINI}
DEFAULT_PRIORITY = 65536  # .init_array without a number runs last, .fini_array, from behind, first


@dataclass(frozen=True)
class ElfObject:
    machine: int
    sections: list[Section]
    relocs: list[Reloc]
    exports: list[Symbol]  # sorted by name
    imports: list[str]  # sorted
    symbols: list[Symbol]  # functions, sorted by (section, offset)


def _section_flags(section: Any) -> int:
    name, flags = section.name, section["sh_flags"]
    result = 0
    if section["sh_type"] in RUN_TYPES:
        return RUN_TYPES[section["sh_type"]]  # read-only once relocated
    if section["sh_type"] == "SHT_PREINIT_ARRAY" or name.startswith((".ctors", ".dtors")):
        raise FluidError(
            "E-MOD-22",
            f"section {name}: only .init_array and .fini_array are run; remove its users",
        )
    if section["sh_type"] not in ("SHT_PROGBITS", "SHT_NOBITS"):
        raise FluidError(
            "E-MOD-22",
            f"section {name}: code, data or .bss expected, {section['sh_type']} found; remove its "
            "users",
        )
    if flags & SH_FLAGS.SHF_TLS:
        raise FluidError(
            "E-MOD-22",
            f"section {name}: modules have no thread-local storage; make the data global",
        )
    if flags & SH_FLAGS.SHF_WRITE and not name.startswith(".data.rel.ro"):
        result |= SECTION_WRITE
    if flags & SH_FLAGS.SHF_EXECINSTR:
        result |= SECTION_EXEC
    if section["sh_type"] == "SHT_NOBITS":
        result |= SECTION_NOBITS
    if result & SECTION_WRITE and result & SECTION_EXEC:
        raise FluidError("E-MOD-22", f"section {name}: both writable and executable; split it")
    return result


def _run_priority(section: Section) -> int:
    if not section.flags & SECTION_RUN:
        return 0  # stable sort: others keep the object's order, in front
    suffix = section.name.rpartition(".")[2]
    return int(suffix) if suffix.isdigit() else DEFAULT_PRIORITY


def _convert(section: Any) -> Section:
    align = max(section["sh_addralign"], 1)
    if align > ALIGN_MAX or align & (align - 1):
        raise FluidError(
            "E-MOD-22",
            f"section {section.name}: alignment of at most {ALIGN_MAX} expected, {align} found; "
            "lower it",
        )
    flags = _section_flags(section)
    data = b"" if flags & SECTION_NOBITS else section.data()
    return Section(section.name, flags, align, data, section["sh_size"])


def _target_indexes(elf: Any) -> set[int]:
    """ELF indexes of sections that a symbol lies in; an empty one of them must be kept too."""
    symtab = elf.get_section_by_name(".symtab")
    if symtab is None:
        raise FluidError("E-MOD-21", "the object has no symbol table; do not strip it")
    return {
        s["st_shndx"]
        for s in symtab.iter_symbols()
        if isinstance(s["st_shndx"], int) and s["st_info"]["type"] != "STT_SECTION"
    }


def _kept_sections(elf: Any) -> tuple[list[Section], dict[int, int]]:
    """The sections of the .mod, and a map from ELF section index to theirs."""
    used = _target_indexes(elf)
    found = []
    for index, section in enumerate(elf.iter_sections()):
        if not section["sh_flags"] & SH_FLAGS.SHF_ALLOC or section.name.startswith(DROPPED):
            continue
        if section["sh_size"] or index in used:
            found.append((index, _convert(section)))
    found.sort(key=lambda pair: _run_priority(pair[1]))
    return [s for _, s in found], {index: n for n, (index, _) in enumerate(found)}


def _check_symbol(symbol: Any) -> None:
    if symbol["st_shndx"] == "SHN_COMMON":
        raise FluidError(
            "E-MOD-22", f"symbol {symbol.name} is COMMON; compile with -fno-common or initialise it"
        )
    if symbol["st_info"]["type"] in ("STT_TLS", "STT_GNU_IFUNC", "STT_LOOS"):
        raise FluidError(
            "E-MOD-22",
            f"symbol {symbol.name}: a function or data expected, {symbol['st_info']['type']} "
            "found; replace it",
        )


def _reloc_type(machine: int, number: int, symbol: str) -> int:
    name = RELOC_NAMES[machine].get(number, str(number))
    kind = RELOC_TYPES[machine].get(name)
    if kind is not None:
        return kind
    advice = "expected one of " + " ".join(RELOC_TYPES[machine])
    if "GOT" in name:
        advice = (
            "modules have no global offset table: compile with -fno-pic -fno-pie, and declare data "
            "of other files with hidden visibility"
        )
    raise FluidError("E-MOD-23", f"relocation {name} against '{symbol}' is not supported; {advice}")


class _Linker:
    """Turns ELF relocations into those of the .mod."""

    def __init__(self, elf: Any, machine: int) -> None:
        self.elf = elf
        self.machine = machine
        self.sections, self.index = _kept_sections(elf)
        self.symtab = elf.get_section_by_name(".symtab")
        self.imports = sorted({s.name for s in self._used() if s["st_shndx"] == "SHN_UNDEF"})

    def _entries(self) -> Iterator[tuple[int, Any]]:
        """(index of the patched section in the .mod, ELF relocation)"""
        for table in self.elf.iter_sections():
            if isinstance(table, RelocationSection) and table["sh_info"] in self.index:
                for entry in table.iter_relocations():
                    yield self.index[table["sh_info"]], entry

    def _used(self) -> Iterator[Any]:
        for _, entry in self._entries():
            yield self.symtab.get_symbol(entry["r_info_sym"])

    def target(self, symbol: Any, where: str) -> tuple[int, int, int]:
        """(target_kind, target, offset of the symbol in it)"""
        shndx = symbol["st_shndx"]
        if shndx == "SHN_UNDEF" and symbol.name:
            return TARGET_IMPORT, self.imports.index(symbol.name), 0
        if shndx in self.index:
            return TARGET_SECTION, self.index[shndx], symbol["st_value"]
        what = self.elf.get_section(shndx).name if isinstance(shndx, int) else shndx
        raise FluidError(
            "E-MOD-24",
            f"{where} refers to '{symbol.name}' in {what}, which is not loaded; remove the "
            "reference",
        )

    def relocs(self) -> list[Reloc]:
        return [self.reloc(number, entry) for number, entry in self._entries()]

    def reloc(self, number: int, entry: Any) -> Reloc:
        section, offset = self.sections[number], entry["r_offset"]
        symbol = self.symtab.get_symbol(entry["r_info_sym"])
        kind = _reloc_type(self.machine, entry["r_info_type"], symbol.name)
        if offset + RELOC_BYTES[kind] > len(section.data):
            raise FluidError(
                "E-MOD-21",
                f"relocation within {section.name} expected, found at {offset}; compile again",
            )
        if entry.is_RELA():
            addend = entry["r_addend"]
        else:
            place = section.data[offset : offset + RELOC_BYTES[kind]]
            addend = int.from_bytes(place, "little", signed=True)
        target_kind, target, base = self.target(symbol, f"{section.name}+{offset:#x}")
        return Reloc(number, offset, kind, target_kind, target, base + addend)

    def places(self) -> tuple[list[Symbol], list[Symbol]]:
        """Exports sorted by name, functions sorted by place."""
        exports, functions = [], []
        for s in self.symtab.iter_symbols():
            _check_symbol(s)
            if s["st_shndx"] not in self.index or not s.name:
                continue
            place = Symbol(s.name, self.index[s["st_shndx"]], s["st_value"], s["st_size"])
            visible = s["st_other"]["visibility"] in ("STV_DEFAULT", "STV_PROTECTED")
            if s["st_info"]["bind"] in ("STB_GLOBAL", "STB_WEAK") and visible:
                exports.append(place)
            if s["st_info"]["type"] == "STT_FUNC":
                functions.append(place)
        exports.sort(key=lambda e: e.name)
        functions.sort(key=lambda f: (f.section, f.offset, f.name))
        return exports, functions


def read_object(path: StrPath) -> ElfObject:
    """Raises FluidError E-MOD-21 .. 25 when the object cannot become a module."""
    name = Path(path).name
    try:
        with Path(path).open("rb") as file:
            elf = ELFFile(file)
            if elf["e_type"] != "ET_REL" or elf["e_machine"] not in MACHINES:
                raise FluidError(
                    "E-MOD-21",
                    f"{name}: a relocatable object for {' or '.join(MACHINES)} expected, "
                    f"{elf['e_type']} for {elf['e_machine']} found",
                )
            machine = MACHINES[elf["e_machine"]]
            linker = _Linker(elf, machine)
            exports, functions = linker.places()
            relocs = linker.relocs()
            imports = linker.imports
    except ELFError as error:
        raise FluidError(
            "E-MOD-21",
            f"{name}: an ELF object expected, not a readable ELF found ({error}); compile again",
        ) from None
    if not exports:
        raise FluidError(
            "E-MOD-25", f"{name} exports nothing; mark its entry points with FLUID_EXPORT"
        )
    return ElfObject(machine, linker.sections, relocs, exports, imports, functions)
