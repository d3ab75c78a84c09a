"""CPU feature names and their bit numbers in a module's header, and the levels made of them.

Other owner of the bits: src/include/fluid/cpu.h; tests/unit/test_layouts.py holds the two against
each other.
"""

from collections.abc import Iterable
from dataclasses import dataclass

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

# What the compiler switches on along with a feature, one step each; what is not listed brings
# nothing. tests/unit/test_cpu_profiles.py asks the compiler.
IMPLIES: dict[str, tuple[str, ...]] = {
    "sse2": ("sse",),
    "sse3": ("sse2",),
    "ssse3": ("sse3",),
    "sse4.1": ("ssse3",),
    "sse4.2": ("sse4.1", "popcnt"),
    "avx": ("sse4.2",),
    "f16c": ("avx",),
    "fma": ("avx",),
    "avx2": ("avx",),
    "avx512f": ("avx2", "f16c", "fma"),
    "avx512bw": ("avx512f",),
    "avx512cd": ("avx512f",),
    "avx512dq": ("avx512f",),
    "avx512vl": ("avx512f",),
    "avx512vnni": ("avx512f",),
}


@dataclass(frozen=True)
class Level:
    """A tag that means the same everywhere: exactly these features on top of `march`."""

    march: str
    features: tuple[str, ...]


_V1 = ("sse", "sse2")
_V2 = (*_V1, "sse3", "ssse3", "sse4.1", "sse4.2", "popcnt", "cx16", "sahf")
_V3 = (*_V2, "avx", "f16c", "fma", "movbe", "avx2", "bmi", "bmi2", "lzcnt")
_V4 = (*_V3, "avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl", "avx512vnni")

# Of one march each is a superset of the one before. x86-64 and its v2 to v4 are the levels of the
# x86-64 psABI (section 3.1.1); our v4 has VNNI on top, i686 has the SSE2 of Rust's i686 targets.
LEVELS: dict[str, Level] = {
    "i686": Level("i686", _V1),
    "i686-v2": Level("i686", _V2),
    "x86-64": Level("x86-64", _V1),
    "x86-64-v2": Level("x86-64", _V2),
    "x86-64-v3": Level("x86-64", _V3),
    "x86-64-v4": Level("x86-64", _V4),
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


def ordered(names: Iterable[str]) -> tuple[str, ...]:
    """The known ones of these features in the one order in which they are written."""
    wanted = set(names)
    return tuple(name for name in FEATURES if name in wanted)


def implied(name: str) -> tuple[str, ...]:
    """All that comes with a feature, directly or not, itself left out; in the one order."""
    found: set[str] = set()
    waiting = list(IMPLIES.get(name, ()))
    while waiting:
        feature = waiting.pop()
        found.add(feature)
        waiting.extend(IMPLIES.get(feature, ()))
    return ordered(found)


def highest_level(march: str, features: Iterable[str]) -> str | None:
    """Tag of the highest level of `march` that the features contain; None when none is."""
    have = set(features)
    tags = [tag for tag, x in LEVELS.items() if x.march == march and have.issuperset(x.features)]
    return tags[-1] if tags else None
