"""The .mod writer: what it takes from an ELF object, what it refuses, and reading it back."""

from __future__ import annotations

import random
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from fluid import modfile, modlayout
from fluid.cpufeatures import feature_bits, feature_names
from fluid.errors import FluidError
from fluid.modlayout import Module, Reloc, Section, Symbol
from fluid.modread import read_mod, unpack

CC = ["clang-19", "-std=c17", "-ffreestanding", "-O2", "-fno-asynchronous-unwind-tables"]
STATIC = ["-fno-pic", "-fno-pie", "-fno-common", "-fvisibility=hidden"]
EXPORT = '__attribute__((visibility("default")))'
GOOD = f"""
extern int imported(const void *, int);
static int values[4] = {{1, 2, 3, 4}};
static int zero[100];
static const char *text = "hello";
static __attribute__((noinline)) int helper(int i) {{ return values[i] + zero[i]++; }}
{EXPORT} int second(int i) {{ return imported(text, helper(i)); }}
{EXPORT} int first(void) {{ return imported(values + 1, 5) + (int)(long)&values[2]; }}
int not_exported(void) {{ return helper(1); }}
"""


def make(
    folder: Path, source: str, *flags: str, arch: str = "x86_64", static: bool = True
) -> Module:
    (folder / "m.c").write_text(source)
    command = [*CC, *(STATIC if static else []), f"--target={arch}-unknown-none-elf", *flags]
    subprocess.run([*command, "-c", folder / "m.c", "-o", folder / "m.o"], check=True, timeout=60)
    options = {"name": "m", "target": "x86-64", "features": ["sse", "sse2"], "rank": 3}
    modfile.build_mod(folder / "m.o", folder / "m.mod", **options)  # type: ignore[arg-type]
    return read_mod(folder / "m.mod")


def refused(folder: Path, code: str, source: str, *flags: str, static: bool = True) -> str:
    with pytest.raises(FluidError) as error:
        make(folder, source, *flags, static=static)
    assert error.value.code == code
    assert not (folder / "m.mod").exists() and not (folder / "m.mod.new").exists()
    return error.value.text


@pytest.mark.parametrize(
    ("arch", "machine"),
    [("x86_64", modlayout.MACHINE_X86_64), ("i686", modlayout.MACHINE_I386)],
)
def test_object_becomes_a_module(tmp_path: Path, arch: str, machine: int) -> None:
    m = make(tmp_path, GOOD, arch=arch)
    assert (m.name, m.target, m.rank, m.machine) == ("m", "x86-64", 3, machine)
    assert feature_names(m.cpu_bits) == []  # whole numbers only
    assert [e.name for e in m.exports] == ["first", "second"]
    assert m.imports == ["imported"]
    assert {s.name for s in m.symbols} == {"first", "second", "helper", "not_exported"}
    assert [(s.section, s.offset) for s in m.symbols] == sorted(
        (s.section, s.offset) for s in m.symbols
    )
    by_name = {s.name: s for s in m.sections}
    assert by_name[".text"].flags == modlayout.SECTION_EXEC
    assert by_name[".data"].flags == modlayout.SECTION_WRITE
    bss = by_name[".bss"]
    assert (bss.flags, bss.data, bss.mem_size) == (
        modlayout.SECTION_WRITE | modlayout.SECTION_NOBITS,
        b"",
        400,
    )
    assert any(s.data.rstrip(b"\0") == b"hello" for s in m.sections)
    assert not any(s.name.startswith((".eh_frame", ".note", ".comment")) for s in m.sections)
    targets = {(r.target_kind, r.target) for r in m.relocs}
    assert (modlayout.TARGET_IMPORT, 0) in targets


def test_symbol_values_and_addends_are_folded(tmp_path: Path) -> None:
    source = (
        "static int a[8] = {1}, b[8] = {2};\nint *const p[] = {&b[3], &a[3]};\n"
        f"{EXPORT} int **f(void) {{ a[0]++; b[0]++; return (int **)p; }}"
    )
    for arch in ("x86_64", "i686"):
        m = make(tmp_path, source, "-O0", arch=arch)
        kind = modlayout.RELOC_ABS64 if arch == "x86_64" else modlayout.RELOC_ABS32
        constant = next(n for n, s in enumerate(m.sections) if s.name.startswith(".rodata"))
        pointers = [r for r in m.relocs if r.section == constant]
        step = modlayout.RELOC_BYTES[kind]
        data = next(n for n, s in enumerate(m.sections) if s.name == ".data")
        assert pointers == [
            Reloc(constant, 0, kind, modlayout.TARGET_SECTION, data, 12),
            Reloc(constant, step, kind, modlayout.TARGET_SECTION, data, 32 + 12),
        ]


def test_initialisers_keep_their_order(tmp_path: Path) -> None:
    source = "extern void imported(int);\n" + "".join(
        f"__attribute__((constructor({p}))) static void c{p}(void) {{ imported({p}); }}\n"
        for p in (900, 101, 102)
    )
    source += "__attribute__((constructor)) static void last(void) { imported(0); }\n"
    m = make(tmp_path, source + f"{EXPORT} void f(void) {{}}")
    init = [s.name for s in m.sections if s.flags == modlayout.SECTION_INIT]
    assert init == [".init_array.101", ".init_array.102", ".init_array.900", ".init_array"]


def test_same_object_same_bytes(tmp_path: Path) -> None:
    files = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        make(folder, GOOD)
        files.append((folder / "m.mod").read_bytes())
    assert files[0] == files[1] and b"m.c" not in files[0]


def test_destructors_are_kept_in_order(tmp_path: Path) -> None:
    """As the linker would sort them: the loader calls the last one first."""
    code = "".join(
        f"__attribute__((destructor{p})) static void d{n}(void) {{ }}\n"
        for n, p in enumerate(("", "(300)", "(200)"))
    )
    m = make(tmp_path, code + f"{EXPORT} int f(void) {{ return 1; }}\n")
    fini = [s.name for s in m.sections if s.flags == modlayout.SECTION_FINI]
    assert fini == [".fini_array.200", ".fini_array.300", ".fini_array"]


def test_unsupported_objects_are_refused(tmp_path: Path) -> None:
    good = f"{EXPORT} int f(void) {{ return 1; }}\n"
    outside = f"extern int data; {EXPORT} int *f(void) {{ return &data; }}"
    text = refused(tmp_path, "E-MOD-23", outside, "-fpic", static=False)
    assert "GOT" in text and "-fno-pic" in text
    assert "COMMON" in refused(tmp_path, "E-MOD-22", "int x;" + good, "-fcommon")
    tls = f"static _Thread_local int t = 1; {EXPORT} int f(int x) {{ return t += x; }}"
    assert "thread-local" in refused(tmp_path, "E-MOD-22", tls)
    mixed = '__asm__(".section mixed,\\"awx\\",@progbits; .byte 0; .previous");' + good
    assert "executable" in refused(tmp_path, "E-MOD-22", mixed)
    large = f"static _Alignas(8192) int x[4] = {{1}}; {EXPORT} int *f(void) {{ return x; }}"
    assert "8192" in refused(tmp_path, "E-MOD-22", large)
    array = '__asm__(".section .preinit_array,\\"aw\\",@preinit_array; .quad 0; .previous");'
    assert "init_array" in refused(tmp_path, "E-MOD-22", array + good)
    assert "FLUID_EXPORT" in refused(tmp_path, "E-MOD-25", "int f(void) { return 1; }")


def test_what_is_not_an_object_is_refused(tmp_path: Path) -> None:
    bad = tmp_path / "m.o"
    for content in (b"", b"\x7fELF", b"text" * 100):
        bad.write_bytes(content)
        with pytest.raises(FluidError, match="E-MOD-21"):
            modfile.build_mod(bad, tmp_path / "m", name="m", target="t", features=[], rank=0)


def test_names_and_features_are_checked() -> None:
    module = sample()
    for changes in ({"name": "x" * 32}, {"name": ""}, {"name": "a b"}, {"target": "x" * 16}):
        with pytest.raises(FluidError, match="E-MOD-26"):
            modfile.pack(replace(module, **changes))  # type: ignore[arg-type]
    with pytest.raises(FluidError, match=r"E-MOD-20 .*'sse9'.*avx2"):
        feature_bits(["sse", "sse9"])


def sample() -> Module:
    return Module(
        name="sample",
        target="i686",
        rank=1,
        machine=modlayout.MACHINE_I386,
        cpu_bits=feature_bits(["sse2"]),
        sections=[
            Section(".text", modlayout.SECTION_EXEC, 16, bytes(64), 64),
            Section(".data", modlayout.SECTION_WRITE, 4096, b"12345678", 16),
            Section(".bss", modlayout.SECTION_WRITE | modlayout.SECTION_NOBITS, 4, b"", 4000),
        ],
        relocs=[
            Reloc(0, 4, modlayout.RELOC_PC32, 1, 0, -4),
            Reloc(1, 0, modlayout.RELOC_ABS64, 0, 2, 9),
        ],
        exports=[Symbol("entry", 0, 0, 64)],
        imports=["fluid_alloc"],
        symbols=[Symbol("entry", 0, 0, 32), Symbol("local", 0, 32, 32)],
        bitcode=b"BC",
    )


def test_pack_and_unpack() -> None:
    data = modfile.pack(sample())
    assert unpack(data) == sample()
    assert data.index(b"12345678") % 4096 == 0
    empty = replace(
        sample(), relocs=[], imports=[], symbols=[], exports=[], sections=[], bitcode=b""
    )
    assert unpack(modfile.pack(empty)) == empty


def test_pack_refuses_what_cannot_be_loaded() -> None:
    m = sample()
    bad = [
        {"relocs": [replace(m.relocs[0], section=2)]},
        {"relocs": [replace(m.relocs[0], offset=61)]},
        {"relocs": [replace(m.relocs[0], type=6)]},
        {"relocs": [replace(m.relocs[0], target=1)]},
        {"relocs": [replace(m.relocs[0], target_kind=2)]},
        {"exports": [Symbol("x", 3, 0, 0)]},
        {"symbols": [Symbol("x", 0, 60, 5)]},
        {"sections": [replace(m.sections[0], flags=3), *m.sections[1:]]},
        {"sections": [replace(m.sections[0], align=24), *m.sections[1:]]},
        {"sections": [replace(m.sections[0], mem_size=63), *m.sections[1:]]},
    ]
    for changes in bad:
        with pytest.raises(FluidError, match="E-MOD-03"):
            modfile.pack(replace(m, **changes))  # type: ignore[arg-type]


def test_damaged_bytes_are_refused() -> None:
    data = modfile.pack(sample())
    for size in range(0, len(data), 97):
        with pytest.raises(FluidError, match="E-MOD-0"):
            unpack(data[:size])
    for at in range(0, len(data), 5):
        with pytest.raises(FluidError, match="E-MOD-0"):
            unpack(data[:at] + bytes([data[at] ^ 0x40]) + data[at + 1 :])


def test_wrong_fields_under_a_valid_hash_give_a_code() -> None:
    """Whatever the bytes are: a module or FluidError, no other exception."""
    data = modfile.pack(sample())
    tables = modlayout.HEADER.size + 200
    dice = random.Random(7)
    codes = set()
    for _ in range(3000):
        bad = bytearray(data)
        for _ in range(dice.randint(1, 3)):
            bad[dice.randrange(tables)] = dice.choice([0, 1, 0x7F, 0x80, 0xFF, dice.randrange(256)])
        sha = slice(modlayout.SHA_OFFSET, modlayout.SHA_OFFSET + modlayout.SHA_SIZE)
        bad[sha] = modlayout.digest(bytes(bad))
        try:
            unpack(bytes(bad))
        except FluidError as error:
            codes.add(error.code)
    assert {"E-MOD-01", "E-MOD-02", "E-MOD-03"} <= codes <= {f"E-MOD-0{n}" for n in (1, 2, 3)}
