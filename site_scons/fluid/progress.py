"""How far a long step is: for people at a terminal a line that is overwritten by the next, in a
file a line now and then."""

from __future__ import annotations

import sys
import time

WIDTH = 72
BETWEEN = 15.0  # seconds between two lines in a file, at least

_written = -BETWEEN


def show_progress(text: str) -> None:
    global _written
    if sys.stderr.isatty():
        print(f"\r  {text[: WIDTH - 2]:<{WIDTH}}", end="", file=sys.stderr, flush=True)
    elif time.monotonic() - _written >= BETWEEN:
        _written = time.monotonic()
        print(f"  {text}", file=sys.stderr, flush=True)


def show_result(text: str) -> None:
    """In the place of the progress."""
    if sys.stderr.isatty():
        print(f"\r{'':<{WIDTH + 2}}\r", end="", file=sys.stderr, flush=True)
    print(text)
