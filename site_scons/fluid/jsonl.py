"""Logs of the build: one JSON object for each line, at its end only ever longer.

A record is appended with one write, under a lock, so that builds which run at once do not mix their
lines; after a line that was cut off (no LF at its end) the next one starts anew, so that one record
is lost and not two. Reading checks each line by its dataclass. What is wrong with a line is told
beside the records, never passed over.

E-RPT-01 a line is no record, E-RPT-02 the log cannot be read or written.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from fluid.errors import FluidError
from fluid.records import COUNT_MAX, EventError, from_object, no_constant

T = TypeVar("T")


def _refused(path: Path, wanted: str, error: OSError) -> FluidError:
    return FluidError(
        "E-RPT-02",
        f"{path.name}: a log that can be {wanted} expected, found {error.strerror}; make room, or "
        "put its owner and rights in order",
    )


def append(path: Path, records: Sequence[Any]) -> None:
    """Adds dataclasses. E-RPT-02."""
    lines = (json.dumps(asdict(r), sort_keys=True, separators=(",", ":")) for r in records)
    data = "".join(f"{line}\n" for line in lines).encode()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            size = os.fstat(handle).st_size
            torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
            os.write(handle, b"\n" + data if torn else data)
        finally:
            os.close(handle)
    except OSError as error:
        raise _refused(path, "written", error) from error


def keep_end(path: Path, size: int) -> None:
    """Whole lines of the last `size` bytes stay. E-RPT-02."""
    try:
        with path.open("r+b") as log:
            fcntl.flock(log, fcntl.LOCK_EX)
            log.seek(-size, os.SEEK_END)
            _, _, kept = log.read().partition(b"\n")
            log.seek(0)
            log.write(kept)
            log.truncate()
    except OSError as error:
        raise _refused(path, "written", error) from error


def _record(line: bytes, cls: type[T], check: Callable[[T], None]) -> T:
    data = json.loads(line.decode("utf-8"), parse_constant=no_constant)
    found = from_object(data, cls, "record")
    check(found)
    return found


def read(
    path: Path, cls: type[T], check: Callable[[T], None] = lambda record: None
) -> tuple[list[T], list[FluidError]]:
    """The records, and an E-RPT-01 for each line that is none. `check` raises EventError. A log
    that is not there yet has none; E-RPT-02 for one that cannot be read."""
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return [], []
    except OSError as error:
        raise _refused(path, "read", error) from error
    records: list[T] = []
    problems: list[FluidError] = []
    for number, line in enumerate(lines, 1):
        if not line:
            continue
        try:
            records.append(_record(line, cls, check))
        except (EventError, ValueError, RecursionError) as error:
            what = f"line {number}: a record expected ({error!s:.200}); remove the line"
            problems.append(FluidError("E-RPT-01", f"{path.name}, {what}"))
    return records, problems


def small(value: int, where: str) -> None:
    """EventError for a number that nothing counts to."""
    if not 0 <= value < COUNT_MAX:
        raise EventError(f"{where}: from 0 to less than 2^63 expected, another number found")
