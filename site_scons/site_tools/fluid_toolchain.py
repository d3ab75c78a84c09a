"""SCons tool: clang and lld 19 as cross tools for the bare machine, with short build lines.

Objects are compiled with the flags in the response file $RESPONSE and nothing else. clang-19 is a
small driver before a library, so that its own content says nothing: objects depend on the version.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import SCons.Tool
from SCons.Action import Action
from SCons.Defaults import ASPPAction, CAction, CXXAction, StaticObjectEmitter

from fluid import toolchain
from fluid.errors import FluidError

PROGRAMS = {
    "CC": toolchain.COMPILERS["clang"],
    "LINK": toolchain.COMPILERS["lld"],
    "OBJCOPY": toolchain.COMPILERS["llvm-objcopy"],
}

_NUMBER = re.compile(r"\b\d+\.\d+\.\d+\b")


def _path() -> str:
    """The user's PATH and the system folders that plain users lack (mkfs.vfat)."""
    folders = os.environ.get("PATH", "").split(os.pathsep)
    return os.pathsep.join([*folders, *(f for f in ("/usr/sbin", "/sbin") if f not in folders)])


def _stop(message: str) -> NoReturn:
    print(message, file=sys.stderr)
    sys.exit(2)


def _versions(programs: Sequence[str]) -> list[str]:
    """What each program says of itself; ends the build when one names no version."""
    running = [
        subprocess.Popen([p, "--version"], stdout=subprocess.PIPE, text=True) for p in programs
    ]
    said = [process.communicate()[0] for process in running]
    for program, text in zip(programs, said, strict=True):
        if not _NUMBER.search(text):
            _stop(
                f"E-TOOL-02 a version number was expected from {program} --version, found "
                f"{text[:200]!r}; install LLVM 19 anew"
            )
    return said


def _builtins(version: str, architecture: str) -> str:
    """compiler-rt's archive; clang names none for a target without operating system."""
    installed = re.search(r"^InstalledDir: (.*)$", version, re.MULTILINE)
    major = re.search(r"version (\d+)", version)
    if not installed or not major:
        _stop(
            "E-TOOL-02 version and InstalledDir were expected from clang --version, found "
            f"{version[:200]!r}; install LLVM 19 anew"
        )
    resources = Path(installed[1]).parent / "lib/clang" / major[1]
    return str(resources / "lib/linux" / f"libclang_rt.builtins-{architecture}.a")


def _compare_with_lock(env: Any, versions: Sequence[str]) -> None:
    """Warns when a compiler is not the locked one; with locked=1 no tool may differ at all."""
    strict = env["locked"] == "1"
    try:
        lock = toolchain.read_lock(Path(env.File("#" + toolchain.LOCK_FILE).abspath))
    except FluidError as error:
        _stop(str(error))
    if strict:
        found = toolchain.scan(lock)
    else:
        lines = map(toolchain.version_line, versions)
        pairs = zip(toolchain.COMPILERS, lines, strict=True)
        found = {name: toolchain.Tool(line, None) for name, line in pairs}
        lock = {name: tool for name, tool in lock.items() if name in found}
    sentences = toolchain.differences(lock, found)
    if sentences and strict:
        _stop(toolchain.complaint(sentences))
    if sentences:
        print(f"warning {toolchain.complaint(sentences)}", file=sys.stderr)


def _print_table(target: Any, source: Any, env: Any) -> int:
    """The alias toolchain."""
    lock = toolchain.read_lock(Path(str(source[0])))
    print(toolchain.table(lock, toolchain.scan(lock)))
    return 0


def _compile(
    env: Any, folder: str, sources: Sequence[str], response: Any, includes: Sequence[str]
) -> list[Any]:
    """Objects of `sources` below `folder`, compiled with the flags of one response file."""
    objects = []
    for source in sources:
        (node,) = env.StaticObject(
            f"{folder}/{Path(source).relative_to('src')}.o",
            source,
            RESPONSE=response,
            CPPPATH=[f"#{folder}" for folder in includes],
        )
        env.Depends(node, [response, env["FLUID_TOOLCHAIN"]])
        env["FLUID_UNITS"].append((source, node, response, tuple(includes)))
        objects.append(node)
    return objects


def _link(
    env: Any,
    target: str,
    objects: Sequence[Any],
    script: str,
    architecture: str,
    flags: str = "",
    library: Sequence[Any] = (),
) -> Any:
    """A static ELF with what it needs of `library` and compiler-rt, and next to it the link map."""
    stem = target.removesuffix(".elf")
    elf = env.Command(
        [target, f"{stem}.map"],
        [*objects, env.File(_builtins(env["FLUID_CC_VERSION"], architecture))],
        Action("$ELFCOM", "$ELFCOMSTR"),
        LINKSCRIPT=env.File(script),
        ELFFLAGS=flags,
        LIBRARY=list(library),
    )
    env.Depends(elf, [env.File(script), env["FLUID_TOOLCHAIN"], *library])
    return elf[0]


def _relocatable(
    env: Any, target: str, objects: Sequence[Any], architecture: str, library: Sequence[Any] = ()
) -> Any:
    """One relocatable object of `objects` and what they need of `library` and compiler-rt, and next
    to it the link map."""
    builtins = env.File(_builtins(env["FLUID_CC_VERSION"], architecture))
    action = Action("$RELOCATABLECOM", "$RELOCATABLECOMSTR")
    targets = [target, f"{target.removesuffix('.o')}.map"]
    node = env.Command(targets, [*objects, builtins], action, LIBRARY=list(library))
    env.Depends(node, [env["FLUID_TOOLCHAIN"], *library])
    return node[0]


def _flat(env: Any, target: str, elf: Any) -> Any:
    """The loaded sections of an ELF as one binary."""
    node = env.Command(target, elf, Action("$FLATCOM", "$FLATCOMSTR"))
    env.Depends(node, env["FLUID_TOOLCHAIN"])
    return node[0]


def generate(env: Any) -> None:
    """Sets the commands; adds env.Compile, env.LinkElf, env.LinkRelocatable, env.FlatBinary."""
    env["ENV"] = {"PATH": _path(), "LC_ALL": "C"}
    env["IMPLICIT_COMMAND_DEPENDENCIES"] = False  # objects depend on the version, see above
    if not exists(env):
        missing = [p for p in PROGRAMS.values() if not env.WhereIs(p)]
        _stop(
            f"E-TOOL-01 these programs were expected in PATH and not found: {' '.join(missing)}; "
            "run ./sconsw, which installs them or says how"
        )
    env.Replace(**PROGRAMS)
    versions = _versions([env.WhereIs(p) for p in PROGRAMS.values()])
    env["FLUID_CC_VERSION"] = versions[0]
    numbered = (line for text in versions for line in text.splitlines() if _NUMBER.search(line))
    env["FLUID_TOOLS"] = "; ".join(line.strip() for line in numbered)
    env["FLUID_TOOLCHAIN"] = env.Value(env["FLUID_TOOLS"])
    env["FLUID_UNITS"] = []
    _compare_with_lock(env, versions)
    env.AlwaysBuild(
        env.Alias("toolchain", "#" + toolchain.LOCK_FILE, Action(_print_table, "  TOOLS"))
    )

    compile_one = "$CC @$RESPONSE $_CPPINCFLAGS -c -o $TARGET $SOURCE"
    env["CCCOM"] = env["CXXCOM"] = env["ASPPCOM"] = compile_one
    env["INCPREFIX"], env["INCSUFFIX"] = "-I", ""
    env["_CPPINCFLAGS"] = (
        "${_concat(INCPREFIX, CPPPATH, INCSUFFIX, __env__, RDirs, TARGET, SOURCE)}"
    )
    env["ELFCOM"] = (
        "$LINK -static --no-pie --nostdlib --build-id=none --fatal-warnings -z noexecstack "
        "$ELFFLAGS -T $LINKSCRIPT -Map=${TARGETS[1]} -o ${TARGETS[0]} "
        "--start-lib $LIBRARY --end-lib $SOURCES"
    )
    env["RELOCATABLECOM"] = (
        "$LINK -r $RELOCATABLEFLAGS -Map=${TARGETS[1]} -o ${TARGETS[0]} "
        "--start-lib $LIBRARY --end-lib $SOURCES"
    )
    env["FLATCOM"] = "$OBJCOPY -O binary $SOURCE $TARGET"
    lines = {"CC": "CC", "CXX": "CXX", "ASPP": "AS", "ELF": "LINK", "RELOCATABLE": "LINK-R"}
    lines["FLAT"] = "OBJCOPY"
    for name, verb in lines.items():
        env[f"{name}COMSTR"] = "" if env["FLUID_VERBOSE"] else f"  {verb:<8}$TARGET"

    env["OBJSUFFIX"] = ".o"
    static_object, _ = SCons.Tool.createObjBuilders(env)
    for suffix, action in ((".c", CAction), (".cpp", CXXAction), (".S", ASPPAction)):
        static_object.add_action(suffix, action)
        static_object.add_emitter(suffix, StaticObjectEmitter)
    env.AddMethod(_compile, "Compile")
    env.AddMethod(_link, "LinkElf")
    env.AddMethod(_relocatable, "LinkRelocatable")
    env.AddMethod(_flat, "FlatBinary")


def exists(env: Any) -> bool:
    """All programs are in PATH."""
    return all(env.WhereIs(program) for program in PROGRAMS.values())
