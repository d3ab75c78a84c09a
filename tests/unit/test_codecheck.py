"""What instructions need: derived features, and code that goes beyond what it may use."""

from __future__ import annotations

import itertools
import subprocess
from pathlib import Path

import pytest

from fluid import codecheck, codetext, kernelfile, modfile, modlayout
from fluid.codecheck import EVERYWHERE, I486, Rule, Text, used_features
from fluid.cpufeatures import FEATURES, LEVELS, feature_bits, feature_names
from fluid.errors import FluidError
from fluid.modread import read_mod

ROOT = Path(__file__).resolve().parents[2]
V1, V2, V3, V4 = (LEVELS[f"x86-64{level}"].features for level in ("", "-v2", "-v3", "-v4"))
EXPORT = '__attribute__((visibility("default"))) void f(void)'
FLAGS = ["-O2", "-ffreestanding", "-fno-pic", "-fno-asynchronous-unwind-tables"]

# One instruction for each feature of the table.
ONE_EACH = {
    "sse": "movss %xmm1, %xmm0",
    "sse2": "addpd %xmm1, %xmm0",
    "sse3": "haddps %xmm1, %xmm0",
    "ssse3": "pshufb %xmm1, %xmm0",
    "sse4.1": "pmulld %xmm1, %xmm0",
    "sse4.2": "pcmpgtq %xmm1, %xmm0",
    "popcnt": "popcnt %ecx, %eax",
    "cx16": "cmpxchg16b (%rdi)",
    "sahf": "sahf",
    "avx": "vaddps %ymm2, %ymm1, %ymm0",
    "f16c": "vcvtph2ps %xmm1, %ymm0",
    "fma": "vfmadd231ps %ymm2, %ymm1, %ymm0",
    "movbe": "movbe (%rdi), %eax",
    "avx2": "vpaddd %ymm2, %ymm1, %ymm0",
    "bmi": "andn %ecx, %edx, %eax",
    "bmi2": "mulx %ecx, %edx, %eax",
    "lzcnt": "lzcnt %ecx, %eax",
    "avx512f": "vaddps %zmm2, %zmm1, %zmm0",
    "avx512bw": "vpaddw %zmm2, %zmm1, %zmm0",
    "avx512cd": "vplzcntd %zmm1, %zmm0",
    "avx512dq": "vpmullq %zmm2, %zmm1, %zmm0",
    "avx512vl": "vpternlogd $1, %ymm2, %ymm1, %ymm0",
    "avx512vnni": "vpdpbusd %zmm2, %zmm1, %zmm0",
}


def assembled(folder: Path, code: str, arch: str = "x86_64") -> Path:
    """An object with this code in function f."""
    folder.mkdir(exist_ok=True)
    (folder / "m.s").write_text(f".globl f\n.type f, @function\nf:\n{code}\n.size f, . - f\n")
    command = ["clang-19", f"--target={arch}-unknown-none-elf", "-c", "m.s", "-o", "m.o"]
    subprocess.run(command, cwd=folder, check=True, timeout=60)
    return folder / "m.o"


def module_of(obj: Path, features: tuple[str, ...], target: str = "x86-64") -> list[str]:
    """Features that a module of this object says it requires."""
    out = obj.with_suffix(".mod")
    modfile.build_mod(obj, out, name="m", target=target, features=list(features), rank=1)
    return feature_names(read_mod(out).cpu_bits)


def refused(obj: Path, features: tuple[str, ...], code: str) -> str:
    with pytest.raises(FluidError) as raised:
        module_of(obj, features)
    assert raised.value.code == code and not obj.with_suffix(".mod").exists()
    return raised.value.text


@pytest.mark.parametrize("name", FEATURES)
def test_each_feature_is_found_and_required(tmp_path: Path, name: str) -> None:
    """And nothing but it, and the one that its encoding rests on."""
    obj = assembled(tmp_path, f"nop\n{ONE_EACH[name]}\nret")
    without = tuple(feature for feature in V4 if feature != name)
    said = refused(obj, without, "E-CPU-23")
    assert said.startswith(".text 0x1 (f+0x1): ") and f"found one of {name};" in said
    assert "an instruction of x86-64 expected" in said
    found = module_of(obj, V4)
    assert name in found and set(found) <= {name, "avx512f"}


def test_the_table_is_complete() -> None:
    assert list(ONE_EACH) == list(FEATURES)


def test_code_requires_what_it_uses_and_no_more(tmp_path: Path) -> None:
    """A variant for AVX-512 without any such instruction loads on every x86-64."""
    source = tmp_path / "m.c"
    source.write_text(f"extern int x; {EXPORT} {{ x += 1; }}\n")
    flags = [*FLAGS, *(f"-m{name}" for name in V4)]
    command = ["clang-19", "--target=x86_64-unknown-none-elf", *flags, "-c", "m.c", "-o", "m.o"]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=60)
    assert module_of(tmp_path / "m.o", V4, "x86-64-v4") == []


def test_an_intrinsic_beyond_its_tag(tmp_path: Path) -> None:
    """What if one function was given more than the profile allows? Its name and place are told."""
    source = tmp_path / "m.c"
    source.write_text(
        "#include <immintrin.h>\nextern __m256i v;\n"
        '__attribute__((target("avx2"))) static void quick(void) { v = _mm256_abs_epi8(v); }\n'
        f"{EXPORT} {{ quick(); }}\n"
    )
    command = ["clang-19", "--target=x86_64-unknown-none-elf", *FLAGS, "-c", "m.c", "-o", "m.o"]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=60)
    said = refused(tmp_path / "m.o", V2, "E-CPU-23")
    assert "(quick+0x" in said and "found one of avx" in said


def test_a_feature_that_is_in_no_table(tmp_path: Path) -> None:
    said = refused(assembled(tmp_path, "aesenc %xmm1, %xmm0\nret"), V4, "E-CPU-23")
    assert "aesenc xmm0,xmm1" in said and "found one of AES;" in said


def test_bsf_with_a_prefix_is_bsf(tmp_path: Path) -> None:
    """The compiler writes REP BSF for older processors, which is TZCNT on newer ones."""
    obj = assembled(tmp_path, "tzcnt %ecx, %eax\nret")
    assert module_of(obj, V2) == []
    assert module_of(obj, V3) == ["bmi"]


def test_what_every_processor_has(tmp_path: Path) -> None:
    code = "cmovne %ecx, %eax\ncmpxchg8b (%rdi)\nnopl (%rax)\npause\nendbr64\nrdtsc\nfld1\nud2"
    assert module_of(assembled(tmp_path, code), V1) == []
    assert I486 < EVERYWHERE


def test_types_in_front_of_functions(tmp_path: Path) -> None:
    """What if a sanitizer wants them? They are data where the compiler says so, and only there."""
    prefix = ".long 0xc105cafe, 0xea42bdbd\n"
    second = ".globl g\n.type g, @function\ng:\naddps %xmm1, %xmm0\nret\n.size g, . - g"
    obj = assembled(tmp_path, f"addpd %xmm1, %xmm0\nret\n{prefix}{second}")
    assert module_of(obj, V1) == ["sse", "sse2"]
    refused(assembled(tmp_path / "x", f"ret\n{prefix}"), V1, "E-CPU-24")


def test_32_bit_code(tmp_path: Path) -> None:
    """SAHF came with the 8086 there."""
    obj = assembled(tmp_path, "sahf\npush %eax\npopl %eax\nret", "i686")
    assert module_of(obj, V1) == []


@pytest.mark.parametrize("code", [".byte 0x06", ".byte 0x0f, 0x04", ".byte 0x48, 0x8b"])
def test_bytes_that_are_no_instruction(tmp_path: Path, code: str) -> None:
    """Not skipped: behind them every instruction would be another. The last is cut off."""
    said = refused(assembled(tmp_path, f"ret\n{code}"), V4, "E-CPU-24")
    assert said.startswith(".text 0x1 (f+0x1): an instruction in 64-bit mode expected, found ")


# ---- the kernel and the boot sectors

LAYOUT = """ENTRY(entry) SECTIONS { . = 0x100000; .header : { *(.header) }
.text : { *(.entry) kernel_code32_end = .; *(.text) } }"""
HEADER = kernelfile.KERNEL_HEADER.pack(
    kernelfile.KERNEL_HEADER_MAGIC,
    kernelfile.KERNEL_HEADER.size,
    bytes(16),
    b"x86-64",
    feature_bits(V1),
    modlayout.MACHINE_X86_64,
    0,
)


def linked(folder: Path, **files: str) -> Path:
    """A kernel of these assembler files."""
    objects = []
    for name, code in files.items():
        (folder / f"{name}.s").write_text(f'.file "{name}.c"\n{code}\n')
        objects.append(f"{name}.o")
        command = ["clang-19", "--target=x86_64-unknown-none-elf", "-c", f"{name}.s"]
        subprocess.run([*command, "-o", objects[-1]], cwd=folder, check=True, timeout=60)
    (folder / "kernel.ld").write_text(LAYOUT)
    command = ["ld.lld-19", "-T", "kernel.ld", *objects, "-o", "kernel.elf"]
    subprocess.run(command, cwd=folder, check=True, timeout=60)
    return folder / "kernel.elf"


def function(name: str, code: str) -> str:
    return f".type {name}, @function\n{name}:\n{code}\n.size {name}, . - {name}"


NARROW = f'.section .entry, "ax"\n.code32\n.globl entry\n{function("entry", "incl %eax")}'
FIRST = f'.section .header, "a"\n.byte {",".join(map(str, HEADER))}'
ENTRY = f"{NARROW}\n{FIRST}\n.text\n.code64"


def test_a_kernel_within_its_profile(tmp_path: Path) -> None:
    """Its entry is 32-bit code, where 0x40 is INC and no REX prefix."""
    kernel = linked(tmp_path, main=f"{ENTRY}\n{function('f', 'xgetbv; ldmxcsr (%rdi); ret')}")
    codetext.check_kernel(kernel)


@pytest.mark.parametrize(
    ("code", "found", "said"),
    [
        ("andn %ecx, %edx, %eax", "E-CPU-23", "the kernel for x86-64 expected, found one of bmi"),
        ("movaps %xmm1, %xmm0", "E-CPU-25", "general registers expected"),
        ("movd %eax, %mm0", "E-CPU-25", "general registers expected"),
        ("fadd %st(1), %st", "E-CPU-25", "general registers expected"),
        (".byte 0x06", "E-CPU-24", "64-bit mode"),
    ],
)
def test_a_kernel_beyond_it(tmp_path: Path, code: str, found: str, said: str) -> None:
    kernel = linked(tmp_path, main=f"{ENTRY}\n{function('f', f'nop; {code}; ret')}")
    with pytest.raises(FluidError) as raised:
        codetext.check_kernel(kernel)
    assert raised.value.code == found
    assert "kernel.elf 0x1000" in raised.value.text and "(f+0x1)" in raised.value.text
    assert said in raised.value.text


def test_files_that_are_about_vector_registers(tmp_path: Path) -> None:
    code = function("f", "divss %xmm1, %xmm0; ret")
    assert codetext.VECTOR_FILES
    for designated in codetext.VECTOR_FILES:
        kernel = linked(tmp_path, main=ENTRY, **{designated.removesuffix(".c"): code})
        codetext.check_kernel(kernel)


def test_an_opcode_with_memory_says_nothing_of_one_with_registers(tmp_path: Path) -> None:
    code = "cvttsd2si (%rax), %eax; cvttsd2si %xmm0, %eax; ret"
    kernel = linked(tmp_path, main=f"{ENTRY}\n{function('f', code)}")
    with pytest.raises(FluidError, match=r"E-CPU-25 .*cvttsd2si eax,xmm0"):
        codetext.check_kernel(kernel)


@pytest.mark.parametrize("bits", [16, 32])
def test_boot_sectors_run_on_a_486(bits: int) -> None:
    """BSWAP came with it; CMOV with the Pentium Pro."""

    def used(data: bytes) -> frozenset[str]:
        text = Text(data, 0x7C00, bits, hex)
        return used_features([text], codetext.boot_rule("stage2"))

    assert used(b"\x66\x0f\xc8\x0f\xa2" if bits == 16 else b"\x0f\xc8\x0f\xa2") == frozenset()
    with pytest.raises(FluidError, match=r"E-CPU-23 0x7c00: cmov.*stage2, which a 486 runs"):
        used(b"\x0f\x44\xc0")
    with pytest.raises(FluidError, match="E-CPU-25"):
        used_features([Text(b"\x0f\x28\xc1", 0, bits, hex)], no_vectors(V1))


def no_vectors(features: tuple[str, ...]) -> Rule:
    return Rule("x", frozenset(features), vectors=lambda address: False)


def test_names_are_those_of_the_decoder() -> None:
    """A misspelt one would allow nothing, or everything."""
    names = set(codecheck._NAMES.values())
    assert names >= EVERYWHERE and names >= codecheck._OURS.keys()
    assert set(codecheck._OURS.values()) | {"sahf"} == FEATURES.keys()
    assert not EVERYWHERE & codecheck._OURS.keys()
    for one, other in itertools.combinations((V1, V2, V3, V4), 2):
        assert set(one) < set(other)
