"""SCons tool: the console of the booted image, or of a machine elsewhere, on this terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from SCons import SConsign

from fluid.emulator import HOST
from fluid.options import processors

_START = (
    "import sys; from pathlib import Path; from fluid.runner import run_interactive; "
    "image, target, runner, mem, smp, keep, program, compiler = sys.argv[1:]; "
    "sys.exit(run_interactive("
    "Path(image), target=target, runner=runner, mem=int(mem), smp=int(smp), "
    "keep=keep == '1', "
    "program=program or None, compiler=compiler))"
)

_ATTACH = "import sys; from fluid.attach import run_attached; sys.exit(run_attached(*sys.argv[1:]))"


def _keep_signatures() -> None:
    """What was built is noted now, not when the user leaves: builds meanwhile need it. Nor is it
    noted again then, over theirs."""
    for signatures in SConsign.sig_files:
        signatures.write()
    SConsign.sig_files.clear()
    SConsign.DB_sync_list.clear()


def _run_image(target: Any, source: Any, env: Any) -> int:
    program = str(source[1].abspath) if env["runner"] == HOST else ""  # fluid-host
    compiler = str(source[-1].abspath) if env["compile"] == "1" else ""
    smp = processors(env["smp"], env["runner"], "run")
    machine = [env["FLUID_TARGET"].emulated, env["runner"], env["mem"], str(smp), env["keep"]]
    return _start(env, _START, str(source[0]), *machine, program, compiler)


def _attach(target: Any, source: Any, env: Any) -> int:
    return _start(env, _ATTACH, env["port"], *(node.abspath for node in source))


def _start(env: Any, program: str, *arguments: str) -> int:
    """A process of its own, so that the terminal and Ctrl-C belong to the guest, not to SCons."""
    _keep_signatures()
    variables = {"PYTHONPATH": str(Path(env.Dir("#").abspath) / "site_scons")}
    return subprocess.call(
        [sys.executable, "-c", program, *arguments],
        env={**os.environ, **variables, "PATH": env["ENV"]["PATH"]},
    )


def _run(env: Any, alias: str, image: Any, host: list[Any], jit: list[Any]) -> Any:
    """Alias that boots `image`, with runner=host in the program of the nodes `host`, with compile=1
    beside the compiler of the nodes `jit`."""
    action = env.Action(_run_image, f"  RUN     {image}")
    needed = [image, *(host if env["runner"] == HOST else []), *_compiler(env, jit)]
    return env.AlwaysBuild(env.Alias(alias, needed, action))


def _compiler(env: Any, jit: list[Any]) -> list[Any]:
    return jit if env["compile"] == "1" else []


def _chat(env: Any, alias: str, jit: list[Any]) -> Any:
    """Alias that attaches to `port=`; it builds nothing but, with compile=1, the nodes `jit`."""
    action = env.Action(_attach, "  CHAT    $port")
    return env.AlwaysBuild(env.Alias(alias, _compiler(env, jit), action))


def generate(env: Any) -> None:
    """Adds env.FluidRun and env.FluidChat."""
    env.AddMethod(_run, "FluidRun")
    env.AddMethod(_chat, "FluidChat")


def exists(env: Any) -> bool:
    """QEMU is in PATH."""
    return bool(env.WhereIs("qemu-system-x86_64"))
