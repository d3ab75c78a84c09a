"""SCons tool: the subset of llvm-libc, compiled for the kernel and for the module that needs it.

The source is one node, its SHA-256; the files are fetched when the first of them is compiled.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from SCons.Action import Action
from SCons.Errors import BuildError

from fluid import libc_manifest, libc_source, targets, toolchain
from fluid.errors import FluidError

HEADERS = ("include", "printf")  # below libc_manifest.SUBSET
FORMATTER = "printf/format"
CAMPAIGN_FOLDERS = ("site_scons", "tests", "tests/host", "tests/qemu")


def _flags_step(target: list[str], source: list[str], env: Any) -> None:
    from fluid import cpu, flags

    profile = cpu.read_target_profile(source[0], env["FLUID_VARIANT"])
    vectors = env["FLUID_LIBC_UNIT"] in libc_manifest.WITH_VECTORS
    made = flags.libc_flags(env["FLUID_TARGET"], profile, vectors=vectors)
    flags.write_response(made, target[0])


def _provide(target: Any, source: Any, env: Any) -> None:
    """The first step of every object: the source is there and undamaged."""
    try:
        libc_source.provide(env["FLUID_LIBC"])
    except FluidError as error:
        raise BuildError(node=target, errstr=str(error), exitstatus=1) from error


def _objects(env: Any, unit: str, tag: str) -> list[Any]:
    """Objects of llvm-libc, and of ours around it, for `unit` and CPU tag `tag`."""
    subset, manifest = libc_manifest.SUBSET, env["FLUID_LIBC_MANIFEST"]
    named = env.Override({"FLUID_LIBC_UNIT": unit, "FLUID_VARIANT": tag})
    name = f"{unit}.{targets.place_of(tag)}"
    (response,) = named.LibcFlags(f"$OUT/flags/libc.{name}.rsp", env["FLUID_PROFILE"])
    headers = [env.File(f"#{subset}/config.h")]
    for folder in HEADERS:
        headers += env.Glob(f"#{subset}/{folder}/*.h")
    needs = [response, *headers, env["FLUID_TOOLCHAIN"], env["FLUID_LIBC_NODE"]]
    folder = f"$OBJ/llvm-libc/{name}"
    compile_one = [Action(_provide, None), Action("$LIBCCOM", "$LIBCCOMSTR")]
    objects = []
    for file in manifest.sources(unit):
        source = env.Literal(f"{env['FLUID_LIBC'].folder}/src/{file}")
        objects += named.Command(
            f"{folder}/src/{file}.o", [], compile_one, LIBC_SOURCE=source, RESPONSE=response
        )
    if unit in libc_manifest.WITH_FORMATTER:
        source = env.File(f"#{subset}/{FORMATTER}.cpp")
        objects += named.Command(
            f"{folder}/{FORMATTER}.o", source, compile_one, LIBC_SOURCE=source, RESPONSE=response
        )
    env.Depends(objects, needs)
    return objects


def _measure(target: Any, source: Any, env: Any) -> int:
    top = Path(env.Dir("#").abspath)
    variables = {
        "PYTHONPATH": os.pathsep.join(str(top / folder) for folder in CAMPAIGN_FOLDERS),
        "FLUID_BUILD": str(top / "build"),
        "PATH": env["ENV"]["PATH"],
    }
    command = [sys.executable, str(top / "tests/host/libc_campaign.py")]
    return subprocess.call(command, cwd=top, env={**os.environ, **variables})


def _report(env: Any, alias: str, needs: Any) -> Any:
    """Alias that measures the libraries of all targets and writes docs/libc.md."""
    action = env.Action(_measure, "  MEASURE docs/libc.md")
    return env.AlwaysBuild(env.Alias(alias, needs, action))


def generate(env: Any) -> None:
    """Adds env.LibcObjects and env.LibcReport; the build id covers the source."""
    try:
        lock = toolchain.read_lock(Path(env.File("#" + toolchain.LOCK_FILE).abspath))
        source = env["FLUID_LIBC"] = toolchain.libc_source(lock)
        path = Path(env.File("#" + libc_manifest.MANIFEST).abspath)
        env["FLUID_LIBC_MANIFEST"] = libc_manifest.load(path)
    except FluidError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    env["FLUID_LIBC_NODE"] = env.Value(source.identity)
    env["FLUID_TOOLS"] += f"; {source.identity}"
    # The folder of the user's cache, whatever its name, is no part of what is made, nor of its
    # signature.
    words = [f"-ffile-prefix-map={source.folder}=llvm-libc", f"-I{source.folder}"]
    words += ["-isystem", f"{source.folder}/include"]
    env["LIBC_PLACE"] = [env.Literal(word) for word in words]
    env["LIBCCOM"] = (
        f"$CC @$RESPONSE $( $LIBC_PLACE $) -I{libc_manifest.SUBSET} "
        f"-isystem {libc_manifest.SUBSET}/include -c -o $TARGET $( $LIBC_SOURCE $)"
    )
    if env["launcher"]:
        env["LIBCCOM"] = f"$( $launcher $) {env['LIBCCOM']}"
    env["LIBCCOMSTR"] = "" if env["FLUID_VERBOSE"] else "  LIBC    $TARGET"
    env.PythonBuilder(
        "LibcFlags", "FLAGS", ["cpu", "flags"], _flags_step,
        ["FLUID_TAG", "FLUID_LIBC_UNIT", "FLUID_VARIANT"],
    )  # fmt: skip
    env.AddMethod(_objects, "LibcObjects")
    env.AddMethod(_report, "LibcReport")


def exists(env: Any) -> bool:
    """Needs the compiler only; see fluid_toolchain."""
    return True
