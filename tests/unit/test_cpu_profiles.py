"""CPU profiles: the committed ones, what follows from their features, and what is no profile."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fluid import cpu, cpu_check, cpu_custom
from fluid.cpufeatures import FEATURES, LEVELS, highest_level, implied, ordered
from fluid.errors import FluidError
from fluid.modlayout import TARGET_SIZE, check_name
from fluid.suites import SUITES
from fluid.targets import TARGETS, Target

ROOT = Path(__file__).resolve().parents[2]
PROFILES = sorted((ROOT / "profiles/cpu").glob("*.json"))
V3 = LEVELS["x86-64-v3"].features

# The macro with which the compiler says that a feature is on; two have none that is theirs alone.
MACROS = {
    name: f"__{name.upper().replace('SSE4.', 'SSE4_')}__"
    for name in FEATURES
    if name not in ("cx16", "sahf")
}


def profile(**changes: Any) -> dict[str, Any]:
    """A profile of a machine beyond x86-64-v3, with some keys changed; None: left out."""
    data = {
        "schema": 1,
        "tag": "kitchen",
        "march": "x86-64",
        "features": [*V3, "avx512f", "avx512vnni"],
        "processor": {
            **{"vendor": "GenuineIntel", "family": 6, "model": 106, "cores": 2},
            **{"l1d": 49152, "l2": 1310720, "l3": 56623104, "line": 64},
        },
    }
    return {key: value for key, value in (data | changes).items() if value is not None}


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.stem)
def test_committed_profiles(path: Path) -> None:
    """Each is named after a level and is exactly that."""
    found = cpu.load_profile(path)
    assert found.tag == path.stem == found.level == found.image_tag
    assert (found.march, found.features) == (LEVELS[found.tag].march, LEVELS[found.tag].features)
    assert json.loads(path.read_text()) == found.to_dict()


def test_every_level_is_committed() -> None:
    """Levels of one march grow."""
    assert {path.stem for path in PROFILES} == set(LEVELS)
    for lower, higher in itertools.pairwise(LEVELS.values()):
        if lower.march == higher.march:
            assert set(lower.features) < set(higher.features)


def test_a_profile_with_everything_in_it(tmp_path: Path) -> None:
    file = tmp_path / "cpu.json"
    file.write_text(json.dumps(profile()))
    found = cpu.load_profile(file)
    assert found.to_dict() == profile()
    assert found.processor is not None and found.processor.l2 == 1310720
    flags = found.compiler_flags()
    assert flags[:2] == ["-march=x86-64", "-mtune=generic"]
    assert "-mavx512vnni" in flags and "native" not in " ".join(flags)


def test_what_an_image_says_follows_from_the_features_alone() -> None:
    one = cpu.profile_from_dict(profile(), "one")
    other = profile(tag="attic", features=profile()["features"][::-1], processor=None)
    same = cpu.profile_from_dict(other, "other")
    assert same.features == one.features == tuple(profile()["features"])
    assert same.compiler_flags() == one.compiler_flags()
    assert same.image_tag == one.image_tag
    assert one.level == "x86-64-v3" and one.image_tag.startswith("x86-64-v3-")
    less = cpu.profile_from_dict(profile(features=[*V3, "avx512f"]), "less")
    assert less.image_tag != one.image_tag
    level = cpu.profile_from_dict(profile(features=list(V3)), "level")
    assert level.image_tag == "x86-64-v3"
    most = cpu.CpuProfile("any", "x86-64", (*LEVELS["x86-64-v4"].features, "more"))
    check_name("target tag", most.image_tag, TARGET_SIZE)


@pytest.mark.parametrize("name", FEATURES)
def test_what_the_compiler_switches_on_along_with_a_feature(name: str) -> None:
    """IMPLIES says so; a profile that lists less would not bound what the compiler does."""
    command = ["clang-19", "--target=i686", "-march=i386", f"-m{name}", "-dM", "-E", "-x", "c", "-"]
    text = subprocess.run(command, input="", capture_output=True, text=True, check=True).stdout
    on = {feature for feature, macro in MACROS.items() if f"#define {macro} " in text}
    assert on == (set(implied(name)) | {name}) & MACROS.keys()


def test_macros_of_features() -> None:
    """Those that the test above relies on."""
    assert MACROS["sse4.1"] == "__SSE4_1__" and MACROS["avx512bw"] == "__AVX512BW__"


def test_levels_of_features() -> None:
    assert highest_level("x86-64", V3) == "x86-64-v3"
    assert highest_level("x86-64", set(V3) - {"movbe"}) == "x86-64-v2"
    assert highest_level("i686", V3) == "i686-v2"
    assert highest_level("i686", ["sse"]) is None
    assert ordered(["avx", "nonsense", "sse"]) == ("sse", "avx")


def test_the_schema_knows_the_features() -> None:
    schema = json.loads(cpu_check.SCHEMA_FILE.read_text())
    assert schema["properties"]["features"]["items"]["enum"] == list(FEATURES)
    assert {level.march for level in LEVELS.values()} == set(schema["properties"]["march"]["enum"])


# (what is in the file, path of the key, words of the expectation, words of what was found)
Malformed = tuple[str | bytes | dict[str, Any], str, str, str]
MALFORMED: dict[str, Malformed] = {
    "empty": ("", "$", "JSON", "line 1"),
    "text": ("this is no profile", "$", "JSON", "line 1"),
    "cut": (json.dumps(profile())[:50], "$", "JSON", "line 1"),
    "not utf-8": (b'{"tag": "\xff"}', "$", "JSON", "0xff"),
    "NaN": ('{"schema": NaN}', "$", "JSON", "NaN"),
    "key twice": ('{"schema": 1, "schema": 1}', "$", "JSON", "'schema' twice"),
    "deep": ("[" * 30000, "$", "JSON", "recursion"),
    "huge": (b" " * 10_000_000, "$", "at most 65536 bytes", "more"),
    "a list": ("[]", "$", "an object", "[]"),
    "nothing": ("null", "$", "an object", "null"),
    "no key": ("{}", "$.schema", "this key", "none"),
    "no features": (profile(features=None), "$.features", "this key", "none"),
    "no tag": (profile(tag=None), "$.tag", "this key", "none"),
    "other schema": (profile(schema=2), "$.schema", "1", "2"),
    "unknown key": (profile(sse=True), "$", "no key but", '"sse"'),
    "unknown key of the processor": (
        profile(processor={"speed": 1}),
        "$.processor",
        "no key but vendor",
        '"speed"',
    ),
    "features of another type": (profile(features="sse"), "$.features", "an array", '"sse"'),
    "tag of another type": (profile(tag=7), "$.tag", "a string", "7"),
    "cores of another type": (
        profile(processor={"cores": "two"}),
        "$.processor.cores",
        "an integer",
        '"two"',
    ),
    "no cores": (profile(processor={"cores": 0}), "$.processor.cores", "at least 1", "0"),
    "a cache of a terabyte": (
        profile(processor={"l3": 1 << 40}),
        "$.processor.l3",
        "maximum",
        "1099511627776",
    ),
    "line of 63 bytes": (profile(processor={"line": 63}), "$.processor.line", "64", "63"),
    "unknown feature": (
        profile(features=["sse", "sse2", "sse3", "mmx2"]),
        "$.features[3]",
        "one of sse sse2",
        '"mmx2"',
    ),
    "feature that is a number": (
        profile(features=["sse", 2]),
        "$.features[1]",
        "one of sse sse2",
        "2",
    ),
    "feature twice": (
        profile(features=["sse", "sse2", "sse"]),
        "$.features[2]",
        "each feature once",
        '"sse" again',
    ),
    "feature without what it brings along": (
        profile(features=["sse", "sse2", "avx2"]),
        "$.features[2]",
        "sse3 ssse3 sse4.1 sse4.2 popcnt avx too",
        '"avx2"',
    ),
    "nothing to compute with": (profile(features=["popcnt"]), "$.features", "sse sse2", "popcnt"),
    "unknown march": (profile(march="native"), "$.march", "one of i686 x86-64", '"native"'),
    "v3 without avx2": (
        profile(tag="x86-64-v3", features=[f for f in V3 if f != "avx2"]),
        "$.features",
        "avx2 too with tag x86-64-v3",
        "none",
    ),
    "v2 with avx": (
        profile(tag="x86-64-v2", features=list(V3)),
        "$.features[9]",
        "no feature beyond x86-64-v2",
        '"avx"',
    ),
    "64-bit tag for 32 bits": (
        profile(tag="x86-64-v3", march="i686", features=list(V3)),
        "$.march",
        "x86-64 with tag x86-64-v3",
        '"i686"',
    ),
    "tag native": (profile(tag="native"), "$.tag", "no other meaning", '"native"'),
    "tag of a build with checks": (
        profile(tag="x86-64-address"),
        "$.tag",
        "no other meaning",
        '"x86-64-address"',
    ),
    "tag that leaves build/": (profile(tag="../src"), "$.tag", "a text that matches", '"../src"'),
    "long tag": (profile(tag="x" * 32), "$.tag", "a text that matches", '"xxx'),
    "tag of two lines": (profile(tag="x\n"), "$.tag", "a text that matches", '"x\\n"'),
    "lists in lists": (
        profile(features=[json.loads("[" * 900 + "]" * 900)] * 2),
        "$",
        "",
        "",
    ),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_profile(tmp_path: Path, name: str) -> None:
    """The file, the path of the key, what was expected and what was found, in one line."""
    content, path, expected, found = MALFORMED[name]
    file = tmp_path / "cpu.json"
    text = json.dumps(content) if isinstance(content, dict) else content
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(FluidError) as raised:
        cpu.load_profile(file)
    assert raised.value.code == "E-CPU-20"
    said = raised.value.text
    assert said.startswith(f"{file}: {path}") and "\n" not in said and len(said) < 600
    head, _, tail = said.partition(" expected, found ")
    assert head.startswith(f"{file}: {path}: ") or not expected
    assert expected in head and found in tail


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    for path, found in ((tmp_path, "directory"), (tmp_path / "none", "No such file")):
        with pytest.raises(FluidError, match=f"E-CPU-20 .*{found}"):
            cpu.load_profile(path)


def test_a_file_without_end() -> None:
    """Not read to its end."""
    assert os.path.exists("/dev/zero")
    with pytest.raises(FluidError, match="at most 65536 bytes expected"):
        cpu.load_profile("/dev/zero")


def test_targets_of_profiles(tmp_path: Path) -> None:
    """The kernel is for the level, tensor modules besides for all that the profile has."""
    file = tmp_path / "cpu.json"

    def target(**changes: Any) -> Target:
        file.write_text(json.dumps(profile(**changes)))
        return cpu_custom.target_of_file(file)

    found = target()
    assert found.folder == "kitchen" and found.base == found.emulated == "x86-64-v3"
    assert found.variants == ("x86-64-v3", found.tag) and found.tag.startswith("x86-64-v3-")
    files = ("profiles/cpu/x86-64.json", "profiles/cpu/x86-64-v3.json", str(file))
    assert found.profile_files == files
    level = TARGETS["x86-64-v3"]
    assert target(features=list(V3)) == replace(level, folder="kitchen")
    assert target(features=list(V3), tag="x86-64-v3") == level
    narrow = {"march": "i686", "features": list(LEVELS["i686-v2"].features)}
    found = target(**narrow)
    assert (found.tag, found.variants, found.emulated) == ("i686-v2", ("i686-v2",), "i686")
    assert found.arch == "i686" and found.own_profile == str(file)
    narrow["features"] = ["sse", "sse2", "popcnt"]
    assert target(**narrow).variants == ("i686", target(**narrow).tag)
    file.rename(tmp_path / "native.json")
    assert cpu_custom.native_target(tmp_path / "native.json").folder == "native"


def test_no_tag_takes_the_place_of_another_product() -> None:
    """What tests write below build/ lies beside the folders of targets."""
    places = {Path(suite.junit).parts[1] for suite in SUITES.values()} | {"event_schema.json"}
    for tag in places:
        with pytest.raises(FluidError, match=r"E-CPU-20 .*\$\.tag"):
            cpu.profile_from_dict(profile(tag=tag), "here")
