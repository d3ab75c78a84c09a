"""SCons tool: this process beside others: what was built is recorded in build/.sconsign, and no
thread ends alone."""

from __future__ import annotations

from os import makedirs
from typing import Any

from fluid import sconsign
from fluid.threads import end_with_any_thread


def exists(env: Any) -> bool:
    return True


def generate(env: Any) -> None:
    makedirs("build", exist_ok=True)
    env.SConsignFile("build/.sconsign", sconsign)
    end_with_any_thread()
