"""`scons run`: boots an image with its console on this terminal."""

from __future__ import annotations

import sys
from pathlib import Path

from fluid.compile_server import serving
from fluid.emulator import DEFAULT_MEM
from fluid.errors import FluidError
from fluid.machine import Machine
from fluid.probe import choose_runner
from fluid.terminal import converse, terminated_as_exit

LIFE_SECONDS = 30 * 86400.0  # a session of a person


def run_interactive(
    image: Path,
    *,
    target: str,
    runner: str = "auto",
    mem: int = DEFAULT_MEM,
    smp: int = 1,
    keep: bool = False,
    program: str | None = None,
    compiler: str = "",
) -> int:
    """Boots the image with its console on standard input and output; 0 after a clean end.

    keep: what the machine writes stays in the image; program: instead of the target's QEMU or
    fluid-host; compiler: jit.elf, for a compile server.
    """
    # A person sees a machine that resets again and again; for a script a reset is the end.
    reboot = sys.stdin.isatty()
    try:
        chosen = choose_runner(runner, image, target)
        with terminated_as_exit(), serving(compiler) as server:
            machine = Machine(
                image,
                target=target,
                runner=chosen,
                mem=mem,
                smp=smp,
                reboot=reboot,
                writable=keep,
                emulator=program,
                life=LIFE_SECONDS,
                server=server,
            )
            with machine:
                status = converse(machine, sys.stdin.buffer, sys.stdout.buffer)
            if status and chosen == "kvm" and not machine.events:
                print("KVM does not work here; take runner=tcg or runner=host", file=sys.stderr)
            return status
    except FluidError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
