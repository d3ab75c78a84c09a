"""The CPU profile of the building machine, from three witnesses that must agree.

The compiler says what `-march=native` means here, for which it asks CPUID, Linux what it found and
switched on (/proc/cpuinfo), py-cpuinfo what it makes of both. A feature counts when all have it on
every processor and when what it brings along counts, too; the rest is told, not used: hypervisors
mask bits, and a CPU's name promises more than a machine has.

E-CPU-22 no x86 machine, or one below every level.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fluid.canonical import canonical_json
from fluid.cpu import CpuProfile, Processor, load_profile, profile_from_dict
from fluid.cpu_check import PROFILE_SCHEMA
from fluid.cpufeatures import FEATURES, LEVELS, implied, ordered
from fluid.errors import FluidError
from fluid.files import write_atomic

PROC = Path("/proc/cpuinfo")
CACHES = Path("/sys/devices/system/cpu/cpu0/cache")
SECONDS = 60

# Linux' names (arch/x86/include/asm/cpufeatures.h) where they are not the compiler's.
LINUX = {name: name for name in FEATURES} | {
    "sse3": "pni",
    "sse4.1": "sse4_1",
    "sse4.2": "sse4_2",
    "sahf": "lahf_lm",
    "bmi": "bmi1",
    "lzcnt": "abm",
    "avx512vnni": "avx512_vnni",
}
LONG_MODE = "lm"

_TARGET_FEATURE = re.compile(r'"-target-feature" "\+([^"]+)"')
_SIZE = re.compile(r"(\d+)([KM]?)")
_UNIT = {"": 1, "K": 1 << 10, "M": 1 << 20}

Processors = list[dict[str, str]]  # /proc/cpuinfo: key to value of each processor


@dataclass(frozen=True)
class Scan:
    """What was found: the profile, and one sentence for each feature that witnesses disagree on."""

    profile: CpuProfile
    differences: list[str]


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    """A program that takes too long has said nothing."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 1, "", "")


def compiler_says(compiler: str) -> set[str]:
    """Features that -march=native switches on, in the compiler's names."""
    # Without -###, which the driver prints to standard error, nothing would be resolved.
    done = _run([compiler, "-march=native", "-###", "-E", "-x", "c", "/dev/null"])
    return set(_TARGET_FEATURE.findall(done.stderr))


def processors(text: str) -> Processors:
    """The processors of a /proc/cpuinfo."""
    found = []
    for block in text.split("\n\n"):
        rows = (line.partition(":") for line in block.splitlines() if ":" in line)
        block_of = {key.strip(): value.strip() for key, _, value in rows}
        if "processor" in block_of:
            found.append(block_of)
    return found


def _read(proc: Path) -> Processors:
    try:
        return processors(proc.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return []  # not Linux: scan() says what is missing


def linux_says(found: Processors) -> set[str]:
    """Linux' flags that every processor has: of a hybrid CPU what all kinds of core have."""
    return set.intersection(*(set(p.get("flags", "").split()) for p in found)) if found else set()


def cpuinfo_says() -> dict[str, Any]:
    """py-cpuinfo's findings, from a process of its own: it executes code that it makes up. Empty
    when it fails."""
    done = _run([sys.executable, "-m", "cpuinfo", "--json"])
    try:
        data = json.loads(done.stdout) if done.returncode == 0 else {}
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


def agreed(witnesses: Mapping[str, set[str]]) -> tuple[tuple[str, ...], list[str]]:
    """(features that every witness names, with all that they bring along; one sentence for each
    that only some name). The names are FEATURES'."""
    common = set.intersection(*witnesses.values())
    whole = ordered(name for name in common if common.issuperset(implied(name)))
    said = []
    for name in ordered(set.union(*witnesses.values()) - set(whole)):
        lacks = [who for who, features in witnesses.items() if name not in features]
        has = [who for who in witnesses if who not in lacks]
        reason = (
            f"found by {', '.join(has)}, not by {', '.join(lacks)}"
            if lacks
            else f"without {' '.join(n for n in implied(name) if n not in common)}"
        )
        said.append(f"{name}: {reason}; left out")
    return whole, said


def caches(folder: Path) -> dict[str, int]:
    """l1d, l2, l3 and line in bytes, as far as Linux knows them."""
    found: dict[str, int] = {}
    for index in sorted(folder.glob("index*")):
        try:
            level, kind, size, line = (
                (index / name).read_text().strip()
                for name in ("level", "type", "size", "coherency_line_size")
            )
        except OSError:
            continue
        key = {"1Data": "l1d", "2Unified": "l2", "3Unified": "l3"}.get(level + kind)
        match = _SIZE.fullmatch(size)
        if key and match and line.isdigit():
            found[key] = int(match[1]) * _UNIT[match[2]]
            found["line"] = int(line)
    return found


def _processor(found: Processors, folder: Path) -> Processor:
    def number(key: str) -> int | None:
        text = found[0].get(key, "")
        return int(text) if text.isdigit() else None

    return Processor(
        vendor=found[0].get("vendor_id"),
        family=number("cpu family"),
        model=number("model"),
        cores=len(found),
        **caches(folder),
    )


def _plausible(profile: dict[str, Any], processor: Processor) -> dict[str, Any]:
    """What a profile may say of a processor; hypervisors tell of caches without a size."""
    kept = {}
    for key, value in asdict(processor).items():
        try:
            profile_from_dict(profile | {"processor": {key: value}}, "this machine")
        except FluidError:
            continue
        kept[key] = value
    return kept


def scan(compiler: str, proc: Path = PROC, folder: Path = CACHES) -> Scan:
    """The profile of this machine; its tag is what images for it say of themselves."""
    found = _read(proc)
    flags = linux_says(found)
    cpuinfo = cpuinfo_says()
    witnesses = {"the compiler": compiler_says(compiler) & FEATURES.keys()}
    for who, names in (("Linux", flags), ("py-cpuinfo", set(cpuinfo.get("flags", [])))):
        witnesses[who] = {name for name, linux in LINUX.items() if linux in names}
    features, differences = agreed(witnesses)
    march = "x86-64" if LONG_MODE in flags else "i686"
    if not set(features) >= set(LEVELS[march].features):
        raise FluidError(
            "E-CPU-22",
            f"this machine: an x86 processor with {' '.join(LEVELS[march].features)} expected, "
            f"found {' '.join(features) or 'none of it'}; give target= a level or a profile",
        )
    data = CpuProfile("scanned", march, features).to_dict()
    data["processor"] = _plausible(data, _processor(found, folder))
    tag = profile_from_dict(data, "this machine").image_tag
    return Scan(profile_from_dict(data | {"tag": tag}, "this machine"), differences)


def _fingerprint(compiler_version: str, proc: Path) -> str:
    """Changes with the machine, the compiler and the scanner; asking costs milliseconds."""
    found = _read(proc)
    keys = ("vendor_id", "cpu family", "model", "stepping", "microcode", "flags")
    facts = sorted({tuple(p.get(key, "") for key in keys) for p in found})
    own = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    said = [PROFILE_SCHEMA, list(FEATURES), own, compiler_version, len(found), facts]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def store(found: Scan, path: Path, compiler_version: str, proc: Path = PROC) -> None:
    """Writes the profile, and next to it what it depends on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, canonical_json(found.profile.to_dict()))
    note = {"fingerprint": _fingerprint(compiler_version, proc), "differences": found.differences}
    write_atomic(path.with_suffix(".scan"), canonical_json(note))


def native_profile(path: Path, compiler: str, compiler_version: str, proc: Path = PROC) -> None:
    """Sees to it that `path` holds the profile of this very machine: scans unless it does."""
    try:
        note = json.loads(path.with_suffix(".scan").read_text(encoding="utf-8"))
        load_profile(path)
        if note["fingerprint"] == _fingerprint(compiler_version, proc):
            return
    except (OSError, ValueError, KeyError, TypeError, FluidError):
        pass
    store(scan(compiler, proc), path, compiler_version, proc)


def story(found: Scan, path: Path) -> str:
    """The scan for people."""
    profile = found.profile
    known = asdict(profile.processor) if profile.processor else {}
    lines = [canonical_json(profile.to_dict()).decode().rstrip()]
    lines += [f"differs {sentence}" for sentence in found.differences]
    lines += [f"not known: {key}" for key, value in known.items() if value is None]
    beyond = [n for n in profile.features if n not in LEVELS[profile.level].features]
    lines.append(f"level {profile.level}, beyond it: {' '.join(beyond) or 'nothing'}")
    return "\n".join([*lines, f"stored as {path}; target=native uses it, and so does target=FILE"])
