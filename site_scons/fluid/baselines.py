"""Baselines: instructions that each benchmark takes, by target, as they were accepted.

profiles/instructions/<target>.json is what `scons bench check=1` measures against and what
check=write replaces (instructions.py). It says which compiler its image was made with, and nothing
of the machine that counted: instructions are the same on all.

E-BENCH-50 a target has none, 53 a file is damaged, of another schema or target, or absent.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fluid.canonical import canonical_json
from fluid.errors import FluidError
from fluid.files import write_atomic
from fluid.probe import BEYOND_TCG
from fluid.targets import TARGETS

BASELINE_SCHEMA = 1
FOLDER = "profiles/instructions"
MEASURED = tuple(tag for tag in TARGETS if tag != BEYOND_TCG)  # Bochs does not count like TCG


@dataclass(frozen=True)
class ModelCount:
    """Instructions of llama_eval for one generated token."""

    name: str  # of the model, as `ready` tells it
    instructions: int


@dataclass(frozen=True)
class Counts:
    """What one target takes. model: None when it was not measured."""

    target: str
    tools: str  # versions of the compiler, as they print them
    benchmarks: dict[str, int]  # instructions of one call at the default size
    model: ModelCount | None = None


def check_target(target: str) -> None:
    """E-BENCH-50 for a target whose instructions nothing counts."""
    if target not in MEASURED:
        raise FluidError(
            "E-BENCH-50",
            f"a target with baselines expected ({'|'.join(MEASURED)}), found {target}; no other "
            "runs in QEMU's TCG by a level's name, where instructions are counted",
        )


def compiler(tools: str) -> str:
    """The versions without the folder that clang names, too: it is this host's."""
    parts = (part.strip() for part in tools.split(";"))
    return "; ".join(part for part in parts if not part.startswith("InstalledDir"))


def baseline_file(top: Path, target: str) -> Path:
    """Where the baselines of a target are kept."""
    return top / FOLDER / f"{target}.json"


def write_baselines(counts: Counts, path: Path) -> None:
    """Replaces the file."""
    write_atomic(path, canonical_json({"schema": BASELINE_SCHEMA, **asdict(counts)}))


def read_baselines(path: Path, target: str) -> Counts:
    """Raises E-BENCH-53 for anything that is not as write_baselines leaves it."""
    try:
        found = _counts(json.loads(path.read_text(encoding="utf-8")))
        if found.target != target:
            raise ValueError(f"target {target} expected, {found.target} found")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        what = error.strerror if isinstance(error, OSError) else error
        raise FluidError(
            "E-BENCH-53",
            f"{FOLDER}/{path.name}: baselines expected ({what}); restore the file, or measure anew "
            f"with ./sconsw bench check=write target={target}",
        ) from error
    return found


def _counts(data: Any) -> Counts:
    if data["schema"] != BASELINE_SCHEMA:
        raise ValueError(f"schema {BASELINE_SCHEMA} expected, {data['schema']} found")
    known = {"schema", "target", "tools", "benchmarks", "model"}
    if data.keys() != known:
        raise ValueError(f"fields {' '.join(sorted(known))} expected, {' '.join(data)} found")
    benchmarks = {name: _positive(value, name) for name, value in data["benchmarks"].items()}
    model = data["model"]
    if model is not None:
        model = ModelCount(_text(model["name"]), _positive(model["instructions"], "model"))
    return Counts(_text(data["target"]), _text(data["tools"]), benchmarks, model)


def _positive(value: Any, where: str) -> int:
    if type(value) is not int or value <= 0:
        raise ValueError(f"{where}: a number of instructions expected, {value!r:.40} found")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"a text expected, {value!r:.40} found")
    return value
