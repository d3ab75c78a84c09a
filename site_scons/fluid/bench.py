"""`scons bench`: how long a machine takes to its prompt, with the model of the image.

Two clocks: the host's, from the start of the emulator to the `ready` event, and the machine's own,
from the entry of the kernel. The first boot fills the host's caches and is not counted.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fluid.canonical import canonical_json
from fluid.emulator import DEFAULT_MEM
from fluid.errors import FluidError
from fluid.event_types import Ready
from fluid.files import write_atomic
from fluid.machine import Machine
from fluid.probe import choose_runner

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

    def table(self) -> str:
        """The result for people: medians with their spread."""
        lines = [f"boot to ready: {self.target}, {self.runner}, model {self.model}"]
        for name, values in (("power-on", self.power_on), ("kernel entry", self.kernel_entry)):
            lines.append(
                f"  {name:<13} median {statistics.median(values):7.0f} ms, "
                f"{min(values):.0f} to {max(values):.0f} ms in {len(values)} boots"
            )
        return "\n".join(lines)


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
    return BootTimes(config.target, config.runner, model, power_on[1:], kernel_entry[1:])


def _show_progress(number: int) -> None:
    print(f"\r  boot {number} of {ROUNDS} ", end="", file=sys.stderr, flush=True)


def run_bench(
    image: Path,
    result: Path,
    *,
    target: str,
    runner: str = "auto",
    mem: int = DEFAULT_MEM,
    program: str | None = None,
) -> int:
    """Measures, prints the table and writes the numbers to `result`; 0 when all boots were good.

    program: instead of the target's QEMU or fluid-host.
    """
    try:
        options: dict[str, Any] = {"runner": choose_runner(runner, image, target), "mem": mem}
        options["emulator"] = program
        times = boot_times(lambda: Machine(image, target=target, **options), ROUNDS, _show_progress)
    except FluidError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    print(f"\r{times.table()}")
    write_atomic(result, canonical_json(asdict(times)))
    return 0
