"""The clock on counters that wrap, and HPETs that are none."""

import subprocess

import pytest

from hostcc import FAIL, ROOT, build

HPET = {"space": "0", "address": "fed00000", "period": "10000000", "wide": "1", "counts": "1"}
HPET |= {"size": "56"}


def said(*arguments: str) -> str:
    program = build("clock_host", [ROOT / "tests/host/clock_host.c", FAIL])
    command = [str(program), *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    return done.stdout.strip()


@pytest.mark.parametrize("bits", ["16", "24", "32"])
@pytest.mark.parametrize("tsc_error", ["-10", "0", "10"], ids="tsc {} per mille".format)
def test_a_counter_that_wraps_loses_nothing(bits: str, tsc_error: str) -> None:
    """Of 2,400 s, with pauses of up to 1.7 s (26 times around for 16 bits), not one count, though
    the time-stamp counter that tells the rounds is off by 1 %."""
    words = said("wrap", bits, tsc_error).split()
    assert words[:2] == ["PIT", "worst"] and int(words[2]) <= 1
    assert words[3:5] == ["backwards", "0"]
    assert int(words[6]) > 2000


def test_an_hpet() -> None:
    assert said("hpet", *HPET.values()) == "HPET 100000000 Hz mask ffffffffffffffff configuration 1"
    narrow = HPET | {"period": "69841279", "wide": "0"}
    assert said("hpet", *narrow.values()) == "HPET 14318180 Hz mask ffffffff configuration 1"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"space": "1"}, "E-ACPI-05"),  # ports
        ({"address": "0"}, "E-ACPI-05"),
        ({"address": "fed00010"}, "E-ACPI-05"),
        ({"size": "55"}, "E-ACPI-05"),
        ({"address": "ff00000000000000"}, "E-TIME-02"),  # cannot be mapped
        ({"period": "0"}, "E-TIME-02"),
        ({"period": "100000001"}, "E-TIME-02"),
        ({"counts": "0"}, "E-TIME-02"),
    ],
    ids=str,
)
def test_what_is_no_hpet(change: dict[str, str], code: str) -> None:
    assert said("hpet", *(HPET | change).values()).startswith(f"{code} ")
