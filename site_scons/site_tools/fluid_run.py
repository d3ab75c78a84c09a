"""SCons tool: boots the image with its console on this terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from fluid.emulator import HOST

_START = (
    "import sys; from pathlib import Path; from fluid.runner import run_interactive; "
    "image, target, runner, mem, *program = sys.argv[1:]; "
    "sys.exit(run_interactive("
    "Path(image), target=target, runner=runner, mem=int(mem), program=next(iter(program), None)))"
)


def _run_image(target: Any, source: Any, env: Any) -> int:
    """A process of its own, so that the terminal and Ctrl-C belong to the guest, not to SCons."""
    options = [env["FLUID_TAG"], env["runner"], env["mem"]]
    options += [str(Path(node.abspath)) for node in source[1:2]]  # fluid-host
    variables = {"PYTHONPATH": str(Path(env.Dir("#").abspath) / "site_scons")}
    return subprocess.call(
        [sys.executable, "-c", _START, str(source[0]), *options],
        env={**os.environ, **variables, "PATH": env["ENV"]["PATH"]},
    )


def _run(env: Any, alias: str, image: Any, host: list[Any]) -> Any:
    """Alias that boots `image`, with runner=host in the program of the nodes `host`."""
    action = env.Action(_run_image, f"  RUN     {image}")
    needed = [image, *(host if env["runner"] == HOST else [])]
    return env.AlwaysBuild(env.Alias(alias, needed, action))


def generate(env: Any) -> None:
    """Adds env.FluidRun."""
    env.AddMethod(_run, "FluidRun")


def exists(env: Any) -> bool:
    """QEMU is in PATH."""
    return bool(env.WhereIs("qemu-system-x86_64"))
