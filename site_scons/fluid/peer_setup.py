"""The environment that llama.cpp runs in: llama-cpp-python in a version that the project was
measured with, compiled from source for this processor. It takes some minutes once; bench peers=1
asks for it.

It lies in build/peers/, apart from .venv: no other part of the project imports it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from fluid.errors import FluidError

FOLDER = "build/peers"  # below the tree
PACKAGES = ("llama-cpp-python==0.3.36", "numpy==2.4.6")
FLAGS = "-DGGML_NATIVE=ON"  # this processor's instructions, as target=native
STAMP = "fluid.stamp"
TAIL = 1500  # characters of pip's output in the sentence
COMPILERS = (("gcc", "g++"), ("clang", "clang++"), ("cc", "c++"))

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def state() -> str:
    """What an environment is made from."""
    return "\n".join((*PACKAGES, FLAGS, sys.version))


def interpreter(folder: Path) -> Path:
    """Of the environment in `folder`."""
    return folder / "bin" / "python"


def ready(folder: Path) -> bool:
    """Whether it was made completely, from the same."""
    stamp = folder / STAMP
    return interpreter(folder).exists() and stamp.is_file() and stamp.read_text("utf-8") == state()


def compilers() -> tuple[str, str]:
    """(C, C++) of one kind. E-PEER-01."""
    for c, cxx in COMPILERS:
        if shutil.which(c) and shutil.which(cxx):
            return c, cxx
    raise FluidError(
        "E-PEER-01",
        "a C++ compiler was expected to build llama-cpp-python, found none; run ./sconsw, which "
        "installs g++, or install one",
    )


def set_up(folder: Path, say: Callable[[str], None], run: Run = subprocess.run) -> Path:
    """Makes it unless it is there; its interpreter. E-PEER-01 when that fails."""
    if ready(folder):
        return interpreter(folder)
    c, cxx = compilers()
    say(f"building {PACKAGES[0]} from source in {folder}: some 10 minutes, once")
    shutil.rmtree(folder, ignore_errors=True)
    variables = {**os.environ, "CMAKE_ARGS": FLAGS, "CC": c, "CXX": cxx}
    variables.pop("PYTHONPATH", None)
    pip = [str(interpreter(folder)), "-m", "pip", "install", "--disable-pip-version-check"]
    source = ["--no-input", "--no-binary", "llama-cpp-python", *PACKAGES]
    for command in ([sys.executable, "-m", "venv", str(folder)], [*pip, *source]):
        _step(command, variables, run)
    (folder / STAMP).write_text(state(), "utf-8")
    return interpreter(folder)


def _step(command: list[str], variables: dict[str, str], run: Run) -> None:
    try:
        done = run(command, env=variables, capture_output=True, text=True, check=False)
    except OSError as error:
        raise FluidError(
            "E-PEER-01", f"{command[0]} was expected to run, found: {error}"
        ) from error
    if done.returncode != 0:
        raise FluidError(
            "E-PEER-01",
            f"{' '.join(command[1:4])} was expected to make the environment of the peer, found "
            f"status {done.returncode}; is a package index reachable (PIP_INDEX_URL, proxy), and a "
            f"C++ compiler there? It said: {(done.stdout + done.stderr)[-TAIL:].strip()}",
        )
