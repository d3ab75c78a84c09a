"""SCons tool: notes how long each step took, in build/timing.jsonl (fluid/timing.py).

Two construction variables that SCons documents tell of steps: PRINT_CMD_LINE_FUNC is called with
the nodes before an action, in its thread, and SPAWN runs a command; steps in Python say themselves
when they have ended (fluid_python.py). What ends without success, and what makes no product, like
the aliases of tests, leaves no record; a null build calls nothing of this.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

LEFT_OUT = "report"  # folder of products that are made of this log


class StepClock:
    """Of one SCons process; each of its threads has one step at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.run = f"{time.time_ns()}-{os.getpid()}"
        self.begun = threading.local()
        self.broken = False
        self.first = True
        self.lock = threading.Lock()

    def begin(self, line: str, target: Sequence[Any], source: Any, env: Any) -> None:
        """PRINT_CMD_LINE_FUNC: prints the line of a step, as SCons itself does, and starts."""
        sys.stdout.write(f"{line}\n")
        self.begun.step = (line, target, time.time_ns())

    def end(self) -> None:
        """The step that this thread has begun has made its products."""
        step, self.begun.step = getattr(self.begun, "step", None), None
        if step is None or self.broken:
            return  # -s: without lines nothing begins
        line, nodes, start = step
        took = time.time_ns() - start
        if nodes[0].get_dir().name == LEFT_OUT:
            return
        self._append(line, nodes, start // 1000, took // 1000)

    def _append(self, line: str, nodes: Sequence[Any], start: int, took: int) -> None:
        from fluid import jsonl, timing
        from fluid.errors import FluidError

        words = line.split(maxsplit=1)
        step = timing.Step(
            run=self.run,
            verb=Path(words[0]).name if words else "?",
            targets=[str(node) for node in nodes],
            needs=[str(child) for child in nodes[0].children() if child.has_builder()],
            start=start,
            took=took,
        )
        path = self.folder / timing.FILE
        with self.lock:
            try:
                if self.first:
                    timing.trim(path)
                self.first = False
                jsonl.append(path, [step])
            except (FluidError, OSError) as error:
                self.broken = True  # said once; a build is good without its log
                print(f"warning {error}", file=sys.stderr)

    def spawning(self, spawn: Callable[..., int]) -> Callable[..., int]:
        """SPAWN that ends the step of a command."""

        def timed(shell: str, escape: Any, cmd: str, args: list[str], env: Any) -> int:
            status = spawn(shell, escape, cmd, args, env)
            if status == 0:
                self.end()
            return status

        return timed


def generate(env: Any) -> None:
    """Sets FLUID_CLOCK, PRINT_CMD_LINE_FUNC and SPAWN."""
    clock = StepClock(Path(env.Dir("#build").abspath))
    env["FLUID_CLOCK"] = clock
    env["PRINT_CMD_LINE_FUNC"] = clock.begin
    env["SPAWN"] = clock.spawning(env["SPAWN"])


def exists(env: Any) -> bool:
    """Needs nothing but Python."""
    return True
