"""Asks jit.elf, the compiler that runs on the machine (src/jit), for a module.

E-JIT-30 it ended without an answer; other E-JIT codes are its own answers.
"""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterable
from dataclasses import replace

from fluid.errors import FluidError
from fluid.files import StrPath
from fluid.jitlayout import Request, Response, pack_request, unpack_response
from fluid.modlayout import Module

PROGRAM = "build/jit/jit.elf"  # one for all targets


def _how(status: int) -> str:
    """How a process ended."""
    return signal.Signals(-status).name if status < 0 else f"exit status {status}"


def ask(program: StrPath, request: bytes, seconds: float = 600) -> Response:
    """The response to any bytes; E-JIT-30 when there is none, 31 when it is damaged."""
    done = subprocess.run([str(program)], input=request, capture_output=True, timeout=seconds)
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip()[:200]
        raise FluidError(
            "E-JIT-30",
            f"an answer of jit.elf expected, found {_how(done.returncode)} ({said}); keep the code "
            "that is there",
        )
    return unpack_response(done.stdout)


def accepted(response: Response) -> Response:
    """The response when it has a .mod; raises FluidError with jit.elf's code and sentence else."""
    if response.status:
        raise FluidError(f"E-JIT-{response.status:02}", response.text)
    return response


def compile_module(program: StrPath, request: Request) -> Response:
    """A response with a .mod; raises FluidError when there is none."""
    return accepted(ask(program, pack_request(request)))


def request_of(
    module: Module, bitcode: bytes, features: Iterable[str], /, **changes: object
) -> Request:
    """The request for what an ahead-of-time module exports, from its bitcode. features: all that
    the code may use."""
    request = Request(
        payload=bitcode,
        name=module.name,
        target=module.target,
        machine=module.machine,
        features=tuple(features),
        entries=tuple(export.name for export in module.exports),
        rank=module.rank,
        kernel_abi=module.kernel_abi,
        source=module.source,
    )
    return replace(request, **changes)  # type: ignore[arg-type]
