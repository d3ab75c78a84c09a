"""The report of covered lines: merging builds, the gate, and that nothing measured is an error."""

from __future__ import annotations

import base64
import json
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from fluid import coverage, coverage_export, coverage_report
from fluid.coverage_export import Part, driver_parts, guest_parts, host_parts, lines_of, unrun_parts
from fluid.coverage_lines import Count, Lines, count, merge, parse
from fluid.coverage_run import Places, report
from fluid.errors import FluidError
from fluid.event_types import ProfRaw
from fluid.profraw import MACHINES, pack

ROOT = Path(__file__).resolve().parents[2]
CC = "clang-19"
BRANCHES = """
int f(int x);
int f(int x) {
#ifdef WIDE
    if (x > 1)
        return 1;
#endif
    return x == 1 ? 2 : 3;
}
"""
MAIN = """
int f(int x);
int main(int count, char **arguments) {
    (void)arguments;
    return f(count) == 0;
}
"""


# ---- lines


def test_records_of_one_file_are_one_file(tmp_path: Path) -> None:
    """By whatever path; a line that ran in one record ran. Other folders are left out."""
    text = (
        "SF:src/a.c\nFN:1,f\nDA:1,0\nDA:2,3\nend_of_record\n"
        f"SF:{tmp_path}/src/b/../a.c\nDA:1,7,checksum\nDA:3,0\nend_of_record\n"
        "SF:/usr/include/stdio.h\nDA:1,1\nend_of_record\n"
        "SF:../elsewhere.c\nDA:1,1\nend_of_record\n"
    )
    assert parse(text, tmp_path) == {"src/a.c": {1: True, 2: True, 3: False}}


def test_a_line_ran_if_any_build_ran_it() -> None:
    """And is code if it is code in any."""
    narrow: Lines = {"a.c": {1: True, 2: False}, "b.c": {1: False}}
    wide: Lines = {"a.c": {2: True, 3: False}}
    assert merge([narrow, wide]) == {"a.c": {1: True, 2: True, 3: False}, "b.c": {1: False}}
    assert count(merge([narrow, wide])) == Count(2, 4)
    assert count({}).percent == 0


# ---- LLVM's tools


def counting(folder: Path, name: str, *flags: str, source: str = BRANCHES) -> Path:
    """A program whose processes leave profiles in drivers/<name>."""
    top = folder / coverage.DRIVERS_BUILD
    top.mkdir(parents=True, exist_ok=True)
    (folder / "src").mkdir(exist_ok=True)
    (folder / "src/f.c").write_text(source)
    (folder / "src/main.c").write_text(MAIN)
    where = f"{folder}/profiles/{coverage.DRIVERS}/{name}/%m.profraw"
    own = [f"-fprofile-instr-generate={where}", *coverage.COVERAGE_FLAGS, *flags]
    command = [CC, *own, "src/f.c", "src/main.c", "-o", str(top / name)]
    subprocess.run(command, cwd=folder, check=True, timeout=60)
    return top / name


def run(program: Path, *arguments: str) -> None:
    subprocess.run([str(program), *arguments], check=True, timeout=60)


def drivers(folder: Path) -> Lines:
    parts = driver_parts(folder / "profiles", folder)
    return lines_of(parts, folder / "work", folder, lambda text: None)


def test_functions_that_if_made_different_are_merged_by_line(tmp_path: Path) -> None:
    """llvm-cov alone would take one of the two and drop the other."""
    run(counting(tmp_path, "narrow"))
    run(counting(tmp_path, "wide", "-DWIDE"), "more")
    lines = drivers(tmp_path)["src/f.c"]
    assert lines[5] and lines[6], "the wide program alone has them, and ran them"
    assert lines[8], "the narrow program alone ran it"


def test_processes_of_one_program_are_merged(tmp_path: Path) -> None:
    program = counting(tmp_path, "wide", "-DWIDE")
    run(program)
    assert not drivers(tmp_path)["src/f.c"][6]
    run(program, "more")
    assert drivers(tmp_path)["src/f.c"][6]


def test_what_never_ran_counts(tmp_path: Path) -> None:
    """All its lines, none of them covered."""
    part = Part("unrun", [], counting(tmp_path, "wide", "-DWIDE"))
    lines = lines_of([part], tmp_path / "work", tmp_path, lambda text: None)
    assert count(lines) == Count(0, len(lines["src/f.c"]) + len(lines["src/main.c"]))
    assert {5, 6, 8} <= lines["src/f.c"].keys()


def test_a_profile_of_other_code(tmp_path: Path) -> None:
    """Functions whose profile does not fit would be left out without a word."""
    run(counting(tmp_path, "one"))
    left = next((tmp_path / "profiles/drivers/one").iterdir())
    other = counting(tmp_path, "one", source=BRANCHES.replace("x == 1 ? 2 : 3", "x"))
    assert left.exists() and other.exists()
    with pytest.raises(FluidError, match=r"E-COV-02 llvm-cov-19 export .* mismatched data"):
        drivers(tmp_path)


def test_a_damaged_profile(tmp_path: Path) -> None:
    """What LLVM's tools say is passed on."""
    run(counting(tmp_path, "one"))
    left = next((tmp_path / "profiles/drivers/one").iterdir())
    left.write_bytes(b"no profile")
    with pytest.raises(FluidError, match=r"E-COV-02 llvm-profdata-19 merge"):
        drivers(tmp_path)


def test_no_profile_is_no_report(tmp_path: Path) -> None:
    """Of machines, of fluid-host or its modules, of drivers or of Python."""
    for find in (
        lambda: guest_parts(tmp_path, tmp_path),
        lambda: host_parts(tmp_path, tmp_path),
        lambda: driver_parts(tmp_path, tmp_path),
        lambda: coverage_export.python_lines(tmp_path, ROOT),
    ):
        with pytest.raises(FluidError, match="E-COV-01"):
            find()
    (tmp_path / "fluid-host.1.profraw").write_bytes(b"")
    with pytest.raises(FluidError, match="E-COV-01 profiles of modules"):
        host_parts(tmp_path, tmp_path)


# ---- machines


def exported(name: str, counters: list[int]) -> ProfRaw:
    """What a machine of 32 bits sends of one function."""
    parts = bytes(MACHINES[32].record), struct.pack(f"<{len(counters)}Q", *counters), b"\2\0f\1g"
    functions, counts, names = (base64.b64encode(part).decode() for part in parts)
    return ProfRaw(
        module=name,
        target="i686",
        counters_at=48,
        names_at=4096,
        functions=functions,
        counters=counts,
        names=names,
    )


def test_profiles_of_machines_belong_to_their_programs(tmp_path: Path) -> None:
    """A kernel's to kernel.elf, a module's to its object; a module that did not run is no error."""
    folder, build = tmp_path / "profiles", tmp_path / "i686-coverage"
    exports = [exported("kernel", [0, 1]), exported("sum", [0]), exported("sum@of a test", [1])]
    coverage.store_guest(exports, folder, "i686", "1-0")
    assert (
        pack(exports[0], 32)
        == (folder / "guest/i686-coverage/kernel@i686/1-0.profraw").read_bytes()
    )
    programs = [build / "kernel.elf", build / "obj/i686/sum.o"]
    for program in programs:
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_bytes(b"")
    assert [part.program for part in guest_parts(folder, tmp_path)] == programs
    shutil.rmtree(folder / "guest/i686-coverage/kernel@i686")
    with pytest.raises(FluidError, match="E-COV-01 profiles of kernels in QEMU"):
        guest_parts(folder, tmp_path)


def test_every_variant_of_every_module_is_asked_for(tmp_path: Path) -> None:
    """Where the build has made it."""
    build = tmp_path / "x86-64-v2-coverage"
    for name in ("obj/x86-64-v2/tensor_q8_0.o", "obj/x86-64-v4/tensor_q8_0.o", "fluid-host"):
        (build / name).parent.mkdir(parents=True, exist_ok=True)
        (build / name).write_bytes(b"")
    parts = unrun_parts([build], ROOT)
    assert {part.program.relative_to(build).as_posix() for part in parts} == {
        "obj/x86-64-v2/tensor_q8_0.o",
        "obj/x86-64-v4/tensor_q8_0.o",
        "fluid-host",
    }
    assert len({part.name for part in parts}) == 3 and not any(part.profiles for part in parts)


# ---- Python


def measured_python(tree: Path, folder: Path, script: str, *arguments: Path) -> None:
    """Runs a script with coverage.py as the tests are run."""
    shutil.copy(ROOT / "pyproject.toml", tree)
    folder.mkdir(parents=True, exist_ok=True)
    (tree / "script.py").write_text(script)
    subprocess.run(
        [sys.executable, "-m", "coverage", "run", "script.py", *map(str, arguments)],
        cwd=tree,
        env={"COVERAGE_FILE": str(folder / coverage.PYTHON), "PATH": ""},
        check=True,
        timeout=60,
    )


def test_python_is_measured_in_every_process(tmp_path: Path) -> None:
    """In copies of the tree, too; what no process imports counts with all its lines."""
    tree, folder = tmp_path / "tree", tmp_path / "profiles"
    package, copy = tree / "site_scons/fluid", tmp_path / "copy/site_scons/fluid"
    package.mkdir(parents=True)
    (package / "used.py").write_text("def f(x):\n    if x:\n        return 1\n    return 2\n")
    (package / "unused.py").write_text("A = 1\nB = 2\n")
    shutil.copytree(package, copy)
    script = (
        "import subprocess, sys\n"
        "code = 'import sys; sys.path.insert(0, sys.argv[1]); import used; used.f(%s)'\n"
        "for number, folder in enumerate(sys.argv[1:]):\n"
        "    subprocess.run([sys.executable, '-c', code % number, folder], check=True)\n"
    )
    measured_python(tree, folder, script, package, copy)
    assert coverage_export.python_lines(folder, tree) == {
        "site_scons/fluid/used.py": {1: True, 2: True, 3: True, 4: True},
        "site_scons/fluid/unused.py": {1: False, 2: False},
    }
    for path in folder.glob("python.*"):
        path.write_bytes(b"no data")
    with pytest.raises(FluidError, match="E-COV-02 coverage was expected to merge"):
        coverage_export.python_lines(folder, tree)


# ---- the whole


def test_from_profiles_to_the_gate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One program plays machine, module, fluid-host and driver: what it ran is in the report."""
    monkeypatch.setattr(coverage_report, "LIMIT", 99)
    program = counting(tmp_path, "driver", "-DWIDE")
    run(program)
    places = Places(tmp_path, "x86-64-v2")
    folder = places.out / "profiles"
    shutil.move(tmp_path / "profiles", folder)
    [left] = (folder / "drivers/driver").iterdir()
    kernel = folder / "guest/x86-64-v2-coverage/kernel@x86-64-v2"
    kernel.mkdir(parents=True)
    for profile in (
        kernel / "1-0.profraw",
        folder / "fluid-host.1.profraw",
        folder / "fluid-host.1.profraw.sum@x86-64-v2",
    ):
        shutil.copy(left, profile)
    (places.out / "obj/x86-64-v2").mkdir(parents=True)
    for name in ("kernel.elf", "fluid-host", "obj/x86-64-v2/sum.o"):
        shutil.copy(program, places.out / name)
    package = tmp_path / "site_scons/fluid"
    package.mkdir(parents=True)
    (package / "used.py").write_text("A = 1\n")
    script = "import sys\nsys.path.insert(0, sys.argv[1])\nimport used\n"
    measured_python(tmp_path, folder, script, package)

    with pytest.raises(FluidError, match=r"E-COV-03 .* 99 % .* src/f\.c \(1 lines\)") as below:
        report(places)
    assert "of C expected" in str(below.value)
    data = json.loads((places.out / "coverage.json").read_text())
    assert data["files"]["src/f.c"]["missed"] == [6]
    assert data["c"]["guest"] == data["c"]["host"] == data["c"]["both"]
    assert data["python"] == {"covered": 1, "lines": 1}
    assert "all Python" in capsys.readouterr().out
    assert (places.out / "html/src.f.c.html").exists()
    run(program, "more")  # what was missing, in one of the runs
    [more] = (tmp_path / "profiles/drivers/driver").iterdir()
    shutil.copy(more, kernel / "2-0.profraw")
    report(places)


# ---- the run


@pytest.fixture
def top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tree with one file of tests."""
    (tmp_path / "site_scons/fluid").mkdir(parents=True)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    monkeypatch.setattr(coverage, "TESTS", ("test_made.py",))
    monkeypatch.setattr(coverage, "LEFT_OUT", ("test_made.py::test_left_out",))
    return tmp_path


def test_what_tests_are_told(top: Path) -> None:
    """Where profiles go, which builds to take; old profiles are gone before."""
    out = top / "profiles"
    out.mkdir()
    (out / "old.profraw").write_bytes(b"")
    (top / "test_made.py").write_text(
        "import os\n\n\ndef test_told():\n"
        f"    assert os.environ['{coverage.FOLDER}'] == {str(out)!r}\n"
        "    assert os.environ['FLUID_HOST_BUILD'] == 'i686 coverage'\n"
        "    assert os.environ['FLUID_TARGETS'] == 'i686 x86-64-v2'\n\n\n"
        "def test_left_out():\n    assert False\n"
    )
    assert coverage.run_tests(out, top, top / "build", "i686", 1) == 0
    assert not (out / "old.profraw").exists() and list(out.glob("python.*"))
    (top / "test_made.py").write_text("def test_fails():\n    assert False\n")
    assert coverage.run_tests(out, top, top / "build", "i686", 1) == 1


def test_a_run_that_hangs(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coverage, "RUN_SECONDS", 5)
    (top / "test_made.py").write_text("import signal\n\n\ndef test_hangs():\n    signal.pause()\n")
    with pytest.raises(FluidError, match=r"E-COV-04 .* within 5 s"):
        coverage.run_tests(top / "profiles", top, top / "build", "i686", 1)


def test_the_lists_name_what_there_is() -> None:
    """A test that is gone would be left out of nothing, and nobody would know."""
    for name in coverage.TESTS:
        assert (ROOT / name).exists(), name
    for name in coverage.LEFT_OUT:
        path, _, test = name.partition("::")
        wanted = f"def {test}(" if test else ""
        assert wanted in (ROOT / path).read_text(encoding="utf-8"), name
