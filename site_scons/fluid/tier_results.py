"""tiers-<runner>.json: one model in images that differ in which code of its operations they have,
measured in turns, and what follows from it.

`base` has one variant of each operation, `variants` those for better processors, too; with `-jit`
the machine has compiled what is hot before, and starts with that. Knobs are tuned in all of them.
`native` is what was built last for this processor. Times are nanoseconds by the machine's clock.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from fluid.canonical import canonical_json
from fluid.files import write_atomic
from fluid.peer_results import quartiles
from fluid.records import EventError
from fluid.samples import read_as

SCHEMA: Literal[1] = 1
SECOND = 10**9
COUNT = {"least": 1}
BASE, VARIANTS, BASE_JIT, VARIANTS_JIT, NATIVE = NAMES = (
    *("base", "variants", "base-jit", "variants-jit"),
    "native",
)
RATIOS = ("to base", "to its own T0", "to native")
ABOUT = {
    BASE: "base code alone",
    VARIANTS: "the best variant of the build",
    BASE_JIT: "base code, compiled on the machine",
    VARIANTS_JIT: "the best variant, compiled on the machine",
    NATIVE: "built for this processor",
}
# What is told apart of a token: operations whose names begin so.
PARTS = {"matrix products": ("matmul_",), "attention": ("attention",)}
OTHERS, REST = "other operations", "outside of operations"
STEPS = {  # before and after of what something contributes
    "the variant": (BASE, VARIANTS),
    "compiled code": (BASE, BASE_JIT),
    "compiled code beyond the variant": (VARIANTS, VARIANTS_JIT),
}

Name = Literal["base", "variants", "base-jit", "variants-jit", "native"]
Work = Literal["prompt", "decode"]


@dataclass(frozen=True, kw_only=True)
class Operation:
    """Calls of one shape, and their nanoseconds."""

    name: str
    rows: int = field(metadata={"least": 0})
    cols: int = field(metadata={"least": 0})
    calls: int = field(metadata={"least": 0})
    ns: int = field(metadata={"least": 0})


@dataclass(frozen=True, kw_only=True)
class Split:
    """One measurement of where the time of tokens goes that go through the model one at a time."""

    tokens: int = field(metadata=COUNT)
    ns: int = field(metadata=COUNT)
    operations: list[Operation]

    def parts(self) -> dict[str, float]:
        """Microseconds of a token."""
        found = dict.fromkeys((*PARTS, OTHERS), 0.0)
        for one in self.operations:
            fits = (part for part, begins in PARTS.items() if one.name.startswith(begins))
            found[next(fits, OTHERS)] += one.ns / 1000 / self.tokens
        found[REST] = self.ns / 1000 / self.tokens - sum(found.values())
        return found


@dataclass(frozen=True, kw_only=True)
class Build:
    """One image. prompt, decode: by round; off_*, on_*: of one that has code or knobs of its own,
    by turns in a process with the image's and with these; compile_ms: of each function and level
    that was compiled beforehand; decisions: about code and knobs while it was measured."""

    name: Name
    build: str
    variant: str | None
    prompt: list[int]
    decode: list[int]
    off_prompt: list[int]
    off_decode: list[int]
    on_prompt: list[int]
    on_decode: list[int]
    splits: list[Split]
    compile_ms: list[int]
    published: int = field(metadata={"least": 0})  # code
    tuned: int = field(metadata={"least": 0})  # knobs that got another value
    used: int = field(metadata={"least": 0})  # entries of the cache
    decisions: int = field(metadata={"least": 0})

    def times(self, work: Work) -> list[int]:
        """By round."""
        return self.prompt if work == "prompt" else self.decode

    def against_off(self, work: Work) -> tuple[float, float, float] | None:
        """Quartiles of the ratios in speed to the image's own code; above 1: faster."""
        on, off = (
            (self.on_prompt, self.off_prompt)
            if work == "prompt"
            else (self.on_decode, self.off_decode)
        )
        return quartiles([o / n for o, n in zip(off, on, strict=True)]) if on else None

    @property
    def parts(self) -> dict[str, float]:
        """Microseconds of a token, medians."""
        every = [split.parts() for split in self.splits]
        return {part: statistics.median(one[part] for one in every) for part in every[0]}


@dataclass(frozen=True, kw_only=True)
class Tiers:
    """The file; prompt, new: tokens of each measurement."""

    schema: Literal[1]
    target: str
    runner: str
    cpu: str
    model: str
    threads: int = field(metadata=COUNT)
    prompt: int = field(metadata=COUNT)
    new: int = field(metadata=COUNT)
    builds: list[Build]

    def of(self, name: str) -> Build | None:
        """None: it was not there."""
        return next((one for one in self.builds if one.name == name), None)

    def rates(self, build: Build, work: Work) -> list[float]:
        """Tokens a second, by round."""
        tokens = self.prompt if work == "prompt" else self.new
        return [tokens * SECOND / ns for ns in build.times(work)]

    def against(self, build: Build, name: str, work: Work) -> tuple[float, float, float] | None:
        """Quartiles of the rounds' ratios in speed to the build of that name; above 1: faster."""
        other = self.of(name)
        if other is None or other is build:
            return None
        pairs = zip(build.times(work), other.times(work), strict=True)
        return quartiles([theirs / ours for ours, theirs in pairs])

    @property
    def contributions(self) -> dict[str, dict[str, float]]:
        """By step and part, the share of a token's time before that it saves; "" is all of it."""
        found = {}
        for step, names in STEPS.items():
            before, after = (build.parts for build in map(self._there, names))
            whole = sum(before.values())
            saved = {part: (before[part] - after[part]) / whole for part in before}
            found[step] = {"": sum(saved.values()), **saved}
        return found

    @property
    def knobs(self) -> tuple[int, float]:
        """How many shapes got others with the best variant, and the share of the time of a new
        token behind the prompt that these save: the median of turns in one process."""
        build = self._there(VARIANTS)
        ratios = build.against_off("decode")
        return build.tuned, 1 - 1 / ratios[1] if ratios else 0.0

    def _there(self, name: str) -> Build:
        return next(one for one in self.builds if one.name == name)

    @property
    def compiled(self) -> tuple[float, float, float] | None:
        """p50, p95 and the most of compile times, milliseconds of CPU; None: nothing was."""
        times = sorted(ms for build in self.builds for ms in build.compile_ms)
        if not times:
            return None
        return statistics.median(times), times[(len(times) * 95 - 1) // 100], times[-1]


def write_tiers(found: Tiers, path: Path) -> None:
    write_atomic(path, canonical_json(asdict(found)))


def read_tiers(path: Path | str, target: str) -> Tiers:
    """E-RPT-03 when it is not what write_tiers writes."""
    return read_as(path, Tiers, SCHEMA, target, _check)


def _check(found: Tiers) -> None:
    names = [build.name for build in found.builds]
    if names not in (list(NAMES), list(NAMES[:-1])):
        raise EventError(f"tiers.builds: {', '.join(NAMES)} expected, {', '.join(names)} found")
    rounds = len(found.builds[0].decode)
    for build in found.builds:
        if not len(build.prompt) == len(build.decode) == rounds > 0 or not build.splits:
            raise EventError(f"{build.name}: as many rounds of each expected")
        own = (build.on_prompt, build.off_prompt, build.on_decode, build.off_decode)
        if len(set(map(len, own))) != 1:
            raise EventError(f"{build.name}: as many rounds with and without its own code expected")
        if min(sum(own, build.prompt + build.decode)) < 1 or min(build.compile_ms, default=0) < 0:
            raise EventError(f"{build.name}: times expected")


def table(found: Tiers) -> str:
    """For people."""
    lines = [
        f"tiers: {found.target}, {found.runner}, {found.cpu}, {found.threads} thread(s), "
        f"{found.model}; {len(found.builds[0].decode)} rounds",
        "tok/s: median (least to greatest); ratios: median of the rounds (quartiles)",
        f"to its own T0: {max(len(build.on_decode) for build in found.builds)} turns in a process",
    ]
    for work, title in (
        ("decode", f"decode, {found.new} tokens behind {found.prompt}"),
        ("prompt", f"prompt of {found.prompt}"),
    ):
        heads = "".join(f"{head:>22}" for head in RATIOS)
        lines.append(f"{title:<44}{'tok/s':>24}{heads}")
        lines += [_row(found, build, work) for build in found.builds]  # type: ignore[arg-type]
    tokens = found.builds[0].splits[0].tokens
    lines += [f"where the time of a token goes, us, over {tokens} tokens", *_parts(found)]
    if found.compiled:
        p50, p95, most = found.compiled
        count = sum(len(build.compile_ms) for build in found.builds)
        lines.append(
            f"compile times of {count} functions and levels, ms of CPU: p50 {p50:.0f}, "
            f"p95 {p95:.0f}, most {most:.0f}"
        )
    return "\n".join(lines)


def _row(found: Tiers, build: Build, work: Work) -> str:
    rates = found.rates(build, work)
    spread = f"{statistics.median(rates):.1f} ({min(rates):.1f} to {max(rates):.1f})"
    ratios = ratios_of(found, build, work)
    return f"  {ABOUT[build.name]:<42}{spread:>24}" + "".join(f"{one:>22}" for one in ratios)


def ratios_of(found: Tiers, build: Build, work: Work) -> list[str]:
    """In speed, below RATIOS."""
    base, native = (found.against(build, name, work) for name in (BASE, NATIVE))
    return [ratio(one) for one in (base, build.against_off(work), native)]


def ratio(quarters: Sequence[float] | None) -> str:
    """ "2.10 (1.98 to 2.20)"."""
    if quarters is None:
        return "-"
    low, middle, high = quarters
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


def _parts(found: Tiers) -> list[str]:
    head = "".join(f"{build.name:>14}" for build in found.builds)
    lines = [f"  {'':<24}{head}"]
    split = [build.parts for build in found.builds]
    for part in split[0]:
        lines.append(f"  {part:<24}" + "".join(f"{one[part]:>14.0f}" for one in split))
    lines.append("saved of a token's time before")
    for step, saved in found.contributions.items():
        named = ", ".join(f"{part} {share:.1%}" for part, share in saved.items() if part)
        lines.append(f"  {step:<34}{saved['']:>7.1%}: {named}")
    tuned, share = found.knobs
    lines.append(f"  {'knobs of the best variant':<34}{share:>7.1%}: {tuned} changed")
    return lines
