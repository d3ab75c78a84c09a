"""When nobody can be in code any more that nobody can reach (src/kernel/jit/epoch.c)."""

import subprocess

from hostcc import ROOT, build

SOURCES = [ROOT / "tests/host/epoch_host.c", ROOT / "src/kernel/jit/epoch.c"]


def test_epochs() -> None:
    """Tasks that leave, come back, end, and are more than can be noted."""
    program = build("epoch_host", SOURCES)
    done = subprocess.run([program], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "7 cases\n"), done.stderr
