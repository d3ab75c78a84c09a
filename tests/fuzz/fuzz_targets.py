"""The fuzz targets: what each is built from, and what it needs at run time.

Each is the real code and the harness of tests/host with a libFuzzer entry (fuzz_*.c) under
AddressSanitizer and UndefinedBehaviorSanitizer. make_corpus.py made the seeds in corpus/<name>/.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hostcc import FAIL, LINE_INPUT, PRINT, ROOT, build

FUZZ = ROOT / "tests" / "fuzz"
HOST = ROOT / "tests" / "host"
KERNEL = ROOT / "src" / "kernel"
LLAMA = ROOT / "src" / "modules" / "llama"
TENSOR = ROOT / "src" / "modules" / "tensor"


@dataclass(frozen=True)
class Target:
    """One fuzz target."""

    name: str
    about: str  # what is fed with any bytes
    sources: Sequence[Path]
    flags: Sequence[str]
    max_len: int  # bytes of an input
    models: Sequence[str] = ()  # of fuzz_models.py, opened once, before the first input
    words: bool = True  # <name>.dict

    @property
    def corpus(self) -> Path:
        return FUZZ / "corpus" / self.name

    @property
    def dictionary(self) -> Path:
        return FUZZ / f"{self.name}.dict"

    def program(self) -> Path:
        """Builds build/host/fuzz-<name>."""
        includes = ["-Itests/fuzz", "-Itests/host", "-D_GNU_SOURCE", "-fsanitize=fuzzer"]
        return build(f"fuzz-{self.name}", self.sources, flags=[*includes, *self.flags])


def _engine(name: str, source: str, about: str, **options: object) -> Target:
    code = [
        *sorted(LLAMA.glob("*.c")),
        *sorted(TENSOR.glob("tensor_*.c")),
        HOST / "kapi_host.c",
        FAIL,
    ]
    flags = [f"-I{LLAMA.relative_to(ROOT)}", "-fno-math-errno", "-ffp-contract=off", "-lm"]
    sources = [FUZZ / source, FUZZ / "fuzz_engine.c", *code]
    return Target(name, about, sources, flags, **options)  # type: ignore[arg-type]


def _kernel(*names: str) -> list[Path]:
    return [KERNEL / f"{name}.c" for name in names]


TARGETS = (
    _engine("gguf", "fuzz_gguf.c", "MODEL.GGUF: opened, tokenised, evaluated", max_len=20000),
    _engine(
        "bpe", "fuzz_tokenizer.c", "text, byte-level BPE", max_len=600, models=["bpe", "llama-bpe"]
    ),
    _engine("spm", "fuzz_tokenizer.c", "text, SentencePiece", max_len=600, models=["spm"]),
    _engine(
        "chat",
        "fuzz_chat.c",
        "a turn of a chat, every template",
        max_len=600,
        models=["bpe", "spm", "chatml", "zephyr", "llama-2", "llama-3"],
    ),
    Target(
        "fat16",
        "a FAT16 partition: mounted, listed, read",
        [
            FUZZ / "fuzz_fat16.c",
            *sorted((KERNEL / "fs").glob("fat16*.c")),
            *_kernel("dev/block", "dev/mbr", "console/utf8"),
        ],
        [],
        max_len=9 * 512,
        words=False,
    ),
    Target(
        "module",
        ".mod file or registry: checked, placed, relocated",
        [
            FUZZ / "fuzz_module.c",
            HOST / "loader_env.c",
            FAIL,
            KERNEL / "arch/x86/call_context.S",
            *_kernel("mm/heap_account", "mm/pool", "prof/profile"),
            *_kernel(
                *(f"load/{n}" for n in ("guard", "ksyms", "module_file", "module_place")),
                *(f"load/{n}" for n in ("module_run", "registry", "relocate", "sha256", "slot")),
            ),
        ],
        ["-fno-pie", "-no-pie", "-fno-sanitize=function", "-Wl,--wrap=paging_protect"],
        max_len=16384,
        words=False,
    ),
    Target(
        "console",
        "bytes at the serial port: lines, commands, settings, events",
        [
            FUZZ / "fuzz_console.c",
            HOST / "command_env.c",
            FAIL,
            PRINT,
            *_kernel(*(f"console/{n}" for n in ("argument", "base64", "command", "event"))),
            *_kernel(*(f"console/{n}" for n in ("command_model", "command_speed"))),
            *_kernel(*(f"console/{n}" for n in ("number", "settings", "stop"))),
            *LINE_INPUT,
        ],
        [],
        max_len=2000,
    ),
)
