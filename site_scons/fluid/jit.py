"""Asks jit.elf, the compiler that runs on the machine (src/jit), for a module.

E-JIT-30 it ended without an answer; 60 it has no build ID; other E-JIT codes are its own answers.
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


def build_id(program: StrPath) -> str:
    """What tells this compiler from another one, in hex: the linker's digest of its content."""
    from elftools.common.exceptions import ELFError  # here: others do without
    from elftools.elf.elffile import ELFFile

    try:
        with open(program, "rb") as file:
            for segment in ELFFile(file).iter_segments("PT_NOTE"):
                for note in segment.iter_notes():
                    if note["n_type"] == "NT_GNU_BUILD_ID":
                        return str(note["n_desc"])
        found = "none"
    except (OSError, ELFError) as error:
        found = str(error)
    raise FluidError(
        "E-JIT-60", f"{program}: a program with a build ID expected, found {found}; scons jit"
    )


def start(program: StrPath) -> subprocess.Popen[bytes]:
    """A process for one request; E-JIT-30."""
    try:
        return subprocess.Popen(
            [str(program)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    except OSError as error:
        raise _no_answer(str(error)) from None


def _no_answer(found: str) -> FluidError:
    return FluidError(
        "E-JIT-30",
        f"an answer of jit.elf expected, found {found}; keep the code that is there",
    )


def _how(status: int) -> str:
    """How a process ended."""
    return signal.Signals(-status).name if status < 0 else f"exit status {status}"


def finish(process: subprocess.Popen[bytes], request: bytes, seconds: float) -> bytes:
    """What it answers to these bytes; E-JIT-30 when that is nothing."""
    with process:
        try:
            answer, said = process.communicate(request, seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            raise _no_answer(f"none within {seconds:g} s") from None
    if process.returncode != 0:
        words = said.decode(errors="replace").strip()[:200]
        raise _no_answer(f"{_how(process.returncode)} ({words})")
    return answer


def ask(program: StrPath, request: bytes, seconds: float = 600) -> Response:
    """The response to any bytes; E-JIT-30 when there is none, 31 when it is damaged."""
    return unpack_response(finish(start(program), request, seconds))


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
