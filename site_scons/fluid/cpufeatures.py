"""CPU feature names and their bit numbers in a module's header.

Other owner: src/include/fluid/cpu.h; tests/unit/test_layouts.py holds the two against each other.
"""

from collections.abc import Iterable

from fluid.errors import FluidError

FEATURES: dict[str, int] = {
    "sse": 0,
    "sse2": 1,
    "sse3": 2,
    "ssse3": 3,
    "sse4.1": 4,
    "sse4.2": 5,
    "popcnt": 6,
    "cx16": 7,
    "sahf": 8,
    "avx": 9,
    "f16c": 10,
    "fma": 11,
    "movbe": 12,
    "avx2": 13,
    "bmi": 14,
    "bmi2": 15,
    "lzcnt": 16,
    "avx512f": 17,
    "avx512bw": 18,
    "avx512cd": 19,
    "avx512dq": 20,
    "avx512vl": 21,
    "avx512vnni": 22,
}


def feature_bits(names: Iterable[str]) -> int:
    """The set of features as bits; E-MOD-20 for a name that is not in the table."""
    bits = 0
    for name in names:
        if name not in FEATURES:
            raise FluidError(
                "E-MOD-20",
                f"CPU feature '{name}' is unknown; expected one of: {' '.join(FEATURES)}",
            )
        bits |= 1 << FEATURES[name]
    return bits


def feature_names(bits: int) -> list[str]:
    """The names in `bits`, lowest bit first; bits without a name appear as `bit<n>`."""
    by_bit = {bit: name for name, bit in FEATURES.items()}
    return [by_bit.get(n, f"bit{n}") for n in range(bits.bit_length()) if bits >> n & 1]
