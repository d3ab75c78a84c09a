"""What C and Python must agree on: record layouts, magic numbers, CPU features.

Each struct of src/include/fluid is held against the struct format of its owner in site_scons/fluid,
by static assertions that are compiled for both targets.
"""

from __future__ import annotations

import hashlib
import re
import struct
import subprocess
from pathlib import Path

import pytest

from fluid import cachelayout, jitlayout, kernelfile, ksyms, manifest, modlayout, registry, scratch
from fluid.cpufeatures import FEATURES

ROOT = Path(__file__).resolve().parents[2]
TARGETS = ["x86_64-unknown-none-elf", "i686-unknown-none-elf"]

# struct in C, its format in Python, its fields in order
STRUCTS: list[tuple[str, struct.Struct, str]] = [
    (
        "mod_header",
        modlayout.HEADER,
        "magic version_major version_minor header_size file_size sha256 kernel_abi machine "
        "cpu_bits name target rank section_count section_off reloc_count reloc_off export_count "
        "export_off import_count import_off symbol_count symbol_off string_size string_off "
        "bitcode_size bitcode_off reserved source",
    ),
    ("mod_section", modlayout.SECTION, "name flags align file_off file_size mem_size"),
    ("mod_reloc", modlayout.RELOC, "section offset type target_kind target addend"),
    ("mod_export", modlayout.EXPORT, "name section offset size"),
    ("mod_import", modlayout.IMPORT, "name"),
    ("mod_symbol", modlayout.SYMBOL, "name section offset size"),
    ("registry_header", registry.HEADER, "magic version total_size count sha256"),
    ("registry_entry", registry.ENTRY, "name target cpu_bits rank offset size reserved"),
    ("boot_blob", manifest.BLOB, "kind flags lba sectors size load mem_size crc32"),
    (
        "boot_manifest",
        struct.Struct(
            f"{manifest.MANIFEST.format}{manifest.MAX_BLOBS * manifest.BLOB.size}s"
            f"{manifest.RESERVED}s"
        ),
        "magic version crc32 build_id stage2_lba stage2_sectors stage2_size stage2_crc32 "
        "kernel_entry blob_count blob reserved",
    ),
    (
        "kernel_header",
        kernelfile.KERNEL_HEADER,
        "magic header_size build_id target cpu_bits machine reserved",
    ),
    (
        "jit_request",
        jitlayout.REQUEST,
        "magic version_major version_minor header_size file_size level machine input flags "
        "memory_bytes cpu_seconds kernel_abi rank reserved name target source feature_count "
        "feature_off entry_count entry_off constant_count constant_off string_size string_off "
        "input_size input_off",
    ),
    ("jit_constant", jitlayout.CONSTANT, "entry argument field_off size value"),
    (
        "jit_response",
        jitlayout.RESPONSE,
        "magic version_major version_minor header_size file_size status reserved parse_ns "
        "optimise_ns generate_ns text_size text_off mod_size mod_off",
    ),
    ("scratch", scratch.HEADER, "magic sectors seed operations flags zero"),
    (
        "cache_superblock",
        cachelayout.SUPERBLOCK,
        "magic version_major version_minor arena generation epoch life sectors lba zero sha256",
    ),
    (
        "cache_record",
        cachelayout.RECORD,
        "magic version_major version_minor type kind payload_size lba epoch life last_use benefit "
        "link key payload_sha256 zero sha256",
    ),
    ("cache_touch", cachelayout.TOUCH, "lba last_use benefit"),
]

CONSTANTS: dict[str, int] = {
    "JIT_REQUEST_MAGIC": jitlayout.REQUEST_MAGIC,
    "JIT_RESPONSE_MAGIC": jitlayout.RESPONSE_MAGIC,
    "JIT_VERSION_MAJOR": jitlayout.VERSION_MAJOR,
    "JIT_VERSION_MINOR": jitlayout.VERSION_MINOR,
    "JIT_REQUEST_MAX": jitlayout.REQUEST_MAX,
    "JIT_LEVEL_MAX": jitlayout.LEVEL_MAX,
    "JIT_MEMORY_MIN": jitlayout.MEMORY_MIN,
    "JIT_MEMORY_MAX": jitlayout.MEMORY_MAX,
    "JIT_CPU_SECONDS_MAX": jitlayout.CPU_SECONDS_MAX,
    "JIT_INPUT_BITCODE": jitlayout.INPUT_BITCODE,
    "JIT_INPUT_OBJECT": jitlayout.INPUT_OBJECT,
    "JIT_FLAG_NO_RED_ZONE": jitlayout.FLAG_NO_RED_ZONE,
    "JIT_FLAG_FRAME_POINTER": jitlayout.FLAG_FRAME_POINTER,
    "JIT_FLAGS": jitlayout.FLAGS,
    "JIT_WHOLE_ARGUMENT": jitlayout.WHOLE_ARGUMENT,
    "MOD_MAGIC": modlayout.MAGIC,
    "MOD_VERSION_MAJOR": modlayout.VERSION_MAJOR,
    "MOD_VERSION_MINOR": modlayout.VERSION_MINOR,
    "FLUID_KERNEL_ABI": modlayout.KERNEL_ABI,
    "MOD_NAME_SIZE": modlayout.NAME_SIZE,
    "MOD_TARGET_SIZE": modlayout.TARGET_SIZE,
    "MOD_SOURCE_SIZE": modlayout.SOURCE_SIZE,
    "MOD_ALIGN_MAX": modlayout.ALIGN_MAX,
    "MOD_SECTIONS_MAX": modlayout.SECTIONS_MAX,
    "MOD_MEMORY_MAX": modlayout.MEMORY_MAX,
    "MOD_MACHINE_I386": modlayout.MACHINE_I386,
    "MOD_MACHINE_X86_64": modlayout.MACHINE_X86_64,
    "MOD_SECTION_WRITE": modlayout.SECTION_WRITE,
    "MOD_SECTION_EXEC": modlayout.SECTION_EXEC,
    "MOD_SECTION_NOBITS": modlayout.SECTION_NOBITS,
    "MOD_SECTION_INIT": modlayout.SECTION_INIT,
    "MOD_SECTION_FINI": modlayout.SECTION_FINI,
    "MOD_RELOC_ABS64": modlayout.RELOC_ABS64,
    "MOD_RELOC_ABS32": modlayout.RELOC_ABS32,
    "MOD_RELOC_ABS32S": modlayout.RELOC_ABS32S,
    "MOD_RELOC_PC32": modlayout.RELOC_PC32,
    "MOD_RELOC_PC64": modlayout.RELOC_PC64,
    "MOD_TARGET_SECTION": modlayout.TARGET_SECTION,
    "MOD_TARGET_IMPORT": modlayout.TARGET_IMPORT,
    "offsetof(struct mod_header, sha256)": modlayout.SHA_OFFSET,
    "REGISTRY_MAGIC": registry.MAGIC,
    "REGISTRY_VERSION": registry.VERSION,
    "BOOT_MANIFEST_LBA": manifest.MANIFEST_LBA,
    "BOOT_MANIFEST_VERSION": manifest.MANIFEST_VERSION,
    "BOOT_MANIFEST_MAX_BLOBS": manifest.MAX_BLOBS,
    "BOOT_STAGE2_ADDR": manifest.STAGE2_ADDR,
    "BOOT_STAGE2_MAGIC": manifest.STAGE2_MAGIC,
    "BOOT_KERNEL_MAX": kernelfile.KERNEL_MAX,
    "BOOT_BUILD_ID_SIZE": manifest.BUILD_ID_SIZE,
    "BOOT_BLOB_KERNEL": manifest.BLOB_KERNEL,
    "BOOT_BLOB_KSYMS": manifest.BLOB_KSYMS,
    "BOOT_BLOB_REGISTRY": manifest.BLOB_REGISTRY,
    "BOOT_BLOB_CHECKED": manifest.BLOB_CHECKED,
    "offsetof(struct boot_manifest, crc32)": manifest.CRC_OFFSET,
    "KERNEL_HEADER_MAGIC": kernelfile.KERNEL_HEADER_MAGIC,
    "offsetof(struct kernel_header, build_id)": kernelfile.BUILD_ID_OFFSET,
    "BOOT_TARGET_SIZE": modlayout.TARGET_SIZE,
    "BOOT_MACHINE_I386": modlayout.MACHINE_I386,
    "BOOT_MACHINE_X86_64": modlayout.MACHINE_X86_64,
    "SCRATCH_HIGH": scratch.HIGH,
    "SCRATCH_COUNT_MAX": scratch.COUNT_MAX,
    "CACHE_PARTITION": cachelayout.PARTITION_TYPE,
    "CACHE_RECORD_MAGIC": cachelayout.RECORD_MAGIC,
    "CACHE_VERSION_MAJOR": cachelayout.VERSION_MAJOR,
    "CACHE_VERSION_MINOR": cachelayout.VERSION_MINOR,
    "CACHE_SUPERBLOCK_0": cachelayout.SUPERBLOCKS[0],
    "CACHE_SUPERBLOCK_1": cachelayout.SUPERBLOCKS[1],
    "CACHE_ARENA_LBA": cachelayout.ARENA_LBA,
    "CACHE_ARENA_ALIGN": cachelayout.ARENA_ALIGN,
    "CACHE_SECTORS_MIN": cachelayout.SECTORS_MIN,
    "CACHE_SECTORS_MAX": cachelayout.SECTORS_MAX,
    "CACHE_GENERATION_MAX": cachelayout.GENERATION_MAX,
    "CACHE_CLOCK_MAX": cachelayout.CLOCK_MAX,
    "CACHE_ENTRIES_MAX": cachelayout.ENTRIES_MAX,
    "CACHE_QUARANTINE_MAX": cachelayout.QUARANTINE_MAX,
    "CACHE_TOUCH_BYTES_MAX": cachelayout.TOUCH_BYTES_MAX,
    "CACHE_HEAT_BOOTS": cachelayout.HEAT_BOOTS,
    "CACHE_KEY_SIZE": cachelayout.KEY_SIZE,
    "CACHE_LINK_SIZE": cachelayout.LINK_SIZE,
    **{f"CACHE_{t.name}": t.value for t in cachelayout.Type},
    **{f"FLUID_CPU_{name.upper().replace('.', '')}": 1 << bit for name, bit in FEATURES.items()},
}


def places(layout: struct.Struct) -> list[tuple[int, int]]:
    """(offset, size) of every field of a little-endian format without padding."""
    codes = re.findall(r"\d+s|[a-zA-Z]", layout.format.removeprefix("<"))
    found, at = [], 0
    for code in codes:
        size = struct.calcsize("<" + code)
        found.append((at, size))
        at += size
    assert layout.format.startswith("<") and at == layout.size
    return found


def assertions() -> list[str]:
    lines = []
    for name, layout, fields in STRUCTS:
        lines.append(f"_Static_assert(sizeof(struct {name}) == {layout.size}, S);")
        for field, (offset, size) in zip(fields.split(), places(layout), strict=True):
            lines.append(f"_Static_assert(offsetof(struct {name}, {field}) == {offset}, S);")
            lines.append(f"_Static_assert(sizeof(((struct {name} *)0)->{field}) == {size}, S);")
    lines += [f"_Static_assert({name} == {value}, S);" for name, value in CONSTANTS.items()]
    return lines


def compile_assertions(target: str, lines: list[str]) -> subprocess.CompletedProcess[str]:
    headers = ("bootinfo", "cache", "cpu", "jit", "module", "registry", "scratch")
    source = "#include <stddef.h>\n" + "".join(f'#include "fluid/{h}.h"\n' for h in headers)
    source += '#define S "other layout in Python"\n' + "\n".join(lines)
    command = ["clang-19", f"--target={target}", "-std=c17", "-ffreestanding", "-fsyntax-only"]
    command += ["-Wall", "-Werror", f"-I{ROOT / 'src/include'}", "-x", "c", "-"]
    return subprocess.run(command, input=source, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("target", TARGETS)
def test_layouts_are_those_of_the_headers(target: str) -> None:
    result = compile_assertions(target, assertions())
    assert result.returncode == 0, result.stderr


def test_a_difference_would_be_noticed() -> None:
    wrong = ["_Static_assert(offsetof(struct mod_reloc, addend) == 12, S);"]
    assert "other layout in Python" in compile_assertions(TARGETS[0], wrong).stderr


def test_every_field_of_every_struct_is_listed() -> None:
    text = "".join(
        (ROOT / f"src/include/fluid/{h}.h").read_text()
        for h in ("bootinfo", "cache", "jit", "module", "registry", "scratch")
    )
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    for name, _, fields in STRUCTS:
        body = re.search(rf"struct {name} {{(.*?)}};", text, re.DOTALL)
        assert body, name
        declared = re.findall(r"(\w+)(?:\[\w+\])?\s*[,;]", body[1])
        assert declared == fields.split()


def test_cpu_features_are_those_of_the_header() -> None:
    text = (ROOT / "src/include/fluid/cpu.h").read_text()
    rows = re.findall(r'X\(\w+, "([^"]+)", (\d+),', text)
    assert {name: int(bit) for name, bit in rows} == FEATURES
    assert len(rows) == len(FEATURES) == text.count("    X(")


def test_kernel_symbol_table_is_that_of_the_header() -> None:
    """load/ksyms.h describes it in words; ksyms.c reads it as written here."""
    text = (ROOT / "src/kernel/load/ksyms.c").read_text()
    assert f"#define HEADER_SIZE {ksyms.HEADER.size}u" in text
    assert f'"{ksyms.MAGIC.decode()}"' in text


def test_boot_sectors_end_where_the_boot_code_says() -> None:
    """src/boot/layout.h limits stage1 and stage2; the writer of the boot area checks the same."""
    text = (ROOT / "src/boot/layout.h").read_text()
    limits = {
        name: int(value, 0) for name, value in re.findall(r"#define (\w+) (0x\w+|\d+)\b", text)
    }
    assert limits["STAGE1_CODE_MAX"] == manifest.STAGE1_CODE_MAX
    assert limits["STAGE2_LIMIT"] == manifest.STAGE2_END


def test_files_have_the_names_that_the_kernel_looks_for() -> None:
    """The model's and the compiler's, in the partition."""
    tool = (ROOT / "site_scons/site_tools/fluid_image.py").read_text()
    names = re.search(r'^    names = \("(.+)", "(.+)"\)', tool, re.MULTILINE)
    assert names
    headers = {"console/model.c": "MODEL_PATH", "jit/compiler.h": "COMPILER_FILE"}
    for (header, macro), name in zip(headers.items(), names.groups(), strict=True):
        assert f'#define {macro} "{name}"' in (ROOT / "src/kernel" / header).read_text()


# What the headers of the ABI say, as a digest of their words. When one changes, either nothing that
# a module sees has changed, or FLUID_KERNEL_ABI (module.h, modlayout.py) has to change, too.
ABI_HEADERS = ("bench.h", "cpu.h", "engine.h", "kapi.h", "tensor.h")
ABI_DIGEST = (11, "d745e8192c4e9d4d")


def test_the_abi_number_changes_with_the_headers() -> None:
    text = "".join((ROOT / "src/include/fluid" / name).read_text() for name in ABI_HEADERS)
    words = re.sub(r"/\*.*?\*/", " ", text, flags=re.DOTALL).split()
    digest = hashlib.sha256(" ".join(words).encode()).hexdigest()[:16]
    assert (modlayout.KERNEL_ABI, digest) == ABI_DIGEST
