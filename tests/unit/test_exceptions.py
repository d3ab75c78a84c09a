"""Every vector has a stub that leaves the same frame, whether or not the processor pushes an error
code, and a name. Booted machines raise what software can (tests/qemu/test_panic.py); this is for
the others, too: machine check, reserved vectors, interrupts of devices."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from x86_exceptions import EXCEPTIONS, INTERRUPTS

ROOT = Path(__file__).resolve().parents[2]
X86 = ROOT / "src/kernel/arch/x86"
VECTORS = len(EXCEPTIONS) + INTERRUPTS
PUSH_BYTE, JUMP = 0x6A, 0xE9  # SDM vol. 2: PUSH imm8, JMP rel32
ADDRESS_SIZE = {"i686-unknown-none-elf": 4, "x86_64-unknown-none-elf": 8}


@dataclass(frozen=True)
class Stubs:
    """isr_stubs.S, assembled."""

    code: dict[str, bytes]  # from the label to the next
    jumps: dict[str, str]  # stub -> where its jump goes
    table: list[str]  # isr_stubs[]: the stub of each vector


def assemble(triple: str, folder: Path) -> Stubs:
    """Labels, jumps and table out of the object's symbols and relocations."""
    out = folder / "isr_stubs.o"
    command = ["clang-19", f"--target={triple}", "-Isrc/kernel", "-c", "-o", str(out)]
    subprocess.run([*command, str(X86 / "isr_stubs.S")], cwd=ROOT, check=True, timeout=60)
    with out.open("rb") as file:
        elf = ELFFile(file)
        sections = {section.name: section for section in elf.iter_sections()}
        symbols = list(sections[".symtab"].iter_symbols())
        text = sections[".text"].data()
        number = elf.get_section_index(".text")
        starts = {
            s["st_value"]: s.name for s in symbols if s["st_shndx"] == number and s.name
        }  # offset -> label
        ends = dict(zip(sorted(starts), [*sorted(starts)[1:], len(text)], strict=True))
        code = {name: text[at : ends[at]] for at, name in starts.items()}

        relocations: dict[str, list[tuple[int, str]]] = {".text": [], ".rodata": []}
        for name, found in relocations.items():
            section = sections.get(f".rela{name}") or sections[f".rel{name}"]
            for r in section.iter_relocations():
                target = symbols[r["r_info_sym"]]
                addend = (
                    r["r_addend"]
                    if section.is_RELA()
                    else int.from_bytes(sections[name].data()[r["r_offset"] :][:4], "little")
                )
                label = target.name if target.name else starts[target["st_value"] + addend]
                found.append((r["r_offset"], label))
    jumps = {}
    for offset, label in relocations[".text"]:
        start = max(at for at in starts if at <= offset)
        jumps[starts[start]] = label
    size = ADDRESS_SIZE[triple]
    rows = sorted(relocations[".rodata"])
    assert [offset for offset, _ in rows] == [n * size for n in range(len(rows))]
    return Stubs(code, jumps, [label for _, label in rows])


@pytest.mark.parametrize("triple", ADDRESS_SIZE)
def test_stubs(triple: str, tmp_path: Path) -> None:
    """A zero in the place of a missing error code, the vector, and on to isr_common."""
    stubs = assemble(triple, tmp_path)
    assert stubs.table == [f"stub_{vector}" for vector in range(VECTORS)]
    for vector, label in enumerate(stubs.table):
        pushes_code = vector in EXCEPTIONS and EXCEPTIONS[vector].error_code
        zero = b"" if pushes_code else bytes([PUSH_BYTE, 0])
        expected = zero + bytes([PUSH_BYTE, vector, JUMP])
        code = stubs.code[label]
        assert code[: len(expected)] == expected, f"vector {vector}: {code.hex()}"
        assert stubs.jumps[label] == "isr_common"


def test_names() -> None:
    """The report's names, in the order of the vectors."""
    source = (X86 / "trap_report.c").read_text(encoding="utf-8")
    found = re.search(r"vector_names\[TRAP_EXCEPTIONS\] = \{(.*?)\};", source, re.DOTALL)
    assert found is not None
    names: dict[int, str] = {}
    vector = 0
    for index, name in re.findall(r'(?:\[(\d+)\] = )?"([^"]+)",', found[1]):
        vector = int(index) if index else vector
        names[vector] = name
        vector += 1
    for vector, exception in EXCEPTIONS.items():
        name = names.get(vector, "reserved exception")  # what vector_name() says of a gap
        assert name.startswith(exception.label), vector
    assert names.keys() <= EXCEPTIONS.keys()
