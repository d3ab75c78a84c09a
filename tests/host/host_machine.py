"""fluid-host under test: machines that are Linux processes, with images as for QEMU."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fluid.coverage import TESTED_BUILD
from fluid.event_types import Prompt
from fluid.hosted import CHECKS, HOST_TESTED, PROGRAM, can_link, output_folder
from fluid.machine import Machine
from fluid.targets import DEFAULT_TARGET, TARGETS
from guests import BOOT_SECONDS, Machines
from qemu_images import BUILD, Files, artifact, image_with

SECONDS = 120.0  # for anything that a tiny model does


def _builds() -> list[tuple[str, str]]:
    """(target, check) of each fluid-host to test; `scons coverage` names the one it wants."""
    if TESTED_BUILD in os.environ:
        target, check = os.environ[TESTED_BUILD].split()
        return [(target, check)]
    return [(target, "none") for target in HOST_TESTED] + [(DEFAULT_TARGET, "address")]


BUILDS = _builds()


def folder_of(build: tuple[str, str]) -> str:
    """The folder below build/; skips where this machine has no C library for the target."""
    target, check = build
    assert check in CHECKS
    if not (BUILD / output_folder(target, check) / PROGRAM).is_file() and not can_link(
        "clang-19", TARGETS[target].host_triple
    ):
        pytest.skip(f"no C library for {target} on this machine")
    return output_folder(target, check)


def program_of(build: tuple[str, str]) -> str:
    """Path of fluid-host."""
    return str(artifact(folder_of(build), PROGRAM))


def image_of(build: tuple[str, str], model: Path | None) -> Path:
    """An image with this model, or without one, and the modules of this build."""
    files: Files = [(model, "MODEL.GGUF")] if model else []
    return image_with(folder_of(build), model.stem if model else "no-model", files)


class Hosts:
    """Starts fluid-host; every event is checked against its schema at the end."""

    def __init__(self, build: tuple[str, str]) -> None:
        self.build = build
        self._machines = Machines()
        self._started: list[Machine] = []

    def options(self, **options: Any) -> dict[str, Any]:
        """Options of a Machine: runner, program and little memory."""
        own = {"runner": "host", "emulator": program_of(self.build), "mem": 256}
        return {**own, **options}

    def start(self, image: Path, **options: Any) -> Machine:
        """A process that has just been started."""
        self._started.append(self._machines.start(self.build[0], image, **self.options(**options)))
        return self._started[-1]

    def boot(self, image: Path, **options: Any) -> Machine:
        """A process at its first prompt."""
        host = self.start(image, **options)
        host.wait_for(Prompt, BOOT_SECONDS)
        return host

    def model(self, model: Path | None, **options: Any) -> Machine:
        """A process at its first prompt with this model."""
        return self.boot(image_of(self.build, model), **options)

    def close(self) -> None:
        """Ends all."""
        try:
            if self.build[1] == "coverage":
                self._let_end()
            self._machines.check()
        finally:
            self._machines.close()

    def _let_end(self) -> None:
        """Counters are written by a process that ends by itself."""
        for host in self._started:
            if host.running:
                host.send(b"\x03\r/off\r")
                host.wait_end(SECONDS)


@contextmanager
def hosts_of(build: tuple[str, str]) -> Iterator[Hosts]:
    """Hosts, ended on leaving the block."""
    hosts = Hosts(build)
    try:
        yield hosts
    finally:
        hosts.close()
