"""What CPU features machine code really uses, instruction by instruction (decoder: iced-x86).

Flags say what the compiler may use; assembler, intrinsics and libraries can say otherwise. So code
is disassembled after it was made: a module's required features are those found in it, and anything
outside of what its tag allows ends the build with the first such instruction.

E-CPU-23 an instruction of a feature that is not allowed, 24 bytes that are no instruction, 25 a
vector register where there must be none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from iced_x86 import (
    Code,
    CpuidFeature,
    Decoder,
    Formatter,
    FormatterSyntax,
    Instruction,
    Mnemonic,
    OpKind,
    RegisterExt,
)

from fluid.errors import FluidError

_NAMES = {value: name for name, value in vars(CpuidFeature).items() if isinstance(value, int)}

# What every processor that an image can be started on has, beyond the table of features: the
# instruction set of a 486, which the boot sectors stay within, ...
I486 = {
    "INTEL8086", "INTEL8086_ONLY", "INTEL186", "INTEL286", "INTEL286_ONLY", "INTEL386", "INTEL486",
    "FPU", "FPU287", "FPU387",
    "CPUID",  # stage2 and the entry ask EFLAGS.ID first
    "PAUSE",  # REP NOP
}  # fmt: skip
# ... and what came with the Pentium Pro and, in long mode, the first x86-64. SSE2 is required of
# each target (cpu_check.py), and no processor with it is without these.
EVERYWHERE = I486 | {
    "TSC", "MSR", "CX8", "CMOV", "MMX", "FXSR", "MULTIBYTENOP", "X64",
    "CET_IBT",  # ENDBR32 and ENDBR64 are NOPs where there is no CET
}  # fmt: skip

# iced's names of the features in cpufeatures.py; any other belongs to none of our tags.
_OURS = {
    "SSE": "sse",
    "SSE2": "sse2",
    "SSE3": "sse3",
    "SSSE3": "ssse3",
    "SSE4_1": "sse4.1",
    "SSE4_2": "sse4.2",
    "POPCNT": "popcnt",
    "CMPXCHG16B": "cx16",
    "AVX": "avx",
    "F16C": "f16c",
    "FMA": "fma",
    "MOVBE": "movbe",
    "AVX2": "avx2",
    "BMI1": "bmi",
    "BMI2": "bmi2",
    "LZCNT": "lzcnt",
    "AVX512F": "avx512f",
    "AVX512BW": "avx512bw",
    "AVX512CD": "avx512cd",
    "AVX512DQ": "avx512dq",
    "AVX512VL": "avx512vl",
    "AVX512_VNNI": "avx512vnni",
}
_FLAGS_IN_AH = (Mnemonic.LAHF, Mnemonic.SAHF)  # the first x86-64 had them in 32-bit modes only


@dataclass(frozen=True)
class Text:
    """Machine code: `bits` is the mode, 16, 32 or 64; `where` names an address for people."""

    data: bytes
    address: int
    bits: int
    where: Callable[[int], str]


@dataclass(frozen=True)
class Rule:
    """What code may use: `name` says of whom, `features` are those of cpufeatures.py."""

    name: str
    features: frozenset[str]
    everywhere: frozenset[str] = frozenset(EVERYWHERE)
    guarded: frozenset[int] = frozenset()  # mnemonics that run only where CPUID has been asked
    vectors: Callable[[int], bool] = field(default=lambda address: True)  # allowed there?


def _needs(instruction: Instruction, bits: int, rule: Rule) -> frozenset[str]:
    """Our names of features that the instruction needs; iced's where we have none."""
    if instruction.mnemonic in rule.guarded:
        return frozenset()
    if bits == 64 and instruction.mnemonic in _FLAGS_IN_AH:
        return frozenset(("sahf",))
    if instruction.mnemonic == Mnemonic.TZCNT and "bmi" not in rule.features:
        # The compiler writes BSF as REP BSF where the source is not zero: older processors ignore
        # the prefix, newer ones are faster with it.
        return frozenset()
    found = {_NAMES[number] for number in instruction.cpuid_features()} - rule.everywhere
    return frozenset(_OURS.get(name, name) for name in found)


def _has_vectors(instruction: Instruction) -> bool:
    """Or registers of the x87, which interrupts do not save either. Each instruction is asked: one
    opcode may take a register or memory (CVTTSD2SI)."""
    registers = (
        instruction.op_register(n)
        for n in range(instruction.op_count)
        if instruction.op_kind(n) == OpKind.REGISTER
    )
    return any(
        RegisterExt.is_vector_register(r)
        or RegisterExt.is_k(r)
        or RegisterExt.is_mm(r)
        or RegisterExt.is_st(r)
        for r in registers
    )


def _refuse(code: str, text: Text, instruction: Instruction, expected: str, found: str) -> None:
    shown = Formatter(FormatterSyntax.NASM).format(instruction)
    raise FluidError(code, f"{text.where(instruction.ip)}: {shown}: {expected}, {found}")


def _no_instruction(text: Text, address: int) -> None:
    rest = text.data[address - text.address :][:8].hex(" ")
    raise FluidError(
        "E-CPU-24",
        f"{text.where(address)}: an instruction in {text.bits}-bit mode expected, found {rest}; "
        "data in code? move it to .rodata",
    )


def _check(text: Text, rule: Rule) -> set[str]:
    found: set[str] = set()
    known: dict[int, frozenset[str]] = {}  # by opcode
    for instruction in Decoder(text.bits, text.data, ip=text.address):
        code = instruction.code
        if code == Code.INVALID:
            _no_instruction(text, instruction.ip)
        if code not in known:
            known[code] = _needs(instruction, text.bits, rule)
            found |= known[code]
        needs = known[code]
        if not needs <= rule.features:
            missing = " ".join(sorted(needs - rule.features))
            expected = f"an instruction of {rule.name} expected"
            advice = f"found one of {missing}; compile it for what runs it, or use another variant"
            _refuse("E-CPU-23", text, instruction, expected, advice)
        if not rule.vectors(instruction.ip) and _has_vectors(instruction):
            advice = "found a vector register; interrupts do not save them"
            expected = f"general registers expected in {rule.name}"
            _refuse("E-CPU-25", text, instruction, expected, advice)
    return found


def used_features(texts: Iterable[Text], rule: Rule) -> frozenset[str]:
    """Features that the code uses, all of them in rule.features. Raises E-CPU-23, 24, 25."""
    return frozenset().union(*(_check(text, rule) for text in texts))
