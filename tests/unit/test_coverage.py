"""The report of covered lines: nothing measured is an error."""

from pathlib import Path

import pytest

from fluid.coverage import report
from fluid.errors import FluidError


def test_no_profile_is_no_table(tmp_path: Path) -> None:
    """Neither without files nor with the program's alone."""
    for _ in range(2):
        with pytest.raises(FluidError, match="E-COV-01"):
            report(tmp_path, tmp_path / "fluid-host", [])
        (tmp_path / "1-0.profraw").write_bytes(b"")


def test_damaged_profile(tmp_path: Path) -> None:
    """What LLVM's tools say is passed on."""
    (tmp_path / "1-0.profraw.modules").write_bytes(b"no profile")
    with pytest.raises(FluidError, match=r"E-COV-02 llvm-profdata-19 merge"):
        report(tmp_path, tmp_path / "fluid-host", [])
