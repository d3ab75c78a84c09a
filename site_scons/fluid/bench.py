"""`scons bench`: how long a machine takes to its prompt, with the model of the image; then the
catalogue of benchmarks (catalogue.py).

Two clocks: the host's, from the start of the emulator to the `ready` event, and the machine's own,
from the entry of the kernel. The first boot fills the host's caches and is not counted.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fluid import cachegrind, catalogue
from fluid.canonical import canonical_json
from fluid.catalogue import Catalogue, Result
from fluid.emulator import DEFAULT_MEM, HOST
from fluid.errors import FluidError
from fluid.event_types import Boot, Ready
from fluid.files import write_atomic
from fluid.history import IMAGE, Recorder
from fluid.hosted import default_program
from fluid.machine import Machine
from fluid.probe import choose_runner
from fluid.progress import show_progress, show_result

ROUNDS = 9
BOOT_SECONDS = 300.0


@dataclass(frozen=True)
class BootTimes:
    """Milliseconds of each counted boot."""

    target: str
    runner: str
    model: str | None
    power_on: list[float]
    kernel_entry: list[float]
    build: str = ""  # build id of the image

    def table(self) -> str:
        """The result for people: medians with their spread."""
        lines = [f"boot to ready: {self.target}, {self.runner}, model {self.model}"]
        for name, values in (("power-on", self.power_on), ("kernel entry", self.kernel_entry)):
            lines.append(
                f"  {name:<13} median {statistics.median(values):7.0f} ms, "
                f"{min(values):.0f} to {max(values):.0f} ms in {len(values)} boots"
            )
        return "\n".join(lines)

    def results(self) -> list[Result]:
        """For the history, in microseconds."""
        times = (("power-on", self.power_on), ("kernel entry", self.kernel_entry))
        return [
            Result(
                name=name,
                tag=f"{name}_{self.target}",
                size=0,
                units=1,
                unit="boots",
                calls=len(values),
                counters=[],
                counted_by=None,
                min=int(min(values) * 1000),
                median=int(statistics.median(values) * 1000),
                max=int(max(values) * 1000),
            )
            for name, values in times
        ]


def boot_times(
    start: Callable[[], Machine], rounds: int, progress: Callable[[int], None]
) -> BootTimes:
    """Boots rounds + 1 times. Raises FluidError when a boot does not get to `ready`."""
    power_on: list[float] = []
    found: list[Ready] = []
    for number in range(rounds + 1):
        progress(number)
        machine = start()
        begin = time.monotonic()
        with machine:
            events = machine.wait_for(Ready, BOOT_SECONDS)
            power_on.append((time.monotonic() - begin) * 1000)
        found += [event for event in events if isinstance(event, Ready)]
    config, model = machine.config, found[-1].model
    kernel_entry = [ready.ms for ready in found]
    build = next(event.build for event in machine.events if isinstance(event, Boot))
    return BootTimes(config.target, config.runner, model, power_on[1:], kernel_entry[1:], build)


def run_bench(
    image: Path,
    folder: Path,
    recorder: Recorder,
    *,
    target: str,
    benchmarks: Sequence[str],
    runner: str = "auto",
    mem: int = DEFAULT_MEM,
    smp: int = 1,
    program: str | None = None,
) -> int:
    """Measures, prints the tables, writes bench-boot.json and bench-<runner>.json to `folder` and
    adds to the history; 0 when all went well.

    program: instead of the target's QEMU or fluid-host.
    """
    try:
        runner = choose_runner(runner, image, target)
        options: dict[str, Any] = {"runner": runner, "target": target, "mem": mem, "smp": smp}
        options["emulator"] = program
        times = boot_times(
            lambda: Machine(image, **options),
            ROUNDS,
            lambda number: show_progress(f"boot {number} of {ROUNDS}"),
        )
        show_result(times.table())
        write_atomic(folder / "bench-boot.json", canonical_json(asdict(times)))
        recorder.append(IMAGE, times.runner, times.build, "microseconds", times.results())
        found = _run_catalogue(image, benchmarks, options)
        show_result(catalogue.table(found))
        catalogue.write_catalogue(found, folder / f"bench-{found.runner}.json")
        recorder.append(IMAGE, found.runner, found.build, "cycles", found.results)
    except FluidError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    return 0


def _run_catalogue(image: Path, names: Sequence[str], options: dict[str, Any]) -> Catalogue:
    """In a process, which no counters reach, valgrind's simulated ones if it is installed."""
    found = catalogue.run(image, names, show_progress, **options)
    if options["runner"] != HOST:
        return found
    if not cachegrind.available():
        print("\n  no counts: install valgrind for simulated ones", file=sys.stderr)
        return found
    program = Path(options["emulator"] or default_program(options["target"]))
    try:
        counts = cachegrind.simulate(image, program, names, show_progress, target=options["target"])
    except FluidError as error:
        print(f"\nwarning {error}; results have no counts", file=sys.stderr)
        return found
    return catalogue.with_counts(found, counts, cachegrind.SIMULATED)
