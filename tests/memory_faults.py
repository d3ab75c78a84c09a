"""Memory used as it must not be, on purpose: `/selftest NAME` and the panic it must lead to."""

from typing import NamedTuple


class MemoryFault(NamedTuple):
    """The report, an expression, and the function that did it."""

    name: str
    report: str
    function: str


MEMORY_FAULTS = [
    MemoryFault("heap-double-free", r"kfree\(0x[0-9a-f]+\): already free", "double_free"),
    MemoryFault(
        "heap-double-free-large",
        r"kfree\(0x[0-9a-f]+000\): already free, or never memory",
        "double_free_large",
    ),
    MemoryFault("heap-wild-free", r"kfree\(0x[0-9a-f]+1\): not the start of a block", "wild_free"),
    MemoryFault(
        "heap-overflow", r"kfree\(0x[0-9a-f]+0\): bytes behind it were overwritten", "overflow"
    ),
    MemoryFault(
        "heap-underflow",
        r"kfree\(0x[0-9a-f]+0\): bytes in front of it were overwritten",
        "underflow",
    ),
    MemoryFault(
        "heap-use-after-free",
        r"kmalloc: the free block at 0x[0-9a-f]+ was written to at 0x[0-9a-f]+4",
        "use_after_free",
    ),
    MemoryFault(
        "page-double-free",
        r"pages_free\(0x[0-9a-f]+000, 1\): page 0 of it is already free",
        "page_double_free",
    ),
    MemoryFault(
        "page-use-after-free",
        r"pages_alloc: the free page at 0x[0-9a-f]+000 was written to at 0x[0-9a-f]+800",
        "page_use_after_free",
    ),
]
