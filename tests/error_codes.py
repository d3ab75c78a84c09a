"""Error codes: which the sources have, which the tests name, and which were said while tests ran.

A code is provoked when it is raised by the build (FluidError), printed or sent by a machine, or
printed by a program that a test started. tests/conftest.py fails a complete run that leaves one
out.
"""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fluid.errors import FluidError
from fluid.machine import Machine

ROOT = Path(__file__).resolve().parents[1]
# Not \b: in sources a code may stand behind the n of "\n".
CODE = re.compile(r"(?<![A-Z0-9-])E-[A-Z]+-\d\d\b")
PIECE = 16  # bytes of a console's log before a new piece: a code may be cut in two

provoked: set[str] = set()


def note(said: str | bytes | None) -> None:
    """Remembers the codes in what a program said."""
    if isinstance(said, bytes):
        said = said.decode(errors="replace")
    provoked.update(CODE.findall(said or ""))


def _texts(folder: str, *suffixes: str) -> str:
    files = sorted(p for p in (ROOT / folder).rglob("*") if p.suffix in suffixes)
    return "".join(path.read_text(encoding="utf-8") for path in files)


def of_machine() -> set[str]:
    """Codes of the sources below src/. The boot sectors have numbers only."""
    stage1 = (ROOT / "src/boot/stage1.S").read_text()
    digits = re.findall(r"(?:movb \$'|incb %dh /\* )(\d)", stage1)
    codes = {f"E-BOOT-3{digit}" for digit in digits}
    codes |= {f"E-BOOT-{number}" for number in re.findall(r"\bfail\(\s*(\d\d),", _boot_c())}
    return codes | set(CODE.findall(_texts("src", ".c", ".cpp", ".h", ".S")))


def _boot_c() -> str:
    return _texts("src/boot", ".c")


def of_build() -> set[str]:
    """Codes of the sources below site_scons/."""
    return set(CODE.findall(_texts("site_scons", ".py")))


def named_in_tests() -> set[str]:
    return set(CODE.findall(_texts("tests", ".py")))


def _wrap(owner: Any, name: str, after: Callable[..., None]) -> None:
    """Calls after(self, result) behind a method."""
    method = getattr(owner, name)

    def wrapper(self: Any, *args: Any, **options: Any) -> Any:
        result = method(self, *args, **options)
        after(self, result)
        return result

    setattr(owner, name, wrapper)


def listen() -> None:
    """From now on, what is said is noted."""

    def said_by_machine(machine: Machine, _: None) -> None:
        start = max(0, heard.get(machine, 0) - PIECE)
        heard[machine] = len(machine.log)
        note(bytes(machine.log[start:]))

    def said_by_program(_: object, outputs: tuple[Any, Any]) -> None:
        for output in outputs:
            note(output)

    heard: dict[Machine, int] = {}
    # Its text may quote what the runner of an emulator said in a process of its own.
    _wrap(FluidError, "__init__", lambda error, _: note(f"{error.code} {error}"))
    _wrap(Machine, "_record", said_by_machine)
    _wrap(subprocess.Popen, "communicate", said_by_program)
