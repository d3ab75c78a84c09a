"""A thread that ends by an exception ends the process, terminal or not."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from fluid.threads import STATUS

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import threading
from fluid.threads import end_with_any_thread
end_with_any_thread()
gone = threading.Event()
def work():
    input()
    raise ValueError("a word")
threading.Thread(target=work).start()
gone.wait()
"""


@pytest.mark.parametrize("terminal", ["there", "gone"])
def test_an_exception_in_a_thread(terminal: str) -> None:
    near, far = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "site_scons")}
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdin=far, stdout=far, stderr=far, env=environment
    )
    try:
        os.close(far)
        said = b""
        if terminal == "there":
            os.write(near, b"\n")
            while b"a word" not in said:
                said += os.read(near, 4096)
        os.close(near)
        assert process.wait(30) == STATUS
    finally:
        process.kill()
