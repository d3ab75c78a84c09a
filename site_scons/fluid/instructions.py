"""`scons bench check=1`: no benchmark may take more instructions than its baseline and 3 % on top.

Instructions do not depend on how busy the host is. QEMU's TCG with `-icount shift=N` lets virtual
time go on by 2^N ns with each instruction and by nothing else while one runs (QEMU's manual, "TCG
instruction counting"), and the time stamp counter is that time in ns: so an instruction is 2^N
ticks of it. The kernel's cycles are differences of that counter, and 2^N divides them.

The minimum of many calls counts: others are interrupted more often, by the timer (100 Hz, some 1200
instructions) and by rarer work of the kernel. CALLS are enough to meet the cheapest way through the
two or three interrupts of a call of 20 ms, so that two runs give equal numbers. The model's is a
median over tokens, which are not alike in that: runs were up to 0.2 % apart.

E-BENCH-51 more instructions, 52 a benchmark without baseline or the reverse, 54 no instructions.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fluid.baselines import (
    Counts,
    ModelCount,
    baseline_file,
    check_target,
    compiler,
    read_baselines,
    write_baselines,
)
from fluid.errors import FluidError
from fluid.event_types import Bench, Error, Hotness, Prompt, Ready
from fluid.history import FILE, IMAGE, Recorder, taken
from fluid.machine import Machine
from fluid.progress import show_progress
from fluid.training import (
    BOOT_SECONDS,
    COUNTING,
    DEFAULT_SIZE,
    ICOUNT,
    STEP_SECONDS,
    TICKS,
    export,
    run_benchmark,
)

PERCENT = 3  # more than the baseline that is let pass
CALLS = 100
TEXT = "/complete 9 Water boils at"  # one call with the prompt, eight with one token each

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Row:
    """One line of the table. None: there is no such number."""

    name: str
    baseline: int | None
    now: int | None
    needed: bool = True  # False: it may go unmeasured

    @property
    def slower(self) -> bool:
        """More than PERCENT above the baseline."""
        if self.baseline is None or self.now is None:
            return False
        return self.now * 100 > self.baseline * (100 + PERCENT)

    @property
    def unpaired(self) -> bool:
        """Measured without a baseline, or the reverse."""
        return self.baseline is None or (self.now is None and self.needed)

    @property
    def verdict(self) -> str:
        """In words."""
        if self.baseline is None:
            return "NO BASELINE"
        if self.now is None:
            return "NO BENCHMARK" if self.needed else "not measured"
        if self.slower:
            return "MORE"
        if self.now > self.baseline:
            return "more, let pass"
        return "equal" if self.now == self.baseline else "fewer"


def instructions(ticks: int, what: str) -> int:
    """E-BENCH-54 when they cannot be a number of instructions."""
    if ticks <= 0 or ticks % TICKS != 0:
        raise FluidError(
            "E-BENCH-54",
            f"{what}: a multiple of {TICKS} ticks expected with -icount {ICOUNT}, found {ticks}; "
            "is this QEMU's TCG?",
        )
    return ticks // TICKS


def run_benchmarks(machine: Machine, names: Iterable[str], progress: Progress) -> dict[str, Bench]:
    """Each at its default size, on a machine at its prompt."""
    found = {}
    for name in names:
        progress(name)
        found[name] = run_benchmark(machine, name, DEFAULT_SIZE, CALLS)
    return found


def count_benchmarks(ran: Mapping[str, Bench]) -> dict[str, int]:
    """Instructions of one call of each."""
    return {name: instructions(bench.min, name) for name, bench in ran.items()}


def model_ticks(found: Hotness) -> int:
    """The median of llama_eval; E-BENCH-54 when it was not called for one token after the other."""
    for function in found.functions:
        if function.name == "llama_eval" and function.calls > 2:
            return function.median
    raise FluidError(
        "E-BENCH-54",
        "calls of llama_eval for a few tokens expected, found none; does the model complete "
        f"{TEXT!r}?",
    )


def count_model(machine: Machine, name: str, progress: Progress) -> ModelCount:
    """Instructions of llama_eval for a token. Its median is a mean, so not a multiple of TICKS."""
    progress(TEXT)
    machine.command("/profile reset")
    for event in machine.command(TEXT, STEP_SECONDS):
        if isinstance(event, Error):
            raise FluidError(
                "E-BENCH-54", f"{TEXT!r} expected to run, found {event.code}: {event.text}"
            )
    return ModelCount(name, model_ticks(export(machine)) // TICKS)


def measure(
    image: Path,
    names: Sequence[str],
    recorder: Recorder,
    *,
    target: str,
    tools: str,
    mem: int,
    with_model: bool,
) -> Counts:
    """Boots the image once. with_model: the one that it has counts, too."""
    with Machine(image, target=target, runner="tcg", icount=ICOUNT, mem=mem) as machine:
        events = machine.wait_for(Ready, BOOT_SECONDS)
        machine.wait_for(Prompt, BOOT_SECONDS)
        ran = run_benchmarks(machine, names, show_progress)
        benchmarks = count_benchmarks(ran)
        recorder.add(IMAGE, COUNTING, taken(machine, ran), "instructions", TICKS)
        ready = events[-1]
        assert isinstance(ready, Ready)
        model = None
        if with_model and ready.model is not None:
            model = count_model(machine, ready.model, show_progress)
    print(file=sys.stderr)
    return Counts(target, tools, benchmarks, model)


def _by_row(counts: Counts) -> dict[str, int]:
    model = counts.model
    return counts.benchmarks | ({f"token of {model.name}": model.instructions} if model else {})


def compare(baseline: Counts, now: Counts) -> list[Row]:
    """Every benchmark of either; the model's baseline needs no counterpart in an image without."""
    before, after = _by_row(baseline), _by_row(now)
    optional = before.keys() - baseline.benchmarks.keys() if now.model is None else set()
    return [
        Row(name, before.get(name), after.get(name), name not in optional)
        for name in dict.fromkeys((*sorted(baseline.benchmarks | now.benchmarks), *before, *after))
    ]


def problems(rows: Iterable[Row], target: str) -> list[FluidError]:
    """One for each kind of failure; empty when all is well."""
    rows = list(rows)
    found = []
    slower = [f"{row.name} {row.baseline} and found {row.now}" for row in rows if row.slower]
    if slower:
        found.append(
            FluidError(
                "E-BENCH-51",
                f"at most {PERCENT} % more instructions than the baselines of {target} expected: "
                f"{'; '.join(slower)}; find what made it slower, or accept it with ./sconsw bench "
                f"check=write target={target}",
            )
        )
    unpaired = [f"{row.name}: {row.verdict.lower()}" for row in rows if row.unpaired]
    if unpaired:
        found.append(
            FluidError(
                "E-BENCH-52",
                f"a baseline for each benchmark of {target} expected and no other, found "
                f"{'; '.join(unpaired)}; write them with ./sconsw bench check=write "
                f"target={target}",
            )
        )
    return found


def table(rows: Iterable[Row], baseline: Counts, now: Counts) -> str:
    """For people."""
    lines = [
        f"instructions of one call on {now.target}, {COUNTING}, the fewest of {CALLS}",
        f"  {'benchmark':<44} {'baseline':>12} {'now':>12} {'ratio':>7}  verdict",
    ]
    for row in rows:
        both = row.baseline is not None and row.now is not None
        ratio = f"{row.now / row.baseline:.4f}" if both else "-"  # type: ignore[operator]
        before, after = (n if n is not None else "-" for n in (row.baseline, row.now))
        lines.append(f"  {row.name:<44} {before:>12} {after:>12} {ratio:>7}  {row.verdict}")
    if baseline.tools != now.tools:
        lines.append(f"  the baselines were made with {baseline.tools or 'nothing'}")
        lines.append(f"  this image was made with {now.tools}")
    return "\n".join(lines)


def _previous(path: Path, target: str) -> Counts:
    """What is replaced; a file that cannot be read has nothing to show."""
    try:
        if path.is_file():
            return read_baselines(path, target)
    except FluidError as error:
        print(f"replaced: {error}", file=sys.stderr)
    return Counts(target, "", {})


def run_gate(
    image: Path,
    names: Sequence[str],
    *,
    top: Path,
    target: str,
    tools: str,
    mem: int,
    with_model: bool,
    write: bool,
) -> int:
    """Measures and prints the table; 0 when nothing takes more than it may, or, with `write`, when
    the baselines are those measured now. They have to have the model's."""
    path = baseline_file(top, target)
    try:
        check_target(target)
        baseline = _previous(path, target) if write else read_baselines(path, target)
        options = {"target": target, "tools": compiler(tools), "mem": mem}
        recorder = Recorder(top / "build" / FILE, target, "bench")
        now = measure(image, names, recorder, with_model=with_model, **options)  # type: ignore[arg-type]
        recorder.write()
        rows = compare(baseline, now)
        print(table(rows, baseline, now))
        if write and now.model is None:
            raise FluidError(
                "E-BENCH-54",
                "the default model expected for a token's baseline, found none; run ./sconsw, "
                "which installs it",
            )
    except FluidError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    if write:
        write_baselines(now, path)
        print(f"  WROTE   {path.relative_to(top)}")
        return 0
    found = problems(rows, target)
    for problem in found:
        print(problem, file=sys.stderr)
    return 1 if found else 0
