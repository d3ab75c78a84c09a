"""A child process that does not outlive the one that started it (prctl(2))."""

from __future__ import annotations

import ctypes
import signal
from collections.abc import Callable

PR_SET_PDEATHSIG = 1

_LIBC = ctypes.CDLL(None)


def signalled_by_death(number: signal.Signals) -> Callable[[], None]:
    """For Popen's preexec_fn: the child gets this signal when its parent dies."""

    def ask() -> None:
        _LIBC.prctl(PR_SET_PDEATHSIG, number)

    return ask
