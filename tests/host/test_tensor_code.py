"""What the compiler makes of the tensor modules: every variant, with the flags of the image."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from fluid.cpu import load_profile
from fluid.flags import module_flags
from fluid.plan import baseline
from fluid.targets import TARGETS, Target
from hostcc import CC, ROOT

FOLDER = ROOT / "src" / "modules" / "tensor"
MODULES = sorted(path.stem for path in FOLDER.glob("*.c"))
VARIANTS = [(t, tag) for t in TARGETS.values() for tag in t.variants if tag in (t.tag, "i686-v2")]
BASELINES = ("i686", "x86-64")

# Modules may import these besides the kernel API (kapi.h), which tensor code does not need.
IMPORTS = {"memcpy", "memmove", "memset", "memcmp", "strlen"}
STACK_LIMIT = 16384

# First word of an instruction that an SSE2 machine lacks: SSE3, SSSE3, SSE4.1, SSE4.2, POPCNT, VEX.
LATER_THAN_SSE2 = re.compile(
    r"addsubp[sd]|hadd|hsub|lddqu|mov(d|sh|sl)dup"
    r"|p?abs[bwd]|pshufb|ph(add|sub)|pmadd?ubsw|psign|palignr|pmulhrsw"
    r"|p?blend|dpp[sd]|p(inser|ext)r[bdq]|insertps|extractps|mpsadbw|packusdw|pcmpeqq|phminpos"
    r"|p(min|max)(sb|sd|uw|ud)|pmov[sz]x|pmul(dq|ld)|ptest|round[ps][sd]|movntdqa"
    r"|pcmp[ei]str|pcmpgtq|crc32|popcnt|v[a-z]"
)


@dataclass(frozen=True)
class Code:
    """One compiled module."""

    mnemonics: set[str]
    wide: set[str]  # those with a 64-byte operand
    undefined: set[str]
    exported: set[str]
    writable: int  # bytes of .data and .bss


def compile_module(name: str, target: Target, tag: str, folder: Path) -> Code:
    profile = load_profile(ROOT / "profiles" / "cpu" / f"{tag}.json")
    flags = module_flags(target, profile, baseline("test"))
    flags += ["-Isrc/include", f"-Wframe-larger-than={STACK_LIMIT}"]
    source, output = FOLDER.relative_to(ROOT) / f"{name}.c", folder / f"{name}.o"
    subprocess.run([CC, *flags, "-c", str(source), "-o", str(output)], cwd=ROOT, check=True)
    listing = subprocess.run(
        ["llvm-objdump-19", "-d", "--no-show-raw-insn", "--no-leading-addr", str(output)],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    mnemonics = set(re.findall(r"^\s+([a-z][a-z0-9]+)\b", listing, re.MULTILINE))
    wide = set(re.findall(r"^\s+([a-z][a-z0-9]+)\b.*%zmm", listing, re.MULTILINE))
    with open(output, "rb") as file:
        elf = ELFFile(file)
        table = elf.get_section_by_name(".symtab")
        named = [symbol for symbol in table.iter_symbols() if symbol.name]
        undefined = {s.name for s in named if s["st_shndx"] == "SHN_UNDEF"}
        exported = {
            s.name
            for s in named
            if s["st_info"]["bind"] == "STB_GLOBAL" and s["st_other"]["visibility"] == "STV_DEFAULT"
        }
        names = (".data", ".bss")
        writable = sum(s["sh_size"] for s in elf.iter_sections() if s.name.startswith(names))
    return Code(mnemonics, wide, undefined, exported - undefined, writable)


def operations() -> set[str]:
    """The names of tensor.h: all that stand in quotes in its comments."""
    text = (ROOT / "src" / "include" / "fluid" / "tensor.h").read_text()
    return set(re.findall(r'"([a-z0-9_]+)"', text))


@pytest.mark.parametrize(("target", "tag"), VARIANTS, ids=[tag for _, tag in VARIANTS])
def test_modules_are_self_contained(target: Target, tag: str, tmp_path: Path) -> None:
    """No imports but memory functions, no writable data, only instructions of the variant."""
    exported: set[str] = set()
    later: set[str] = set()
    for name in MODULES:
        code = compile_module(name, target, tag, tmp_path)
        assert code.undefined <= IMPORTS, f"{name} imports {code.undefined - IMPORTS}"
        assert code.writable == 0, f"{name} has writable data"
        assert not exported & code.exported
        exported |= code.exported
        later |= {m for m in code.mnemonics if LATER_THAN_SSE2.match(m)}
    assert exported == operations()
    if tag in BASELINES:
        assert not later, f"{tag} code needs more than SSE2: {sorted(later)}"
    elif tag != "x86-64-v4":
        assert later & {"pshufb", "vpmaddubsw"}, f"{tag} code does not use what it is for"


# What each module's x86-64-v4 code must have in vectors of 64 bytes.
WIDE = {
    "tensor_f16": {"vcvtph2ps", "vmulps", "vaddps"},
    "tensor_f32": {"vmulps", "vaddps"},
}
QUANTISED = sorted(name for name in MODULES if re.fullmatch(r"tensor_q\d_[01k]", name))


@pytest.mark.parametrize("name", QUANTISED)
def test_vnni_is_used(name: str, tmp_path: Path) -> None:
    """In x86-64-v4 code for all products of bytes, and in no other."""
    target = TARGETS["x86-64"]
    code = compile_module(name, target, "x86-64-v4", tmp_path)
    assert "vpdpbusd" in code.mnemonics and "vpmaddubsw" not in code.mnemonics
    below = compile_module(name, target, "x86-64-v3", tmp_path)
    assert "vpdpbusd" not in below.mnemonics and "vpmaddubsw" in below.mnemonics


@pytest.mark.parametrize("name", WIDE)
def test_avx512_is_used(name: str, tmp_path: Path) -> None:
    """64-byte vectors in x86-64-v4 code, and in no other."""
    target = TARGETS["x86-64"]
    code = compile_module(name, target, "x86-64-v4", tmp_path)
    assert WIDE[name] <= code.wide
    below = compile_module(name, target, "x86-64-v3", tmp_path)
    assert not below.wide
