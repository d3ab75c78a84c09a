"""When a call that comes to no end is given up (src/kernel/load/guard.c)."""

import subprocess

from hostcc import ROOT, build

SOURCES = [ROOT / "tests/host/guard_host.c", ROOT / "src/kernel/load/guard.c"]


def test_calls_without_an_end() -> None:
    """After ten seconds' ticks in code beside others, on whatever core, and only then."""
    program = build("guard_host", SOURCES)
    done = subprocess.run([program], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "all cases\n"), done.stderr
