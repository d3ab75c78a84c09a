"""The exceptions of the processor: Intel SDM vol. 3A, table 6-1; 28 to 30: AMD APM vol. 2, 8.2."""

from typing import NamedTuple


class X86Exception(NamedTuple):
    """What a report calls it, and whether the processor pushes an error code."""

    label: str
    error_code: bool


RESERVED = X86Exception("reserved exception", False)
EXCEPTIONS = {
    0: X86Exception("#DE", False),
    1: X86Exception("#DB", False),
    2: X86Exception("non-maskable interrupt", False),
    3: X86Exception("#BP", False),
    4: X86Exception("#OF", False),
    5: X86Exception("#BR", False),
    6: X86Exception("#UD", False),
    7: X86Exception("#NM", False),
    8: X86Exception("#DF", True),
    9: X86Exception("coprocessor segment overrun", False),
    10: X86Exception("#TS", True),
    11: X86Exception("#NP", True),
    12: X86Exception("#SS", True),
    13: X86Exception("#GP", True),
    14: X86Exception("#PF", True),
    15: RESERVED,
    16: X86Exception("#MF", False),
    17: X86Exception("#AC", True),
    18: X86Exception("#MC", False),
    19: X86Exception("#XM", False),
    20: X86Exception("#VE", False),
    21: X86Exception("#CP", True),
    **dict.fromkeys(range(22, 28), RESERVED),
    28: X86Exception("#HV", False),
    29: X86Exception("#VC", True),
    30: X86Exception("#SX", True),
    31: RESERVED,
}
INTERRUPTS = 32  # vectors behind the exceptions; no error code
