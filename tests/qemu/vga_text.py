"""What a machine's VGA text screen shows, read from its video memory."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from fluid.machine import Machine
from fluid.qmp import Qmp

ADDRESS = 0xB8000
COLUMNS, ROWS, TEXT_ROWS = 80, 25, 24
INPUT, REPLY, NOTICE, ERROR, STATUS = 0x0B, 0x0F, 0x08, 0x0C, 0x1F  # colours, src/kernel/dev/vga.c


@dataclass(frozen=True)
class VgaText:
    """25 rows of text, blanks at the end left out, and the colour of every cell."""

    rows: list[str]
    colours: list[list[int]]

    @property
    def status(self) -> str:
        return self.rows[TEXT_ROWS]

    @property
    def text(self) -> str:
        """The text rows, joined."""
        return "\n".join(self.rows[:TEXT_ROWS])

    @property
    def unwrapped(self) -> str:
        """All rows as one line: text that went on in the next row is whole in it."""
        return "".join(row.ljust(COLUMNS) for row in self.rows)

    def colours_of(self, wanted: str) -> set[int]:
        """Colours of the first place where this text stands."""
        for row, colours in zip(self.rows, self.colours, strict=True):
            at = row.find(wanted)
            if at >= 0:
                return set(colours[at : at + len(wanted)])
        raise AssertionError(f"{wanted!r} expected on the screen, found:\n{self.text}")


def read_screen(qmp: Qmp) -> VgaText:
    """What is shown right now."""
    memory = qmp.read_memory(ADDRESS, 2 * ROWS * COLUMNS)
    rows = [memory[2 * i : 2 * (i + COLUMNS)] for i in range(0, ROWS * COLUMNS, COLUMNS)]
    return VgaText(
        [row[0::2].decode("cp437").rstrip(" ") for row in rows], [list(row[1::2]) for row in rows]
    )


def shown(guest: Machine, condition: Callable[[VgaText], bool], what: str) -> VgaText:
    """The screen, once it is as expected."""
    deadline = time.monotonic() + 60
    while True:
        screen = read_screen(guest.qmp)
        if condition(screen):
            return screen
        rows = "\n".join(screen.rows)
        assert time.monotonic() < deadline, f"{what} expected on the screen, found:\n{rows}"
        guest.pump()
