"""LLVM's raw profile (version 10, profile/InstrProfData.inc of LLVM 19) from the counters that a
machine exports, and the indexed profile that the compiler reads.

E-PGO-01: the export is not a profile; E-PGO-02: nothing was counted; E-PGO-03: llvm-profdata
refuses it.
"""

from __future__ import annotations

import base64
import struct
import subprocess
import tempfile
from pathlib import Path

from fluid.errors import FluidError
from fluid.event_types import ProfRaw
from fluid.files import replacing

VERSION = 10
LAST_VALUE_KIND = 2
COUNTER = struct.Struct("<Q")
HEADER = struct.Struct("<16Q")
ADDRESSES = 1 << 64  # distances wrap around
ALIGN = 8
PROFDATA = "llvm-profdata-19"


class Machine:
    """What differs between 32 and 64 bits: the magic number and a function's record."""

    def __init__(self, letter: str, record: int) -> None:
        self.magic = int.from_bytes(b"\xfflprof" + letter.encode() + b"\x81", "big")
        self.record = record


MACHINES = {32: Machine("R", 48), 64: Machine("r", 64)}


def _bytes(export: ProfRaw, text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise FluidError(
            "E-PGO-01", f"module {export.module}: sections in base64 expected, found {error}"
        ) from error


def pack(export: ProfRaw, bits: int, *, counted: bool = True) -> bytes:
    """The raw profile of one module; `bits` of an address; `counted`: something has to be."""
    machine = MACHINES[bits]
    functions, counters, names = (
        _bytes(export, text) for text in (export.functions, export.counters, export.names)
    )
    if not names or not functions or len(functions) % machine.record or len(counters) % 8:
        raise FluidError(
            "E-PGO-01",
            f"module {export.module}: records of {machine.record} bytes, counters and names "
            f"expected, found {len(functions)}, {len(counters)} and {len(names)} bytes; rebuild "
            "the image",
        )
    if counted and not any(count for (count,) in COUNTER.iter_unpack(counters)):
        raise FluidError(
            "E-PGO-02",
            f"module {export.module}: a counter that counted expected, found "
            f"{len(counters) // 8} that are zero; does the workload call the module?",
        )
    header = HEADER.pack(
        machine.magic,
        VERSION,
        0,  # binary ids
        len(functions) // machine.record,
        0,
        len(counters) // COUNTER.size,
        0,
        0,  # bitmaps
        0,
        len(names),
        export.counters_at % ADDRESSES,
        (export.counters_at + len(counters)) % ADDRESSES,
        export.names_at % ADDRESSES,
        0,  # virtual tables
        0,
        LAST_VALUE_KIND,
    )
    return header + functions + counters + names + bytes(-len(names) % ALIGN)


def write_profdata(export: ProfRaw, bits: int, path: Path | str) -> None:
    """The indexed profile."""
    with tempfile.TemporaryDirectory() as folder, replacing(path) as new:
        raw = Path(folder) / "raw.profraw"
        raw.write_bytes(pack(export, bits))
        command = [PROFDATA, "merge", "-o", str(new), str(raw)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0 or "warning" in done.stderr:
            raise FluidError(
                "E-PGO-03",
                f"module {export.module}: a profile that {PROFDATA} accepts expected, it said: "
                f"{done.stderr.strip()}; is LLVM another version?",
            )
