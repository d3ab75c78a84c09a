"""SCons tool: from CPU profiles to the response files that carry every compiler flag.

profiles/cpu/<tag>.json -> cpu_profile.json -> plan.json -> flags/<unit>.rsp

With target=native or target=FILE the profile of that machine is among the first.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fluid import sources, targets
from fluid.hosted import LEVEL_BUILDS, PGO_BUILDS, output_folder
from fluid.needs import carries_bitcode

NONE = "none"  # the image itself
BASE, COUNTERS, TRIAL = PGO_BUILDS


def _profile_step(target: list[str], source: list[str], env: Any) -> None:
    from fluid import cpu

    cpu.write_target_profile(env["FLUID_TARGET"], source, target[0])


def _plan_step(target: list[str], source: list[str], env: Any) -> None:
    from fluid import hotness, planner

    tag, subjects = env["FLUID_TARGET"].tag, env["FLUID_SUBJECTS"]
    measured = hotness.modules(hotness.read_hotness(source[0], tag)) if source else None
    decided = {name: planner.Subject(*values) for name, values in subjects.items()}
    if env["check"] in LEVEL_BUILDS:
        made = planner.level_plan(tag, subjects, env["check"])
    else:
        made = planner.make_plan(tag, decided, measured, env["check"] == TRIAL)
    planner.write_plans(made, target[0], dict(zip(subjects, target[1:], strict=True)))


def _final_plan_step(target: list[str], source: list[str], env: Any) -> None:
    from fluid import pgo, plan, planner

    made = pgo.final_plan(
        plan.read_plan(source[0]), pgo.read_comparison(source[1], env["FLUID_TAG"])
    )
    planner.write_plans(made, target[0], dict(zip(env["FLUID_SUBJECTS"], target[1:], strict=True)))


def _boot_flags_step(target: list[str], source: list[str], env: Any) -> None:
    from fluid import flags

    flags.write_response(flags.boot_flags(), target[0])


def _kernel_flags_step(target: list[str], source: list[str], env: Any) -> None:
    from fluid import cpu, flags

    machine = env["FLUID_TARGET"]
    base = cpu.read_target_profile(source[0], machine.base)
    flags.write_response(flags.kernel_flags(machine, base, env["check"]), target[0])


def _told_flags_step(target: list[str], source: list[str], env: Any) -> None:
    from fluid import cpu, flags

    machine = env["FLUID_TARGET"]
    base = cpu.read_target_profile(source[1], machine.base)
    own = cpu.read_target_profile(source[1], machine.tag)
    told = flags.target_defines(machine, base, own)
    flags.write_response([*flags.read_response(source[0]), *told], target[0])


def _host_flags_step(target: list[str], source: list[str], env: Any) -> None:
    from fluid import cpu, flags

    machine = env["FLUID_TARGET"]
    lowest = cpu.read_target_profile(source[0], machine.lowest)
    flags.write_response(flags.host_flags(machine, lowest, env["check"]), target[0])


def _host_link_flags_step(target: list[str], source: list[str], env: Any) -> None:
    from fluid import flags

    flags.write_response(flags.host_link_flags(env["FLUID_TARGET"], env["check"]), target[0])


def _module_flags_step(target: list[str], source: list[str], env: Any) -> None:
    from fluid import cpu, flags, plan

    name, tag = env["FLUID_MODULE"], env["FLUID_VARIANT"]
    profile = cpu.read_target_profile(source[0], tag)
    decision = plan.read_plan(source[1]).decision(name)
    language = flags.CXX if env["FLUID_LANGUAGE"] == "c++" else flags.C
    options = (env["check"], language, env["FLUID_COUNTERS"])
    made = flags.module_flags(env["FLUID_TARGET"], profile, decision, *options)
    flags.write_response(made, target[0])


def _compile_kernel(
    env: Any, folder: str, sources: list[str], response: Any, includes: tuple[str, ...]
) -> list[Any]:
    """Objects of the kernel's sources; one of them is told what it is built for, too."""
    name = Path(str(response)).stem
    told = env.ToldFlags(f"$OUT/flags/{name}-target.rsp", [response, env["FLUID_PROFILE"]])
    others = [source for source in sources if source != targets.TOLD]
    objects = env.Compile(folder, others, response, includes)
    return [*objects, *env.Compile(folder, [targets.TOLD], told[0], includes)]


def _measured(env: Any) -> list[str]:
    """The hotness that the plan is made of: what was given, is kept in the tree, or is measured in
    the image with nothing known. Empty for a plan that goes by nothing."""
    machine = env["FLUID_TARGET"]
    kept = f"profiles/hotness/{machine.tag}.json"
    if env["check"] in (BASE, COUNTERS, *LEVEL_BUILDS) or not (env["hotness"] or env["FLUID_PGO"]):
        return []
    if env["hotness"]:
        return [env["hotness"]]
    if Path(env.File(f"#{kept}").abspath).is_file():
        return [kept]
    return [f"build/{output_folder(machine.folder, BASE)}/hotness.json"]


def _subjects(env: Any) -> dict[str, tuple[str, str]]:
    """(category, digest of its sources) of each module; without hotness the digest says nothing."""
    top = Path(env.Dir("#").abspath)
    measured = bool(env["FLUID_MEASURED"])
    found: dict[str, tuple[str, str]] = {}
    for variant in env["FLUID_VARIANTS"]:
        digest = ""
        if measured and variant.name not in found:
            files = sources.of_module(top, variant.sources)
            digest = sources.digest(top, files).hex()
        found.setdefault(variant.name, (variant.category, digest))
    return found


def _prepare(env: Any, folder: str, check: str) -> Any:
    """An environment for the target of this folder, with its profile and plan as nodes."""
    machine = env["FLUID_TARGETS"][folder]
    env = env.Clone(
        tools=[],
        FLUID_TARGET=machine,
        FLUID_TAG=machine.tag,
        FLUID_UNITS=[],
        check=check,
        FLUID_PGO=env["pgo"] == "1" and machine.folder == env["target"],
        OUT=f"build/{output_folder(machine.folder, check)}",
        OBJ="$OUT/obj",
    )
    bitcode = carries_bitcode(env["jit"], env["FLUID_GOALS"], env["compile"])
    env["FLUID_VARIANTS"] = targets.module_variants(
        machine, Path(env.Dir("#").abspath), env["variants"], bitcode and check != COUNTERS
    )
    env["FLUID_MEASURED"] = _measured(env)
    subjects = env["FLUID_SUBJECTS"] = _subjects(env)
    env["FLUID_BENCHMARKS"] = [name for name, (kind, _) in subjects.items() if kind == "bench"]
    # SCons expands variables in names.
    profiles = [env.File(file.replace("$", "$$")) for file in machine.profile_files]
    (env["FLUID_PROFILE"],) = env.CpuProfile("$OUT/cpu_profile.json", profiles)
    names = list(env["FLUID_SUBJECTS"])
    files = ["$OUT/plan.json", *(f"$OUT/plan/{name}.json" for name in names)]
    if env["FLUID_PGO"] and check == NONE:
        trial = f"build/{output_folder(machine.folder, TRIAL)}"
        whole, *parts = env.FinalPlan(files, [f"{trial}/plan.json", f"{trial}/compare.json"])
    else:
        whole, *parts = env.Plan(files, env["FLUID_MEASURED"])
    env["FLUID_PLAN"] = whole
    env["FLUID_DECISIONS"] = dict(zip(names, parts, strict=True))
    return env


def generate(env: Any) -> None:
    """Adds env.FluidTarget, env.CompileKernel and builders of profile, plan and response files."""
    env.PythonBuilder("CpuProfile", "CPU", ["cpu"], _profile_step, ["FLUID_TAG"])
    decided = ["FLUID_TAG", "FLUID_SUBJECTS", "check"]
    env.PythonBuilder("Plan", "PLAN", ["hotness", "planner"], _plan_step, decided)
    env.PythonBuilder("FinalPlan", "PLAN", ["planner", "pgo"], _final_plan_step, decided)
    env.PythonBuilder("BootFlags", "FLAGS", ["flags"], _boot_flags_step)
    env.PythonBuilder("ToldFlags", "FLAGS", ["cpu", "flags"], _told_flags_step, ["FLUID_TAG"])
    env.PythonBuilder(
        "ModuleFlags",
        "FLAGS",
        ["cpu", "flags", "plan"],
        _module_flags_step,
        ["FLUID_TAG", "FLUID_MODULE", "FLUID_VARIANT", "FLUID_LANGUAGE", "FLUID_COUNTERS", "check"],
    )
    checked = ["FLUID_TAG", "check"]
    env.PythonBuilder("KernelFlags", "FLAGS", ["cpu", "flags"], _kernel_flags_step, checked)
    env.PythonBuilder("HostFlags", "FLAGS", ["cpu", "flags"], _host_flags_step, checked)
    env.PythonBuilder("HostLinkFlags", "FLAGS", ["flags"], _host_link_flags_step, checked)
    env.AddMethod(_prepare, "FluidTarget")
    env.AddMethod(_compile_kernel, "CompileKernel")


def exists(env: Any) -> bool:
    """Needs nothing but Python."""
    return True
