"""The module that takes calls down and compares (src/modules/trial), as a process."""

import subprocess

from hostcc import ROOT, build

SOURCES = [ROOT / "tests/host/trial_host.c", *sorted((ROOT / "src/modules/trial").glob("*.c"))]


def test_every_kind_of_operation() -> None:
    """Equal, different, written over, too large; calls of several cores at a time."""
    program = build("trial_host", SOURCES, flags=["-D_GNU_SOURCE", "-pthread"])
    done = subprocess.run([program], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (0, "12 kinds\n"), done.stderr
