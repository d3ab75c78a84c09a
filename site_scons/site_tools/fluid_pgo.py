"""SCons tool: pgo=1. Four images of one target, which share the kernel:

base      nothing known     -> hotness.json, unless one is given, and samples.json
counters  counters in it    -> counters/<module>.profdata
trial     built by the plan -> compare.json, with what base takes
          the image itself: by the plan, but for modules that are not faster that way
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fluid.emulator import HOST
from fluid.hosted import PGO_BUILDS, output_folder
from fluid.targets import COUNTED, NATIVE

# Columns of the table of levels, and the builds that they are of.
FORMS = {"O0": "O0", "O1": "O1", "O2": "base", "O3": "O3", "PGO": "trial"}

CLOCK = ".clock"  # never made; see _alone


def _runner(source: list[str], env: Any) -> dict[str, Any]:
    """Options of the machine that is measured: TCG, which counts instructions, so that once is
    enough; or fluid-host where its program is the second source (_on_host)."""
    from fluid.training import ICOUNT

    mem = int(env["mem"])
    if len(source) > 1:
        return {"runner": HOST, "emulator": source[1], "mem": mem}
    return {"runner": "tcg", "icount": ICOUNT, "mem": mem}


def _hotness_step(target: list[str], source: list[str], env: Any) -> None:
    from fluid import training

    options = _runner(source, env)
    training.capture(
        Path(source[0]),
        Path(target[0]),
        samples=Path(target[1]),
        target=env["FLUID_TARGET"].emulated,
        benchmarks=env["FLUID_BENCHMARKS"],
        model=env["FLUID_MODEL"] is not None,
        runs=training.RUNS if options["runner"] == HOST else 1,
        **options,
    )


def _counters_step(target: list[str], source: list[str], env: Any) -> None:
    from fluid import training

    training.count(
        Path(source[0]),
        {Path(path).stem: Path(path) for path in target},
        target=env["FLUID_TARGET"].emulated,
        bits=32 if env["FLUID_TARGET"].arch == "i686" else 64,
        benchmarks=env["FLUID_BENCHMARKS"],
        **_runner(source, env),
    )


def _compare_step(target: list[str], source: list[str], env: Any) -> None:
    from fluid import history, pgo, plan
    from fluid.progress import show_progress, show_result

    before, after, decided, *host = source
    recorder = history.Recorder(Path("build", history.FILE).absolute(), env["FLUID_TAG"], "compare")
    found = pgo.compare(
        Path(before),
        Path(after),
        pgo.workload(env["FLUID_BENCHMARKS"]),
        recorder,
        target=env["FLUID_TAG"],
        emulated=env["FLUID_TARGET"].emulated,
        mem=int(env["mem"]),
        host=host[0] if host else None,
        progress=show_progress,
    )
    text = pgo.table(plan.read_plan(decided), found)
    show_result(text.rstrip("\n"))
    pgo.write_comparison(found, target[0])
    Path(target[1]).write_text(text)
    recorder.write()


def _on_host(env: Any, host: list[Any]) -> list[Any]:
    """The program to train in: this machine for an image that is for this machine, or that TCG
    cannot run."""
    from fluid.probe import tcg_can

    machine = env["FLUID_TARGET"]
    return host[:1] if machine.folder == NATIVE or not tcg_can(machine.emulated) else []


def _measure(env: Any, role: str, image: Any, host: list[Any]) -> None:
    """The nodes that come of running an image of this role."""
    folder = env["FLUID_TARGET"].folder
    subjects = env["FLUID_SUBJECTS"]
    if role == "base":
        measured = [image, *_on_host(env, host)]
        _alone(env, env.Hotness(["$OUT/hotness.json", "$OUT/samples.json"], measured), [])
    elif role == "counters":
        counted = [name for name, (category, _) in subjects.items() if category in COUNTED]
        results = [f"$OUT/counters/{name}.profdata" for name in counted]
        _alone(env, env.Counters(results, [image, *_on_host(env, host)]), [])
    elif role == "trial":
        base = f"build/{output_folder(folder, PGO_BUILDS[0])}/fluid.img"
        sources = [base, image, env["FLUID_PLAN"], *host[:1]]
        table = env.Compare(["$OUT/compare.json", "$OUT/compare.txt"], sources)
        _alone(env, table, [path for path in _level_images(env) if path not in (base, str(image))])


def _levels_step(target: list[str], source: list[str], env: Any) -> None:
    from fluid import history, levels
    from fluid.progress import show_progress, show_result

    recorder = history.Recorder(Path("build", history.FILE).absolute(), env["FLUID_TAG"], "levels")
    images = {form: Path(path) for form, path in zip(FORMS, source[: len(FORMS)], strict=True)}
    found = levels.measure(
        images,
        env["FLUID_BENCHMARKS"],
        recorder,
        target=env["FLUID_TAG"],
        emulated=env["FLUID_TARGET"].emulated,
        mem=int(env["mem"]),
        host=next(iter(source[len(FORMS) :]), None),
        progress=show_progress,
    )
    text = levels.table(found)
    show_result(text.rstrip("\n"))
    levels.write_levels(found, target[0])
    Path(target[1]).write_text(text)
    recorder.write()


def _level_images(env: Any) -> list[str]:
    """By FORMS, where they are built; else none."""
    folder = env["FLUID_TARGET"].folder
    if not set(FORMS.values()) <= set(env["FLUID_PGO_BUILDS"]):
        return []
    return [f"build/{output_folder(folder, role)}/fluid.img" for role in FORMS.values()]


def _alone(env: Any, measurement: Any, before: list[Any]) -> None:
    """A measurement shares the processors with none like it (SCons runs steps with one SideEffect
    one after the other), and waits for what would be compiled meanwhile; it is of this machine, and
    for no other one's cachedir."""
    env.FluidNotShared(measurement)
    env.SideEffect(f"#build/{CLOCK}", measurement)
    env.Requires(measurement, before)


def _levels(env: Any, alias: str, host: list[Any]) -> None:
    """Alias of the table of all levels."""
    images = _level_images(env)
    if images:
        table = env.Levels(["$OUT/levels.json", "$OUT/levels.txt"], [*images, *host[:1]])
        _alone(env, table, [])
        env.Requires(env["FLUID_PLAN"], table)  # the image that is built by it
        env.Alias(alias, table)


def generate(env: Any) -> None:
    """Adds env.FluidMeasure, env.FluidLevels and env.FluidAlone."""
    env.AddMethod(_alone, "FluidAlone")
    run = ["FLUID_TAG", "FLUID_BENCHMARKS", "mem"]
    env.PythonBuilder("Hotness", "TRAIN", ["training"], _hotness_step, run)
    env.PythonBuilder("Counters", "COUNT", ["training"], _counters_step, run)
    env.PythonBuilder("Compare", "COMPARE", ["plan", "training", "pgo"], _compare_step, run)
    env.PythonBuilder("Levels", "LEVELS", ["training", "levels"], _levels_step, run)
    env.AddMethod(_measure, "FluidMeasure")
    env.AddMethod(_levels, "FluidLevels")


def exists(env: Any) -> bool:
    """QEMU is in PATH."""
    return bool(env.WhereIs("qemu-system-x86_64"))
