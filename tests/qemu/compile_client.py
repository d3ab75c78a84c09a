"""A machine whose operations a compile server compiles: its image, and what it is asked."""

from __future__ import annotations

import base64
import re
import time
from dataclasses import replace
from pathlib import Path

from fluid import jit, modfile, registry
from fluid.compile_server import CompileServer
from fluid.event_types import Compile, CompileNext, Event
from fluid.jitbuild import TESTED
from fluid.machine import Machine
from fluid.modlayout import SHA_OFFSET
from fluid.modread import unpack
from fluid.registry import unpack as unpack_registry
from guests import check_schema, said
from jit_modules import ahead_module, request, require
from test_errors import artifact_registry, with_registry

OPERATIONS = {"add": "tensor_act", "matmul_q4_1": "tensor_q4_1"}  # and whose they are
LEVEL = 2


class Listening(CompileServer):
    """A server that remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__(require())
        self.events: list[Event] = []
        self.sent = 0  # bytes of records

    def take(self, event: Event) -> bool:
        if isinstance(event, Compile | CompileNext):
            self.events.append(event)
        return super().take(event)

    def outgoing(self) -> bytes:
        data = super().outgoing()
        self.sent += len(data)
        return data

    def request(self) -> bytes:
        """The last one."""
        parts = [event for event in self.events if isinstance(event, Compile)]
        last = [event for event in parts if event.id == parts[-1].id]
        return b"".join(base64.b64decode(event.b64) for event in last)


def image_with_bitcode(image: Path, target: str, folder: Path) -> Path:
    """A copy of the image. Of the operations' modules it has the lowest variant alone, with its
    bitcode."""
    tag = TESTED[target][0]
    whole = unpack_registry(artifact_registry(image))
    pairs = zip(whole.entries, whole.files, strict=True)
    files = [content for entry, content in pairs if entry.name not in OPERATIONS.values()]
    for name in OPERATIONS.values():
        carried = request(name, target, tag).payload
        files.append(modfile.pack(replace(ahead_module(name, target, tag), bitcode=carried)))
    return with_registry(image, registry.pack(files), folder)


def compiles(machine: Machine, server: Listening, operation: str) -> str:
    """Lets the machine compile an operation: its module is byte for byte what jit.elf makes of the
    same request. A line with sizes and times."""
    log, sent, start = len(machine.log), server.sent, time.monotonic()
    text = said(machine, f"/jit compile {operation} {LEVEL}")
    seconds = time.monotonic() - start
    found = re.search(r": (\d+) bytes.*\nsha256 ([0-9a-f]{64})\n", text)
    assert found, text
    answer = jit.accepted(jit.ask(require(), server.request()))
    assert unpack(answer.mod).name == OPERATIONS[operation]
    assert int(found[1]) == len(answer.mod)
    assert found[2] == answer.mod[SHA_OFFSET : SHA_OFFSET + 32].hex()
    check_schema(server.events)
    return (
        f"{operation}: request {len(server.request())} bytes, .mod {len(answer.mod)}; on the line "
        f"{len(machine.log) - log} from the machine, {server.sent - sent} to it; {seconds:.2f} s"
    )
