"""Options and goals of the build: valid values and messages."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fluid import needs, options, options_fit
from fluid.emulator import EMULATED
from fluid.targets import DEFAULT_TARGET, TARGETS


def test_defaults_are_valid() -> None:
    """Every default passes its own check."""
    assert options.problems({o.name: o.default for o in options.OPTIONS}) == []


def test_every_target_can_be_emulated() -> None:
    """`scons run` and the tests that boot cover all targets."""
    assert list(EMULATED) == list(TARGETS)


def test_each_problem_is_reported() -> None:
    """One sentence per wrong argument, not only for the first."""
    found = options.problems({"target": "i386", "nme": "1", "mem": "512"})
    assert len(found) == 2
    assert found[0].startswith("E-OPT-02 target=i386")
    assert found[1].startswith("E-OPT-01 option 'nme'")


@pytest.mark.parametrize("value", ["", "-1", "1.5", "0x100", "127", "65537", "²"])
def test_memory_out_of_range(value: str) -> None:
    """mem is a whole number of MiB in a range."""
    assert options.problems({"mem": value})


def test_model_must_exist(tmp_path: Path) -> None:
    """model= names a file, not a folder."""
    file = tmp_path / "model.gguf"
    file.write_bytes(b"GGUF")
    assert options.problems({"model": str(file)}) == []
    assert options.problems({"model": str(tmp_path)})


def test_a_module_to_push_must_be_named() -> None:
    given = {o.name: o.default for o in options.OPTIONS}
    assert options_fit.unfit(given, ["module-push"])[0].startswith("E-OPT-05 module-push")
    assert options_fit.unfit(given | {"module": "any.mod"}, ["module-push"]) == []
    assert options.problems({"module": "/nowhere.mod", "image": "/nowhere.img"})


def test_targets_that_are_no_level(tmp_path: Path) -> None:
    """The building machine, or a file that is there."""
    file = tmp_path / "cpu.json"
    assert "native|a CPU profile" in options.problems({"target": str(file)})[0]
    file.touch()
    assert options.problems({"target": str(file)}) == options.problems({"target": "native"}) == []
    assert needs.wanted_builds("attic", "none", [], [*TARGETS, "attic"]) == [("attic", "none")]
    given = {"check": "none", "runner": "auto", "target": "native", "module": ""}
    assert options_fit.unfit(given, ["coverage"])[0].startswith("E-OPT-05 coverage")
    assert options_fit.unfit(given | {"target": "i686"}, ["coverage"]) == []
    for goal in ("test-qemu", "test-matrix"):
        assert options_fit.unfit(given, [goal])[0].startswith(f"E-OPT-05 {goal} is expected with")
        assert options_fit.unfit(given | {"target": "x86-64-v3"}, [goal]) == []


def test_goals() -> None:
    """Aliases and paths are goals; anything else is a misspelling."""
    assert options.unknown_goals(["image", "build/i686/kernel.elf", "src/kernel"]) == []
    assert "E-OPT-03 'tset'" in options.unknown_goals(["tset"])[0]
    for folder in ("tests", "tests/"):  # is there, and would be "up to date"
        assert "(did you mean test?)" in options.unknown_goals([folder])[0]


def test_wanted_builds() -> None:
    """The chosen build, those named by path, and for tests that boot all targets and ASan's."""
    assert needs.wanted_builds(DEFAULT_TARGET, "none", []) == [(DEFAULT_TARGET, "none")]
    assert needs.wanted_builds("i686", "none", ["run"]) == [("i686", "none")]
    assert needs.wanted_builds("i686", "address", ["run"]) == [("i686", "address")]
    for goal in ("test", "test-host"):
        found = needs.wanted_builds("i686", "none", [goal])
        trapping = {(DEFAULT_TARGET, "undefined")} if goal == "test" else set()
        every = {(t, "none") for t in TARGETS} | {(DEFAULT_TARGET, "address")}
        assert set(found) == every | trapping
    found = needs.wanted_builds("i686", "none", ["coverage"])
    assert found == [("i686", "none"), ("i686", "coverage"), ("x86-64-v2", "coverage")]
    found = needs.wanted_builds(DEFAULT_TARGET, "none", ["build/i686/kernel.elf"])
    assert found == [("i686", "none"), (DEFAULT_TARGET, "none")]
    found = needs.wanted_builds("i686", "none", ["build/x86-64-v2-address/fluid-host"])
    assert found == [("i686", "none"), ("x86-64-v2", "address")]


def test_builds_of_tests_that_go_by_target() -> None:
    """All targets, or the one that stands on the command line; and of the default one the image
    that traps undefined behaviour."""
    trapping = (DEFAULT_TARGET, "undefined")
    assert needs.tested_targets({"mem": "512"}) == list(TARGETS)
    assert needs.tested_targets({"target": "i686"}) == ["i686"]
    folders = list(TARGETS)
    for goal in ("test-qemu", "test-matrix"):
        found = needs.wanted_builds(DEFAULT_TARGET, "none", [goal], folders, folders)
        every = {(t, "none") for t in TARGETS}
        assert set(found) == every | ({trapping} if goal == "test-qemu" else set())
        found = needs.wanted_builds("x86-64-v3", "none", [goal], folders, ["x86-64-v3"])
        assert found == [("x86-64-v3", "none")]
        found = needs.wanted_builds("i686", "none", ["test", goal], folders, ["i686"])
        assert set(found) == every | {(DEFAULT_TARGET, "address"), trapping}
        found = needs.wanted_builds("i686", "address", [goal], folders, ["i686"])
        assert found == [("i686", "none"), ("i686", "address")]
    v3, v4 = ("x86-64-v3", "none"), ("x86-64-v4", "none")
    assert needs.wanted_builds("x86-64-v4", "none", ["test-qemu"], folders, [v4[0]]) == [v3, v4]
    assert needs.wanted_builds("x86-64-v4", "none", ["test-matrix"], folders, [v4[0]]) == [v4]


def test_the_report_needs_the_levels() -> None:
    """And with them pgo=1, whether it is asked for by its alias or by a path."""
    for goal in ("report", "build/i686/report/stacks.folded"):
        assert needs.wants_report([goal]) and needs.wants_levels([goal])
    assert needs.wants_levels(["image", "levels"]) and not needs.wants_report(["levels"])
    for goal in ("image", "build/i686/fluid.img", "/home/report/build", "docs/report/x"):
        assert not needs.wants_levels([goal])
    given = {"check": "address", "runner": "auto"}
    assert options_fit.unfit(given, ["report"])[0].startswith("E-OPT-05 pgo=1 is expected")
    assert options_fit.unfit(given, ["profile"])[0].startswith("E-OPT-05 profile is expected")


def test_host_only_when_asked_for() -> None:
    """fluid-host costs a plain build nothing."""
    assert not needs.wants_host("i686", "auto", [])
    assert not needs.wants_host("i686", "host", ["image"])
    assert not needs.wants_host("i686", "tcg", ["run"])
    assert needs.wants_host("i686", "host", ["run"])
    assert needs.wants_host("i686", "auto", ["test-host"])
    assert needs.wants_host("i686", "auto", ["test-qemu"])
    assert not needs.wants_host("i686", "auto", ["test-matrix"])
    assert not needs.wants_host("x86-64", "auto", ["test-host"])
    assert needs.wants_host("x86-64", "auto", ["build/x86-64/fluid-host.ksyms"])


def test_processors() -> None:
    """All that there are for a person at a process, one for what measures or emulates."""
    usable = len(os.sched_getaffinity(0))
    assert options.processors("auto", "host", "run") == min(usable, 32)
    for runner, alias in (("host", "bench"), ("tcg", "run"), ("auto", "run")):
        assert options.processors("auto", runner, alias) == 1
        assert options.processors("3", runner, alias) == 3
    assert options.processors("1", "host", "run") == 1
    assert options.processors("auto", "host", "warmup") == options.processors(
        "auto", "host", "tiers"
    )


def test_instrumented_code_needs_a_process() -> None:
    """check= with a runner that cannot execute its modules is refused, not ignored."""
    given = {"check": "address", "runner": "auto"}
    assert options_fit.unfit(given, ["run"])[0].startswith("E-OPT-05 check=address")
    assert options_fit.unfit(given, ["test-host"]) == []
    assert options_fit.unfit({**given, "runner": "host"}, ["run"]) == []


def test_the_gate_on_instructions_is_benchs() -> None:
    """Values of check= that build nothing of their own."""
    given = {o.name: o.default for o in options.OPTIONS} | {"check": "1"}
    assert options.problems(given) == options_fit.unfit(given, ["bench"]) == []
    assert options.split_check("1") == ("none", "1")
    assert options.split_check("address") == ("address", "")
    for goals in ([], ["run"], ["test-qemu"], ["bench", "image"]):
        assert options_fit.unfit(given, goals)[0].startswith(
            "E-OPT-05 check=1 is expected with the g"
        )
    for other in ({"runner": "host"}, {"smp": "2"}, {"pgo": "1"}):
        assert options_fit.unfit(given | other, ["bench"])[0].startswith("E-OPT-05 ")
    for target in ("x86-64-v4", "native"):
        assert "E-BENCH-50" in options_fit.unfit(given | {"target": target}, ["bench"])[0]


def test_baselines_are_of_plain_images() -> None:
    given = {o.name: o.default for o in options.OPTIONS} | {"check": "write"}
    assert options_fit.unfit(given, ["bench"]) == []
    for other in ({"hotness": "any.json"}, {"model": "any.gguf"}, {"variants": "base"}):
        ((name, value),) = other.items()
        (sentence,) = options_fit.unfit(given | other, ["bench"])
        assert sentence.startswith("E-OPT-05 check=write") and f"found {name}={value};" in sentence
        assert options_fit.unfit(given | other | {"check": "1"}, ["bench"]) == []


def test_default_model_is_found() -> None:
    """The package of the locked requirements holds one GGUF file."""
    model = options.default_model()
    assert model is not None
    assert model.read_bytes()[:4] == b"GGUF"


def test_help_names_everything() -> None:
    """The help text has a line for every alias and option."""
    text = options.help_text()
    assert all(f"\n  {name} " in text for name in options.ALIASES)
    assert all(f"\n  {option.name} " in text for option in options.OPTIONS)


@pytest.mark.parametrize(("option", "value"), [("peers", "1"), ("peers", "all"), ("lookup", "1")])
def test_processes_are_compared_by_bench(option: str, value: str) -> None:
    given = {o.name: o.default for o in options.OPTIONS} | {option: value, "runner": "host"}
    assert options.problems(given) == options_fit.unfit(given, ["bench"]) == []
    assert f"E-OPT-02 {option}=2" in options.problems({option: "2"})[0]
    for goals in ([], ["run"], ["bench", "report"]):
        (sentence,) = options_fit.unfit(given, goals)
        assert sentence.startswith(f"E-OPT-05 {option}={value} is expected with the goal bench")
    for name, other in (
        ("runner", "auto"),
        ("runner", "tcg"),
        ("check", "1"),
        ("check", "address"),
    ):
        (sentence,) = options_fit.unfit(given | {name: other}, ["bench"])
        assert sentence.startswith(f"E-OPT-05 {option}=") and f"found {name}={other};" in sentence


def test_quality_is_measured_in_plain_processes() -> None:
    given = {o.name: o.default for o in options.OPTIONS}
    for goal in ("quality", "build/i686/quality-host.json"):
        assert options_fit.unfit(given, [goal]) == options_fit.unfit(
            given | {"runner": "host"}, [goal]
        )
        assert options_fit.unfit(given, [goal]) == [] and needs.wants_host("i686", "auto", [goal])
        for name, other in (("check", "address"), ("check", "1"), ("runner", "tcg")):
            (sentence,) = options_fit.unfit(given | {name: other}, [goal])
            assert sentence.startswith("E-OPT-05 quality is expected with")
            assert f"found {name}={other};" in sentence


def test_synthetic_models_by_shape_and_type() -> None:
    assert options.problems({"shape": "tiny", "type": "Q4_K"}) == []
    assert "tinyllama|tiny" in options.problems({"shape": "huge"})[0]
    assert "Q4_0|" in options.problems({"type": "q4_0"})[0]


def test_who_wants_the_compiler_of_the_machine() -> None:
    """By name or option; tests of C run it, and compile bitcode. An image does without."""
    for goals in ([], ["image"], ["run"], ["test-unit"], ["build/i686/fluid.img"]):
        assert not needs.wants_jit("0", goals) and not needs.wants_bitcode("0", goals)
        assert needs.wants_jit("1", goals) and needs.wants_bitcode("1", goals)
    for goals in (["jit"], ["jit-times"], ["build/jit/jit.elf"]):
        assert needs.asks_for_jit("0", goals) and needs.wants_jit("0", goals)
    for goals in (["test"], ["test-host"], ["test-qemu"]):
        assert needs.wants_jit("0", goals) and not needs.asks_for_jit("0", goals)
        assert needs.wants_bitcode("0", goals)
    assert needs.wants_bitcode("0", ["build/i686/modules/tensor_act.bc"])


def test_a_compiler_for_another_machine() -> None:
    """compile=1 needs jit.elf, and bitcode in what it boots; elsewhere it is refused."""
    for goal in ("run", "chat"):
        assert needs.asks_for_jit("0", [goal], "1") and needs.wants_jit("0", [goal], "1")
        assert needs.carries_bitcode("0", [goal], "1") == (goal == "run")
        assert needs.wants_bitcode("0", [goal], "1") == (goal == "run")
        assert not needs.wants_jit("0", [goal]) and not needs.carries_bitcode("0", [goal])
    given = {o.name: o.default for o in options.OPTIONS} | {"compile": "1"}
    assert options.problems(given | {"compile": "2"})[0].startswith("E-OPT-02 compile=2")
    assert options_fit.unfit(given, ["run"]) == options_fit.unfit(given, ["chat"]) == []
    assert options_fit.unfit(given | {"runner": "host"}, ["run"]) == []
    for goals in ([], ["image"], ["bench"], ["run", "image"], ["test"]):
        (sentence,) = options_fit.unfit(given, goals)
        assert sentence.startswith("E-OPT-05 compile=1 is expected with the goal run or chat alone")
    for name, value in (("jit", "1"), ("check", "address")):
        (sentence,) = options_fit.unfit(given | {name: value, "runner": "host"}, ["run"])
        assert sentence.startswith("E-OPT-05 compile=1 is expected with")
        assert f"found {name}={value};" in sentence


def test_bitcode_is_of_plain_builds() -> None:
    given = {o.name: o.default for o in options.OPTIONS} | {"jit": "1"}
    assert options_fit.unfit(given, ["image"]) == []
    (sentence,) = options_fit.unfit(given | {"check": "1"}, ["bench"])
    assert sentence.startswith("E-OPT-05 check=1 is expected with jit=0, found jit=1;")
    assert options_fit.unfit(given | {"check": "address"}, [])[0].startswith("E-OPT-05 jit=1")
    assert options.problems({"jit": "2"})[0].startswith("E-OPT-02 jit=2")


def test_what_implies_the_compiler() -> None:
    assert needs.implies_jit("0", ["warmup"]) and needs.implies_jit("1", ["bench"])
    assert not needs.implies_jit("0", ["bench"])
    given = {o.name: o.default for o in options.OPTIONS}
    (sentence,) = options_fit.unfit(given | {"check": "address", "runner": "host"}, ["warmup"])
    assert sentence.startswith("E-OPT-05 jit=1 is expected with check=none")


def test_what_is_kept_of_a_session() -> None:
    given = {o.name: o.default for o in options.OPTIONS} | {"keep": "1"}
    assert options_fit.unfit(given, ["run"]) == []
    for goals, runner in ((["chat"], "auto"), ([], "auto"), (["run"], "bochs")):
        (sentence,) = options_fit.unfit(given | {"runner": runner}, goals)
        assert sentence.startswith("E-OPT-05 keep=1 is expected with the goal run alone")


def test_a_warm_up_needs_a_compiler() -> None:
    given = {o.name: o.default for o in options.OPTIONS} | {"target": "i686"}
    (sentence,) = options_fit.unfit(given, ["warmup"])
    assert sentence.startswith("E-OPT-05 warmup is expected with another target than i686")


def test_a_warm_up_needs_a_cache_that_is_kept() -> None:
    given = {o.name: o.default for o in options.OPTIONS}
    for runner in ("auto", "tcg", "host"):
        assert options_fit.unfit(given | {"runner": runner}, ["warmup"]) == []
    for name, other in (("runner", "bochs"), ("cache", "0")):
        (sentence,) = options_fit.unfit(given | {name: other}, ["warmup"])
        assert sentence.startswith("E-OPT-05 warmup is") and f"found {name}={other};" in sentence
    assert needs.wants_host("i686", "host", ["warmup"])
    assert not needs.wants_host("i686", "auto", ["warmup"])


def test_a_warm_cache_is_made_by_the_images_compiler() -> None:
    given = {o.name: o.default for o in options.OPTIONS} | {"cache": "warm"}
    assert options.problems({"cache": "warm"}) == []
    assert options_fit.unfit(given | {"jit": "1", "pgo": "1"}, ["image"]) == []
    (sentence,) = options_fit.unfit(given, ["image"])
    assert sentence.startswith("E-OPT-05 cache=warm is expected with jit=1, found jit=0;")


def test_who_compiles_what_has_no_code() -> None:
    given = {o.name: o.default for o in options.OPTIONS} | {"variants": "none"}
    assert options_fit.unfit(given | {"jit": "1"}, ["image"]) == []
    assert options_fit.unfit(given, ["warmup"]) == []
    (sentence,) = options_fit.unfit(given, ["image"])
    assert sentence.startswith("E-OPT-05 variants=none is expected with jit=1, found jit=0;")


def test_tiers_are_measured_by_bench_in_processes() -> None:
    given = {o.name: o.default for o in options.OPTIONS} | {"tiers": "1", "runner": "host"}
    assert options.problems(given) == options_fit.unfit(given, ["bench"]) == []
    assert "E-OPT-02 tiers=2" in options.problems({"tiers": "2"})[0]
    for goals in ([], ["run"], ["bench", "report"]):
        (sentence,) = options_fit.unfit(given, goals)
        assert sentence.startswith("E-OPT-05 tiers=1 is expected with the goal bench alone")
    for name, other in (
        *(("runner", "auto"), ("check", "1"), ("pgo", "1"), ("variants", "base"), ("cache", "0")),
        ("cache", "warm"),
        *(("check", "address"), ("peers", "1")),
    ):
        (sentence,) = options_fit.unfit(given | {name: other}, ["bench"])
        assert sentence.startswith("E-OPT-05 ") and f"found {name}={other};" in sentence
