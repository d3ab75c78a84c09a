"""SCons tool: what target= means, where it names no level, and the scan of this machine.

Sets FLUID_TARGETS, by folder below build/, and makes env["target"] the folder of the chosen one.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from fluid import needs, targets
from fluid.errors import FluidError
from fluid.hosted import LEVEL_BUILDS, PGO_BUILDS


def _scan(target: Any, source: Any, env: Any) -> int:
    """The alias profile-cpu."""
    from fluid import cpu_custom, cpu_scan

    path = Path(env.Dir("#").abspath) / cpu_custom.NATIVE_PROFILE
    try:
        found = cpu_scan.scan(env["CC"])
    except FluidError as error:
        print(error, file=sys.stderr)
        return 1
    cpu_scan.store(found, path, env["FLUID_CC_VERSION"])
    print(cpu_scan.story(found, Path(cpu_custom.NATIVE_PROFILE)))
    return 0


def _custom(env: Any, wanted: str) -> targets.Target:
    """The target of target=native or target=FILE."""
    from fluid import cpu_custom, cpu_scan

    top = Path(env.Dir("#").abspath)
    if wanted != targets.NATIVE:
        return cpu_custom.target_of_file(Path(wanted))
    stored = Path(cpu_custom.NATIVE_PROFILE)
    cpu_scan.native_profile(top / stored, env["CC"], env["FLUID_CC_VERSION"])
    return cpu_custom.native_target(stored)


def generate(env: Any) -> None:
    """Resolves target=; adds the alias profile-cpu."""
    known = dict(targets.TARGETS)
    if env["target"] not in known:
        try:
            custom = _custom(env, env["target"])
        except FluidError as error:
            print(error, file=sys.stderr)
            sys.exit(2)
        known.setdefault(custom.folder, custom)
        env["target"] = custom.folder
    env["FLUID_TARGETS"] = known
    env["FLUID_BUILDS"] = needs.wanted_builds(
        env["target"], env["check"], env["FLUID_GOALS"], list(known), env["FLUID_TESTED"]
    )
    levels = LEVEL_BUILDS if needs.wants_levels(env["FLUID_GOALS"]) else ()
    env["FLUID_PGO_BUILDS"] = (*PGO_BUILDS, *levels) if env["pgo"] == "1" else ()
    env.AlwaysBuild(env.Alias("profile-cpu", [], env.Action(_scan, "  SCAN    this machine")))


def exists(env: Any) -> bool:
    """Needs the compiler; see fluid_toolchain."""
    return True
