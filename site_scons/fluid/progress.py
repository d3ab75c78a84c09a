"""How far a long step is, for people at a terminal."""

from __future__ import annotations

import sys


def show_progress(text: str) -> None:
    """One line that is overwritten by the next."""
    print(f"\r  {text[:70]:<72}", end="", file=sys.stderr, flush=True)
