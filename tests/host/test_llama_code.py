"""What the compiler makes of the llama module: for each target, with the flags of the image."""

import re
import subprocess
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from engine_driver import LLAMA
from fluid import libc_manifest
from fluid.cpu import load_profile
from fluid.flags import module_flags
from fluid.plan import baseline
from fluid.targets import TARGETS, Target
from hostcc import CC, ROOT

INCLUDE = ROOT / "src" / "include" / "fluid"
LIBC = libc_manifest.load(ROOT / libc_manifest.MANIFEST).entry_points("llama")
FRAME_LIMIT = 1024  # bytes per function; calls nest some eight deep, and nothing recurses


def linked(target: Target, folder: Path) -> ELFFile:
    """The module as one relocatable object, with the compiler's helpers for 64-bit arithmetic."""
    profile = load_profile(ROOT / "profiles" / "cpu" / f"{target.variants[0]}.json")
    flags = module_flags(target, profile, baseline("test"))
    objects = []
    for source in sorted(LLAMA.glob("*.c")):
        objects.append(str(folder / f"{source.stem}.o"))
        extra = [
            "-Isrc/include",
            "-Isrc/llvmlibc_subset/include",
            f"-Wframe-larger-than={FRAME_LIMIT}",
        ]
        command = [CC, *flags, *extra, "-c", str(source.relative_to(ROOT)), "-o", objects[-1]]
        subprocess.run(command, cwd=ROOT, check=True)
    [triple] = [flag for flag in flags if flag.startswith("--target=")]
    triple = triple.replace("unknown-none-elf", "unknown-linux-gnu")
    query = [CC, triple, "-rtlib=compiler-rt", "-print-libgcc-file-name"]
    builtins = subprocess.run(query, check=True, capture_output=True, text=True).stdout.strip()
    output = folder / "llama.o"
    subprocess.run(["ld.lld-19", "-r", "-o", str(output), *objects, builtins], check=True)
    return ELFFile.load_from_path(str(output))


@pytest.mark.parametrize("target", TARGETS.values(), ids=str)
def test_imports_exports_and_data(target: Target, tmp_path: Path) -> None:
    elf = linked(target, tmp_path)
    named = [s for s in elf.get_section_by_name(".symtab").iter_symbols() if s.name]
    undefined = {s.name for s in named if s["st_shndx"] == "SHN_UNDEF"}
    api = set(re.findall(r"\b(fluid_\w+)\(", (INCLUDE / "kapi.h").read_text()))
    assert undefined <= api | LIBC
    exported = {
        s.name
        for s in named
        if s["st_info"]["bind"] == "STB_GLOBAL"
        and s["st_other"]["visibility"] == "STV_DEFAULT"
        and s["st_shndx"] != "SHN_UNDEF"
    }
    typedefs = re.findall(r"typedef .*?\b(llama_\w+)_fn\(", (INCLUDE / "engine.h").read_text())
    assert len(typedefs) == 10 and exported == set(typedefs)
    # All state is in struct llama_model: the code may be replaced while the system runs.
    writable = [s for s in elf.iter_sections() if s.name.startswith((".data", ".bss"))]
    assert sum(s["sh_size"] for s in writable if ".rel.ro" not in s.name) == 0
    elf.close()
