"""SCons's record of what was built, written by several processes at once."""

import subprocess
import sys
from pathlib import Path

from fluid import sconsign

ROOT = Path(__file__).resolve().parents[2]
# SCons.dblite writes a file of another name, closes it, and puts it in place.
WRITER = """
import sys
from fluid import sconsign
for round in range(200):
    database = sconsign.open(sys.argv[1], "c")
    database[sys.argv[2]] = str(round).encode()
    database.sync()
"""


def test_writers_at_once(tmp_path: Path) -> None:
    name = tmp_path / ".sconsign"
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, name, key], env={"PYTHONPATH": str(ROOT / "site_scons")}
        )
        for key in ("one", "two")
    ]
    assert [writer.wait(120) for writer in writers] == [0, 0]
    kept = sconsign.open(str(name), "r")
    keys = list(kept.keys())
    assert b"199" in [kept[key] for key in keys]
    assert [path.name for path in tmp_path.iterdir()] == [".sconsign.dblite"]
