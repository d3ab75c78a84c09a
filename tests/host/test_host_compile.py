"""`scons run runner=host compile=1`: the server behind standard input and output."""

from __future__ import annotations

from pathlib import Path

from compile_client import OPERATIONS, Listening, compiles, image_with_bitcode
from guests import TinyModel
from host_machine import Hosts, image_of


def test_operations_are_compiled_by_the_host(hosts: Hosts, tiny: TinyModel, tmp_path: Path) -> None:
    target = hosts.build[0]
    image = image_with_bitcode(image_of(hosts.build, tiny()), target, tmp_path)
    with Listening() as server:
        host = hosts.boot(image, server=server)
        print()
        for operation in OPERATIONS:
            print(compiles(host, server, operation))
        assert server.answered == len(OPERATIONS)
