"""Strings, numbers, sorting and printf of the image's C library against this system's."""

import pytest

from fluid.targets import TARGETS
from libc_driver import differ

GROUPS = {"memory": 20_000, "text": 20_000, "numbers": 50_000, "sorting": 500, "format": 50_000}


def _groups(unit: str) -> list[str]:
    return [group for group in GROUPS if unit == "kernel" or group != "format"]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    ("unit", "group"), [(u, g) for u in ("kernel", "modules") for g in _groups(u)]
)
def test_like_this_systems(target: str, unit: str, group: str) -> None:
    assert differ(target, unit, group, seed=1, rounds=GROUPS[group]) == ""


@pytest.mark.full
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("unit", ["kernel", "modules"])
def test_like_this_systems_for_long(target: str, unit: str) -> None:
    for group in _groups(unit):
        assert differ(target, unit, group, seed=2, rounds=100 * GROUPS[group]) == ""
