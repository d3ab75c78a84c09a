"""Threads of SCons that end by an exception: what they were about, others would wait for without
end (SCons.Taskmaster.Job.NewParallel). So it is when the terminal is gone, and they say something.
"""

from __future__ import annotations

import os
import sys
import threading

STATUS = 2  # SCons's own, of a build that has failed


def end_the_process(args: threading.ExceptHookArgs) -> None:
    """The exception is told of, if there is still somebody to tell."""
    try:
        threading.__excepthook__(args)
        sys.stderr.flush()
    finally:
        os._exit(STATUS)


def end_with_any_thread() -> None:
    """From now on no thread of this process ends alone by an exception."""
    threading.excepthook = end_the_process
