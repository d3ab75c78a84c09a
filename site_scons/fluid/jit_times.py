"""`scons jit-times`: how long jit.elf takes for each operation alone, at each level.

Times are CPU times that jit.elf measures itself, from its start on: the least of REPEATS. What a
machine needs goes by its processor; the table is for comparing operations and levels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fluid import jit
from fluid.cpu import CpuProfile
from fluid.files import StrPath
from fluid.jitlayout import LEVEL_MAX, Request, Response
from fluid.modread import read_mod

REPEATS = 3
LEVELS = range(LEVEL_MAX + 1)
NS_PER_MS = 1e6
PERCENTILES = (50, 95, 100)


@dataclass(frozen=True)
class Row:
    """One operation: milliseconds and bytes of its .mod at each level."""

    name: str
    parse: tuple[float, ...]
    optimise: tuple[float, ...]
    generate: tuple[float, ...]
    size: tuple[int, ...]

    @property
    def total(self) -> tuple[float, ...]:
        """Milliseconds at each level."""
        return tuple(map(sum, zip(self.parse, self.optimise, self.generate, strict=True)))


def percentile(values: Iterable[float], percent: int) -> float:
    """The smallest value that so many percent of all do not exceed."""
    ranked = sorted(values)
    return ranked[max(0, -(-len(ranked) * percent // 100) - 1)]


def row(name: str, best: Sequence[Response]) -> Row:
    """best: the response at each level."""

    def ms(values: Iterable[int]) -> tuple[float, ...]:
        return tuple(value / NS_PER_MS for value in values)

    return Row(
        name,
        ms(b.parse_ns for b in best),
        ms(b.optimise_ns for b in best),
        ms(b.generate_ns for b in best),
        tuple(len(b.mod) for b in best),
    )


def _total(response: Response) -> int:
    return response.parse_ns + response.optimise_ns + response.generate_ns


def measure(
    program: StrPath, requests: Sequence[Request], progress: Callable[[str], None]
) -> list[Row]:
    """A row for each entry point of each request."""
    rows = []
    for request in requests:
        for entry in request.entries:
            progress(entry)
            alone = replace(request, entries=(entry,))
            best = [
                min(
                    (
                        jit.compile_module(program, replace(alone, level=level))
                        for _ in range(REPEATS)
                    ),
                    key=_total,
                )
                for level in LEVELS
            ]
            rows.append(row(entry, best))
    return rows


def table(rows: Sequence[Row]) -> str:
    """As text: operations, then percentiles over all of them."""
    head = f"{'operation':<16}" + "".join(f"{f'O{level}':>8}" for level in LEVELS) + "  ms of CPU"

    def line(name: str, values: Iterable[float], form: str = "8.1f") -> str:
        return f"{name:<16}" + "".join(f"{value:{form}}" for value in values)

    lines = [head, *(line(r.name, r.total) for r in rows), ""]
    columns = list(zip(*(r.total for r in rows), strict=True))
    for percent in PERCENTILES:
        lines.append(line(f"p{percent}", (percentile(c, percent) for c in columns)))
    for phase in ("parse", "optimise", "generate"):
        parts = zip(*(getattr(r, phase) for r in rows), strict=True)
        lines.append(line(f"p50 {phase}", (percentile(part, 50) for part in parts)))
    sizes = zip(*(r.size for r in rows), strict=True)
    lines.append(line("p50 .mod, bytes", (percentile(size, 50) for size in sizes), "8.0f"))
    return "\n".join(lines)


def requests_of(pairs: Iterable[tuple[Path, Path]], profile: CpuProfile) -> list[Request]:
    """pairs: the .mod and the bitcode of each module, compiled for this profile."""
    return [
        jit.request_of(read_mod(mod), bitcode.read_bytes(), profile.features)
        for mod, bitcode in pairs
    ]
