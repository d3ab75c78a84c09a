"""What each target is, as a table: machine, variants, and where its sources are.

A tensor module is built once per variant; the loader takes the highest-ranked one that the CPU
can run. The kernel and the module `llama` are built for the lowest, which is the target itself
where it is a level (cpu_custom.py makes targets that are none).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fluid.cpufeatures import LEVELS


@dataclass(frozen=True)
class Target:
    """One value of `target=`."""

    tag: str
    arch: str  # folder below src/kernel/arch
    triple: str
    host_triple: str  # the same machine under Linux
    code_model: tuple[str, ...]
    builtins: str  # compiler-rt's name for the architecture
    lowest: str  # CPU tag that every CPU of this architecture has; fluid-host itself runs there
    variants: tuple[str, ...]  # CPU tags of tensor modules, lowest rank first
    folder: str  # its own below build/
    emulated: str  # key into emulator.EMULATED: a machine that runs the lowest variant at least
    own_profile: str | None = None  # file with the profile of `tag`; None: it is a level's

    @property
    def base(self) -> str:
        """CPU tag of the kernel: nothing in an image runs on less."""
        return self.variants[0]

    @property
    def profiles(self) -> tuple[str, ...]:
        """Every CPU tag that something of this target is compiled for."""
        return tuple(dict.fromkeys((self.lowest, *self.variants)))

    @property
    def profile_files(self) -> tuple[str, ...]:
        """The files of these profiles, those of levels relative to the tree."""
        return tuple(
            self.own_profile if tag == self.tag and self.own_profile else f"profiles/cpu/{tag}.json"
            for tag in self.profiles
        )


LONG_MODE = tuple(tag for tag, level in LEVELS.items() if level.march == "x86-64")


def _long_mode(level: str) -> Target:
    """A 64-bit target; its image carries the variants of its own level and of all above."""
    variants = LONG_MODE[LONG_MODE.index(level) :]
    return Target(
        level,
        "x86_64",
        "x86_64-unknown-none-elf",
        "x86_64-linux-gnu",
        ("-mcmodel=small",),
        "x86_64",
        LONG_MODE[0],
        variants,
        level,
        level,
    )


TARGETS: dict[str, Target] = {
    t.tag: t
    for t in (
        Target(
            "i686",
            "i686",
            "i686-unknown-none-elf",
            "i686-linux-gnu",
            (),
            "i386",
            "i686",
            ("i686", "i686-v2"),
            "i686",
            "i686",
        ),
        *map(_long_mode, LONG_MODE),
    )
}
DEFAULT_TARGET = "x86-64-v2"
NATIVE = "native"  # value of target= and folder: the building machine (cpu_custom.py)
# Values of variants=: what code the registry holds; base: the lowest only; none: bitcode alone.
VARIANTS = ("all", "base", "none")

OWN = "own"
TOLD = "src/kernel/arch/x86/target.c"  # the file that is told what it is built for

KERNEL_FOLDERS = (
    "arch/x86",
    "arch/{arch}",
    "mm",
    "dev",
    "fs",
    "load",
    "task",
    "prof",
    "cache",
    "jit",
    "console",
    "selftest",
    "lib",
)
ARCH_FOLDERS = {"x86_64": ("abi/linux",)}  # of the kernel, on machines of that architecture only

# The kernel as a Linux process: what is above the machine, and arch/hosted in the machine's place.
HOST_FOLDERS = (
    "arch/hosted",
    *(f for f in KERNEL_FOLDERS if f != "dev" and not f.startswith("arch/")),
)
HOST_FILES = (
    "main.c",
    "arch/x86/backtrace.c",
    "arch/x86/call_context.S",
    "arch/x86/cpu.c",
    "arch/x86/extended.c",
    "arch/x86/random.c",
    "arch/x86/stack_protector.c",
    "arch/x86/target.c",
    "arch/x86/task_arch.c",
    "arch/x86/task_switch.S",
    "arch/x86/time.c",
    "arch/x86/trap_recover.c",
    "arch/x86/trap_report.c",
    "arch/x86_64/core_serve.c",
    "dev/block.c",
    "dev/mbr.c",
    "../boot/stage2_crc32.c",
)
HOST_REPLACED = (
    *("mm/paging.c", "mm/paging_layout.c"),
    *("selftest/privileged.c", "selftest/test_machine.c"),
)


MODULE_INCLUDES = ("src/include", "src/llvmlibc_subset/include")
CXX_INCLUDES = (*MODULE_INCLUDES, "src/modules/cxx/include")
CXX_RUNTIME = "src/modules/cxx/runtime.cpp"  # linked into each module with a source in C++
CATEGORIES = {  # by folder of src/modules
    "bench": "bench",
    "tensor": "tensor",
    "llama": "control",
    "trial": "control",
}
WHOLE = ("llama", "trial")  # folders whose sources are one module together
# Categories whose modules are built with their own branch counters. Others have variants, of which
# a run sees one.
COUNTED = ("bench", "control")


@dataclass(frozen=True)
class ModuleVariant:
    """One .mod file: module `name` compiled for CPU tag `tag`."""

    name: str
    tag: str
    rank: int
    file: str
    place: str  # folder of its objects, the tag of a level
    sources: tuple[str, ...]
    code: bool = True  # False: bitcode alone, for the compiler on the machine

    @property
    def category(self) -> str:
        """What the plan's thresholds go by."""
        return CATEGORIES[Path(self.sources[0]).parent.name]

    @property
    def is_cxx(self) -> bool:
        """Whether it needs C++'s runtime."""
        return any(source.endswith(".cpp") for source in self.sources)

    @property
    def key(self) -> str:
        """Unique within a target; names its flags."""
        return f"{self.name}.{self.place}"


def place_of(tag: str) -> str:
    """Folder of objects for this CPU tag."""
    return tag if tag in LEVELS else OWN


def _sources(folder: Path, *suffixes: str) -> list[Path]:
    return sorted(p for suffix in suffixes for p in folder.glob(f"*{suffix}"))


def _relative(top: Path, files: list[Path]) -> list[str]:
    return [f.relative_to(top).as_posix() for f in files]


def kernel_sources(target: Target, top: Path) -> list[str]:
    """main.c and everything in the kernel's folders for this target, in a fixed order."""
    kernel = top / "src/kernel"
    files = _sources(kernel, ".c")
    for folder in (*KERNEL_FOLDERS, *ARCH_FOLDERS.get(target.arch, ())):
        files += _sources(kernel / folder.format(arch=target.arch), ".c", ".S")
    return _relative(top, files)


def host_sources(top: Path, check: str) -> list[str]:
    """Sources of fluid-host, the same for every target, in a fixed order."""
    kernel = top / "src/kernel"
    files = [(kernel / name).resolve() for name in HOST_FILES]
    for folder in (*HOST_FOLDERS, f"arch/hosted/{check}"):
        files += _sources(kernel / folder, ".c", ".S")
    replaced = {kernel / name for name in HOST_REPLACED}
    return _relative(top, [file for file in files if file not in replaced])


def boot_sources(stage: str, top: Path) -> list[str]:
    """Sources of `stage1` or `stage2`: src/boot/<stage>*.{S,c}."""
    boot = top / "src/boot"
    return _relative(top, sorted([*boot.glob(f"{stage}*.S"), *boot.glob(f"{stage}*.c")]))


def module_variants(
    target: Target, top: Path, wanted: str = "all", jit: bool = False
) -> list[ModuleVariant]:
    """Every .mod of the registry, sorted by name then rank; `wanted` is one of VARIANTS.

    Each src/modules/tensor/tensor_<x>.c is a module in all variants; the sources in
    src/modules/llama together are the module `llama` in the lowest only: it spends no time worth a
    second copy. So is `trial`. Each benchmark src/modules/bench/<x>.{c,cpp} is a module in the
    lowest, too. The variant of the target's own tag, or the only one with code, gets the plain
    name. Objects for a tag that is no level lie in OWN: the tag changes with the features, and what
    is old is to be replaced. With `jit` (which wanted="none" needs) the variants of tensor modules
    that are not wanted, and the higher ones of benchmarks in C, are there as bitcode.
    """
    lowest = target.variants[:1]
    code = {"all": target.variants, "base": lowest, "none": ()}[wanted]
    least = () if wanted == "none" else lowest
    chosen = target.variants if jit else code or lowest
    plain = target.tag if len(chosen) > 1 else chosen[0]
    modules = {
        path.stem: (_relative(top, [path]), chosen, code, plain)
        for path in _sources(top / "src/modules/tensor", ".c")
        if path.stem.startswith("tensor_")
    }
    for name in WHOLE:
        sources = _relative(top, _sources(top / "src/modules" / name, ".c", ".cpp"))
        if sources:
            modules[name] = (sources, lowest, lowest, lowest[0])
    for path in _sources(top / "src/modules/bench", ".c", ".cpp"):
        made_here = jit and path.suffix == ".c"  # without the runtime that C++ modules bring along
        tags, coded = (target.variants, least) if made_here else (lowest, lowest)
        modules[path.stem] = (_relative(top, [path]), tags, coded, lowest[0])
    found = []
    for name, (sources, tags, coded, named) in sorted(modules.items()):
        for rank, tag in enumerate(tags, start=1):
            file = f"{name}.mod" if tag == named else f"{name}.{tag}.mod"
            found.append(
                ModuleVariant(name, tag, rank, file, place_of(tag), tuple(sources), tag in coded)
            )
    return found
