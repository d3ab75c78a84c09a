"""SCons tool: fluid-host, the kernel as a Linux process, and its function names for backtraces."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from SCons.Action import Action

from fluid import hosted, targets
from fluid.needs import TESTS_OF_HOST, wants_host
from fluid.options import WARM

INCLUDES = ("src/include", "src/kernel", "src/boot", "src/llvmlibc_subset")


def _no_host_step(target: list[str], source: list[str], env: Any) -> None:
    from fluid.errors import FluidError

    raise FluidError(
        "E-TOOL-05",
        f"the C library for {env['FLUID_TARGET'].host_triple} was expected for fluid-host, found "
        "no crt1.o; install it (Debian: libc6-dev-i386) or take another target",
    )


def _pair_step(target: list[str], source: list[str], env: Any) -> None:
    from fluid import hosted

    hosted.place(source, target)


def _host(env: Any) -> list[Any]:
    """Nodes fluid-host and its symbols, where they are wanted; else none."""
    machine = env["FLUID_TARGET"]
    wanted = wants_host(machine.folder, env["runner"], env["FLUID_GOALS"], env["FLUID_PGO"])
    if not wanted and env["cache"] != WARM:
        return []
    program = f"$OUT/{hosted.PROGRAM}"
    if not hosted.can_link(env["CC"], machine.host_triple):
        missing = env.NoHost(program, [])
        # Tests skip what cannot be linked here; who asks for the program itself is told.
        spared = env["FLUID_PGO"] or TESTS_OF_HOST & set(env["FLUID_GOALS"])
        return missing if machine.folder == env["target"] and not spared else []
    host = env.Clone(tools=[], FLUID_UNITS=[])  # compile_commands.json is about the bare machine
    response = host.HostFlags("$OUT/flags/host.rsp", env["FLUID_PROFILE"])
    sources = targets.host_sources(Path(env.Dir("#").abspath), env["check"])
    objects = host.CompileKernel("$OBJ/host", sources, response[0], INCLUDES)
    objects += env.LibcObjects("host", machine.lowest)
    link = host.HostLinkFlags("$OUT/flags/host-link.rsp", [])
    action = Action("$HOSTCOM", "$HOSTCOMSTR")
    linked = host.Command(f"$OBJ/host/{hosted.PROGRAM}", objects, action, LINKFLAGSFILE=link[0])
    host.Depends(linked, [link, env["FLUID_TOOLCHAIN"]])
    symbols = host.KernelSymbols(f"$OBJ/host/{hosted.PROGRAM}.ksyms", linked)
    # One step places both: whichever is asked for by its path, the other fits.
    return list(host.HostPair([program, f"{program}.ksyms"], [*linked, *symbols]))


def generate(env: Any) -> None:
    """Adds env.FluidHost."""
    env["HOSTCOM"] = "$CC @$LINKFLAGSFILE -o $TARGET $SOURCES"
    env["HOSTCOMSTR"] = "" if env["FLUID_VERBOSE"] else "  LINK    $TARGET"
    env.PythonBuilder("NoHost", "LINK", ["errors"], _no_host_step)
    env.PythonBuilder("HostPair", "COPY", ["hosted"], _pair_step)
    env.AddMethod(_host, "FluidHost")


def exists(env: Any) -> bool:
    """Needs nothing but Python; see fluid_toolchain for the compiler."""
    return True
