"""Counters of machines under `scons coverage`: each is asked for them before it is ended, where it
can still answer. One that panicked, was switched off or hangs has taken them along."""

import os
from itertools import count
from pathlib import Path

from fluid.coverage import FOLDER, store_guest
from fluid.errors import FluidError
from fluid.event_types import ProfRaw
from fluid.machine import Machine

SECONDS = 30.0
LAST = b"parts with counters"  # what /profile counters ends with
_number = count()


class CountedMachine(Machine):
    """A machine that leaves raw profiles of its kernel and modules when it is closed."""

    def close(self) -> None:
        if self.config.runner == "tcg" and self.running:
            self._store(Path(os.environ[FOLDER]))
        super().close()

    def _store(self, folder: Path) -> None:
        """Ctrl-C ends a reply or a half-typed line."""
        before, start = len(self.events), len(self.text)
        try:
            self.send(b"\x03")
            self.send_line("/set events on")
            self.send_line("/profile counters")
            self.wait_text(LAST, SECONDS, start)
        except FluidError:
            return
        exports = [event for event in self.events[before:] if isinstance(event, ProfRaw)]
        store_guest(exports, folder, self.config.target, f"{os.getpid()}-{next(_number)}")


def machine_class() -> type[Machine]:
    """What tests start."""
    return CountedMachine if FOLDER in os.environ else Machine
