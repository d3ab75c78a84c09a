"""The key of a cache entry: SHA-256 of all that its content depends on.

The same function in C is src/kernel/cache/cache_key.c; tests/host/test_cache_vectors.py compares
both.
Each field is its length, 32 bits little-endian, then its bytes; numbers are 4 or 8 bytes, lists of
words are joined by spaces. No two different lists of fields give the same bytes.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass

FORMAT = 1  # of what the entries hold; another one makes all entries unknown


@dataclass(frozen=True)
class KeyFields:
    """What generated code or a tuning result depends on. cpu_mask: the features of cpu.h that may
    be used; plan: canonical text; bitcode: SHA-256 of it; shape: rows and columns, 0: any."""

    kernel_abi: int
    cpu_mask: int
    xcr0: int
    toolchain: str
    flags: str
    bitcode: bytes
    plan: str
    rows: int
    cols: int
    quant: str
    format: int = FORMAT


def cache_key(f: KeyFields) -> bytes:
    """32 bytes."""
    fields = [
        struct.pack("<I", f.format),
        struct.pack("<I", f.kernel_abi),
        struct.pack("<Q", f.cpu_mask),
        struct.pack("<Q", f.xcr0),
        f.toolchain.encode(),
        f.flags.encode(),
        f.bitcode,
        f.plan.encode(),
        struct.pack("<II", f.rows, f.cols),
        f.quant.encode(),
    ]
    state = hashlib.sha256()
    for field in fields:
        state.update(struct.pack("<I", len(field)) + field)
    return state.digest()
