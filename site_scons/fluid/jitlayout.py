"""What goes to jit.elf, the compiler on the machine, and what comes back: numbers and records.

The same layout in C: src/include/fluid/jit.h; tests/unit/test_layouts.py compares them. Who asks
the compiler is jit.py.

E-JIT-31 what came back is no response; E-JIT-61 what is to be limited is no request.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field

from fluid.errors import FluidError
from fluid.files import align_up
from fluid.modlayout import KERNEL_ABI, NAME_SIZE, SOURCE_SIZE, TARGET_SIZE, check_name

REQUEST_MAGIC = 0x51524A46
RESPONSE_MAGIC = 0x53524A46
VERSION_MAJOR = 1
VERSION_MINOR = 0
REQUEST_MAX = 16 << 20
LEVEL_MAX = 3
MEMORY_MIN = 16 << 20
MEMORY_MAX = 4 << 30
CPU_SECONDS_MAX = 3600
INPUT_BITCODE = 0
INPUT_OBJECT = 1
FLAG_NO_RED_ZONE = 1
FLAG_FRAME_POINTER = 2
FLAGS = FLAG_NO_RED_ZONE | FLAG_FRAME_POINTER  # as flags.py has modules compiled
WHOLE_ARGUMENT = 0xFFFFFFFF

REQUEST = struct.Struct("<IHHIIIIIIQIIII32s16s16sIIIIIIIIII")
MEMORY_FIELD, CPU_FIELD = 9, 10  # of these
CONSTANT = struct.Struct("<IIIIQ")
RESPONSE = struct.Struct("<IHHIIIIQQQIIII")
OFFSET = struct.Struct("<I")


@dataclass(frozen=True)
class Constant:
    """`entry` is mostly called with this value: of its argument number `argument`, or of the
    integer at byte `field_off` of the structure that the argument points to."""

    entry: str
    argument: int
    value: int
    size: int = 4  # bytes
    field_off: int = WHOLE_ARGUMENT


@dataclass(frozen=True)
class Request:
    """One compilation."""

    payload: bytes  # bitcode, or an object with input=INPUT_OBJECT
    name: str
    target: str
    machine: int
    features: tuple[str, ...]  # names of cpufeatures.py
    entries: tuple[str, ...]
    level: int = 2
    rank: int = 0
    constants: tuple[Constant, ...] = ()
    input: int = INPUT_BITCODE
    flags: int = FLAGS
    memory: int = 512 << 20  # bytes of address space
    cpu_seconds: int = 60
    kernel_abi: int = KERNEL_ABI
    source: bytes = bytes(SOURCE_SIZE)


@dataclass(frozen=True)
class Response:
    """status 0: `mod` is the .mod; else `text` is the error E-JIT-<status> in a sentence."""

    status: int
    parse_ns: int  # CPU time, like the next two
    optimise_ns: int
    generate_ns: int
    text: str
    mod: bytes


@dataclass
class _Parts:
    """What stands behind the head, while it grows."""

    data: bytearray = field(default_factory=bytearray)

    def add(self, content: bytes) -> int:
        """Offset of the content in the request."""
        size = REQUEST.size + len(self.data)
        self.data += bytes(align_up(size, 8) - size)
        at = REQUEST.size + len(self.data)
        self.data += content
        return at


def _strings(names: Iterable[str]) -> tuple[bytes, dict[str, int]]:
    """A string table, and the offset of each name in it."""
    data, known = bytearray(), dict[str, int]()
    for name in names:
        if name not in known:
            known[name] = len(data)
            data += name.encode() + b"\0"
    return bytes(data), known


def pack_request(request: Request) -> bytes:
    """The bytes for jit.elf's standard input."""
    check_name("module name", request.name, NAME_SIZE)
    check_name("target tag", request.target, TARGET_SIZE)
    strings, at = _strings((*request.features, *request.entries))
    constants = [
        CONSTANT.pack(request.entries.index(c.entry), c.argument, c.field_off, c.size, c.value)
        for c in request.constants
    ]
    parts = _Parts()
    tables = (
        (len(request.features), b"".join(OFFSET.pack(at[name]) for name in request.features)),
        (len(request.entries), b"".join(OFFSET.pack(at[name]) for name in request.entries)),
        (len(constants), b"".join(constants)),
        (len(strings), strings),
        (len(request.payload), request.payload),
    )
    placed = [number for count, content in tables for number in (count, parts.add(content))]
    head = REQUEST.pack(
        *(REQUEST_MAGIC, VERSION_MAJOR, VERSION_MINOR, REQUEST.size),
        *(REQUEST.size + len(parts.data), request.level, request.machine, request.input),
        *(request.flags, request.memory, request.cpu_seconds, request.kernel_abi, request.rank, 0),
        *(request.name.encode(), request.target.encode(), request.source),
        *placed,
    )
    return head + bytes(parts.data)


def with_limits(data: bytes, memory: int, cpu_seconds: int) -> bytes:
    """A request of somebody else's, allowed no more than so many bytes and seconds. What else is
    wrong with it jit.elf tells. E-JIT-61 unless there is a head to write to."""
    if len(data) < REQUEST.size or OFFSET.unpack_from(data)[0] != REQUEST_MAGIC:
        raise FluidError(
            "E-JIT-61",
            f"a request of at least {REQUEST.size} bytes for jit.elf expected, found "
            f"{len(data)}, that begin with {data[:4].hex()}",
        )
    head = list(REQUEST.unpack_from(data))
    head[MEMORY_FIELD] = min(head[MEMORY_FIELD], memory)
    head[CPU_FIELD] = min(head[CPU_FIELD], cpu_seconds)
    return REQUEST.pack(*head) + data[REQUEST.size :]


def _bad(expected: str, found: object) -> FluidError:
    return FluidError(
        "E-JIT-31", f"a response of jit.elf: {expected} expected, found {found}; build it again"
    )


def unpack_response(data: bytes) -> Response:
    """Raises E-JIT-31 unless `data` is a whole response."""
    if len(data) < RESPONSE.size:
        raise _bad(f"at least {RESPONSE.size} bytes", len(data))
    head = RESPONSE.unpack_from(data)
    magic, major, _, header_size, file_size, status, _ = head[:7]
    parse_ns, optimise_ns, generate_ns, text_size, text_off, mod_size, mod_off = head[7:]
    if magic != RESPONSE_MAGIC or major != VERSION_MAJOR:
        raise _bad(f"version {VERSION_MAJOR}", data[:8].hex())
    if header_size < RESPONSE.size or file_size != len(data):
        raise _bad(f"{file_size} bytes", len(data))
    for size, off in ((text_size, text_off), (mod_size, mod_off)):
        if off > len(data) or size > len(data) - off:
            raise _bad("parts within it", f"{size} bytes at {off} of {len(data)}")
    if (status == 0) != (mod_size > 0):
        raise _bad("a .mod, or an error", f"status {status} and {mod_size} bytes")
    text = data[text_off : text_off + text_size].decode("utf-8", "replace")
    mod = data[mod_off : mod_off + mod_size]
    return Response(status, parse_ns, optimise_ns, generate_ns, text, mod)
