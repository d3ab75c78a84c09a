"""Options and goals that are valid alone and do not go together."""

from __future__ import annotations

from collections.abc import Mapping

from fluid import quality_formats
from fluid.emulator import BOCHS, HOST
from fluid.errors import FluidError
from fluid.hosted import IN_PROCESS
from fluid.needs import BOOTED, implies_jit, wants_levels
from fluid.options import AUTO, GATES, WARM
from fluid.suites import BY_TARGET
from fluid.targets import TARGETS, VARIANTS

SERVED = ("run", "chat")  # with compile=1


def unfit(arguments: Mapping[str, str], goals: list[str]) -> list[str]:
    """One sentence per pair of valid values that do not go together."""
    of_levels = [goal for goal in goals if goal == "coverage" or goal in BY_TARGET]
    if of_levels and arguments["target"] not in TARGETS:
        return [
            f"E-OPT-05 {of_levels[0]} is expected with target={'|'.join(TARGETS)}, found "
            f"target={arguments['target']}; its tests know these"
        ]
    if "module-push" in goals and not arguments["module"]:
        return ["E-OPT-05 module-push is expected with module=FILE, found none; name a .mod file"]
    if arguments.get("compile") == "1" and (found := _unfit_compile(arguments, goals)):
        return found
    if arguments["check"] != "none" and (found := _unfit_check(arguments, goals)):
        return found
    if quality_formats.wanted(goals) and arguments["runner"] not in ("auto", HOST):
        return [
            f"E-OPT-05 quality is expected with runner={HOST}, found "
            f"runner={arguments['runner']}; emulated it takes hours"
        ]
    if arguments.get("keep") == "1" and (goals != ["run"] or arguments["runner"] == BOCHS):
        return [
            f"E-OPT-05 keep=1 is expected with the goal run alone and another runner than {BOCHS}, "
            f"found {' '.join(goals) or 'none'} and runner={arguments['runner']}; others run a copy"
        ]
    if found := _unfit_compiler(arguments, goals):
        return found
    if "warmup" in goals and (found := _unfit_warmup(arguments)):
        return found
    if arguments.get("tiers", "0") != "0":
        return _unfit_tiers(arguments, goals)
    for name in ("peers", "lookup"):
        if arguments.get(name, "0") != "0":
            return _unfit_processes(name, arguments, goals)
    if arguments["check"] in GATES:
        return _unfit_gate(arguments, goals)
    boots = bool(BOOTED & set(goals))
    if boots and arguments["check"] in IN_PROCESS and arguments["runner"] != HOST:
        return [
            f"E-OPT-05 check={arguments['check']} is expected with runner={HOST}, found "
            f"runner={arguments['runner']}; instrumented modules need a Linux process"
        ]
    return []


def _unfit_compiler(arguments: Mapping[str, str], goals: list[str]) -> list[str]:
    """What the image's compiler is needed for."""
    if arguments.get("jit") == "1" or implies_jit(arguments.get("tiers", "0"), goals):
        return []
    needing = (("cache", WARM), ("variants", "none"))
    return [
        f"E-OPT-05 {name}={value} is expected with jit=1, found jit={arguments.get('jit')}; the "
        "image's compiler makes the code"
        for name, value in needing
        if arguments.get(name) == value
    ][:1]


def _unfit_compile(arguments: Mapping[str, str], goals: list[str]) -> list[str]:
    """Another machine's compiler: where there is a console, and the machine has none itself."""
    if len(goals) != 1 or goals[0] not in SERVED:
        return [
            f"E-OPT-05 compile=1 is expected with the goal {' or '.join(SERVED)} alone, found "
            f"{' '.join(goals) or 'none'}; it answers while that goes on"
        ]
    fixed = {"jit": "0", "check": "none"}
    return [
        f"E-OPT-05 compile=1 is expected with {name}={value}, found {name}={arguments[name]}; "
        + ("the machine compiles itself" if name == "jit" else "bitcode is not instrumented")
        for name, value in fixed.items()
        if goals == ["run"] and arguments[name] != value
    ][:1]


def _unfit_check(arguments: Mapping[str, str], goals: list[str]) -> list[str]:
    """What is done with plain builds alone; check= is not none."""
    check = arguments["check"]
    pgo = arguments.get("pgo") == "1" or wants_levels(goals)  # which has a column of it
    bitcode = (
        arguments.get("jit") == "1" or implies_jit(arguments.get("tiers", "0"), goals)
    ) and check not in GATES
    plain = (
        ("pgo=1", pgo, "what is measured must be what is used"),
        ("profile", "profile" in goals, "instrumented code takes other cycles"),
        ("quality", quality_formats.wanted(goals), "what is measured must be what is used"),
        ("jit=1", bitcode, "bitcode is not instrumented"),
    )
    return [
        f"E-OPT-05 {what} is expected with check=none, found check={check}; {why}"
        for what, wanted, why in plain
        if wanted
    ][:1]


def _unfit_warmup(arguments: Mapping[str, str]) -> list[str]:
    """What is compiled is kept in the image's cache."""
    if arguments["runner"] == BOCHS:
        return [
            f"E-OPT-05 warmup is expected with runner=auto|tcg|kvm|{HOST}, found runner={BOCHS}; "
            "it starts what the image keeps, and Bochs runs a copy"
        ]
    if arguments["target"] == "i686":
        return [
            "E-OPT-05 warmup is expected with another target than i686, found it; jit.elf runs on "
            "x86-64"
        ]
    if arguments["cache"] == "0":
        return [
            "E-OPT-05 warmup is expected with cache=1..1024, found cache=0; it is about what the "
            "cache keeps"
        ]
    return []


def _unfit_processes(option: str, arguments: Mapping[str, str], goals: list[str]) -> list[str]:
    """What is compared are Linux processes, of plain builds."""
    fixed = {"runner": HOST, "check": "none", "pgo": "0"}
    asked = f"{option}={arguments[option]} is expected with"
    if goals != ["bench"]:
        return [f"E-OPT-05 {asked} the goal bench alone, found {' '.join(goals) or 'none'}"]
    return [
        f"E-OPT-05 {asked} {name}={value}, found {name}={arguments[name]}; what is compared are "
        "processes of one machine"
        for name, value in fixed.items()
        if arguments[name] != value
    ]


def _unfit_tiers(arguments: Mapping[str, str], goals: list[str]) -> list[str]:
    """Images with other code of one build are compared as Linux processes."""
    fixed = {"runner": HOST, "check": "none", "pgo": "0", "peers": "0", "lookup": "0"}
    fixed["variants"] = VARIANTS[0]
    if goals != ["bench"]:
        return [
            f"E-OPT-05 tiers=1 is expected with the goal bench alone, found "
            f"{' '.join(goals) or 'none'}"
        ]
    if arguments["cache"] == "0" or not arguments["cache"].isdigit():
        return [
            f"E-OPT-05 tiers=1 is expected with cache=1..1024, found cache={arguments['cache']}; "
            "code is kept there, of an empty one on"
        ]
    return [
        f"E-OPT-05 tiers=1 is expected with {name}={value}, found {name}={arguments[name]}; it "
        "makes the images that it compares, and runs them as processes"
        for name, value in fixed.items()
        if arguments[name] != value
    ]


def _unfit_gate(arguments: Mapping[str, str], goals: list[str]) -> list[str]:
    """What instructions are counted of: plain images, on one processor, in TCG. Baselines are of
    the image that the options say nothing about."""
    from fluid import baselines  # here: other builds do without

    check = arguments["check"]
    if goals != ["bench"]:
        return [
            f"E-OPT-05 check={check} is expected with the goal bench alone, found "
            f"{' '.join(goals) or 'none'}; instructions are bench's"
        ]
    try:
        baselines.check_target(arguments["target"])
    except FluidError as error:
        return [str(error)]
    fixed: dict[str, tuple[str, ...]] = {
        "runner": ("auto", "tcg"),
        "smp": (AUTO, "1"),
        "jit": ("0",),
    }
    if check == "write":
        fixed |= {"variants": VARIANTS[:1], "model": ("",), "hotness": ("",)}
    return [
        f"E-OPT-05 check={check} is expected with {name}={'|'.join(valid)}, found "
        f"{name}={arguments[name]}; baselines are of that"
        for name, valid in fixed.items()
        if arguments[name] not in valid
    ]
