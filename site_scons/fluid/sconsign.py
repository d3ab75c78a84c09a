"""SCons's record of what was built (.sconsign), for several processes in one folder: each writes a
file of its own and puts it in place. The last one's record stays; what it does not know of is
looked at again."""

from __future__ import annotations

import os
from typing import Any

from SCons import dblite


def open(name: str, mode: str) -> Any:
    """The database of this name. SCons.dblite names the file that it writes the same in each
    process: one of two would find it gone."""
    database = dblite.open(name, mode)
    database._tmp_name = f"{name}.{os.getpid()}.tmp"
    return database
