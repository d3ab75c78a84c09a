"""A report's inputs for tests: recorded by ./sconsw report on a real machine, and then cut down."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from fluid.report_inputs import Inputs, read_inputs, write_logs

DATA = Path(__file__).with_name("report_data")
TARGET = "x86-64-v2"
FILES = {
    "plan": "plan.json",
    "trial": "trial-plan.json",
    "comparison": "compare.json",
    "levels": "levels.json",
    "hotness": "hotness.json",
    "samples": "samples.json",
    "peers": "peers-host.json",
    "quality": "quality-host.json",
    "warmup": "warmup.json",
    "tiers": "tiers-host.json",
}


class Recorded:
    """A copy to change things in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(DATA, folder)

    def path(self, part: str) -> Path:
        """File of one part."""
        return self.folder / FILES[part]

    def data(self, part: str) -> Any:
        """Its content."""
        return json.loads(self.path(part).read_text(encoding="utf-8"))

    def write(self, part: str, data: Any) -> None:
        """Other content."""
        self.path(part).write_text(json.dumps(data), encoding="utf-8")

    def inputs(self) -> Inputs:
        """All of it, read as the build does."""
        logs = self.folder / "logs.json"
        write_logs(self.folder, TARGET, logs)
        paths = {part: str(self.path(part)) for part in FILES}
        return read_inputs(TARGET, logs=str(logs), **paths)
