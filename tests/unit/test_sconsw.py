"""sconsw with stand-ins for Python and apt: what it sets up, when, and what it hands to SCons."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from browser import PROGRAMS as BROWSERS
from fluid.jitbuild import PACKAGES

ROOT = Path(__file__).resolve().parents[2]

# Knows what sconsw asks of it; `python -m venv` makes a .venv of copies of itself.
PYTHON = """#!/bin/sh
case "$1 $2" in
"-m venv") echo venv >>made; mkdir -p "$3/bin"; sleep 1; cp "$0" "$3/bin/python" ;;
"-m pip") echo pip >>made; [ ! -e pip-fails ] ;;
"-m SCons") shift 2; printf '%s\\n' "$@" ;;
esac
"""
STAND_INS = {
    "python3": PYTHON,
    "apt-get": '#!/bin/sh\necho "apt-get $*" >>apt\n',
    "sudo": '#!/bin/sh\nexec env "$@"\n',
}


class Checkout:
    """A folder with sconsw and a locked list, and a PATH with the stand-ins."""

    def __init__(self, top: Path) -> None:
        self.top = top / "the tree"
        self.top.mkdir()
        self.elsewhere = top / "elsewhere"
        self.elsewhere.mkdir()
        tools = top / "tools"
        tools.mkdir()
        shutil.copy2(ROOT / "sconsw", self.top)
        (self.top / "requirements.lock").write_text("scons==1\n")
        for name, text in STAND_INS.items():
            (tools / name).write_text(text)
            (tools / name).chmod(0o755)
        self.environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}

    def without(self, *programs: str) -> str:
        """PATH without the folders that have one of these; the others' programs by links."""
        kept = self.elsewhere / f"no-{programs[0]}"
        kept.mkdir()
        folders = [Path(folder) for folder in self.environment["PATH"].split(":")]
        having = [f for f in folders if any((f / program).exists() for program in programs)]
        for folder in having:
            for path in folder.iterdir():
                if path.name not in programs and not (kept / path.name).exists():
                    (kept / path.name).symlink_to(path)
        others = [str(folder) for folder in folders if folder not in having]
        return ":".join([*others, str(kept)])

    def start(self, *arguments: str, cwd: Path | None = None) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(self.top / "sconsw"), *arguments],
            cwd=cwd or self.top,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, cwd: Path | None = None, status: int = 0) -> list[str]:
        """What SCons was given, one argument a line."""
        process = self.start(*arguments, cwd=cwd)
        out, said = process.communicate(timeout=120)
        assert process.returncode == status, said
        return out.splitlines()

    @property
    def made(self) -> list[str]:
        """Steps of the set-up so far."""
        return (self.top / "made").read_text().split()


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_set_up_once(checkout: Checkout) -> None:
    assert checkout.run("image", "mem=256") == ["image", "mem=256"]
    assert checkout.run() == [""]
    assert checkout.made == ["venv", "pip"]


def test_set_up_again_when_something_changed(checkout: Checkout) -> None:
    checkout.run()
    (checkout.top / "requirements.lock").write_text("scons==2\n")
    checkout.run()
    assert checkout.made == ["venv", "pip"] * 2
    python = checkout.top / ".venv/bin/python"  # another Python behind the same name
    python.rename(python.with_name("python3.99"))
    python.symlink_to("python3.99")
    checkout.run()
    assert checkout.made == ["venv", "pip"] * 3


def test_a_failed_set_up_is_not_believed(checkout: Checkout) -> None:
    (checkout.top / "pip-fails").touch()
    checkout.run(status=1)
    (checkout.top / "pip-fails").unlink()
    checkout.run()
    assert checkout.made == ["venv", "pip"] * 2


def test_two_at_once_set_up_once(checkout: Checkout) -> None:
    both = [checkout.start("run") for _ in range(2)]
    outputs = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    assert checkout.made == ["venv", "pip"]


def test_model_counts_from_the_folder_of_the_caller(checkout: Checkout) -> None:
    elsewhere = checkout.elsewhere
    given = ["run", "model=a b.gguf", "target=i686"]
    assert checkout.run(*given) == given
    expected = ["run", f"model={elsewhere}/a b.gguf", "target=i686"]
    assert checkout.run(*given, cwd=elsewhere) == expected
    assert checkout.run("cachedir=a=b", cwd=elsewhere) == [f"cachedir={elsewhere}/a=b"]
    assert checkout.run("target=a.json", cwd=elsewhere) == [f"target={elsewhere}/a.json"]
    for name in ("cachefile", "cache"):
        assert checkout.run(f"{name}=9.bin", cwd=elsewhere) == [f"{name}={elsewhere}/9.bin"]
    others = ("target=native", "target=/x.json", "cache=16", "cache=warm", "cache=/x", "cachefile=")
    for untouched in ("model=", "model=/x.gguf", "cachedir=", "cachedir=/x", *others):
        assert checkout.run(untouched, cwd=elsewhere) == [untouched]


@pytest.mark.parametrize(
    "wanted", ["runner=bochs", "test", "test-qemu", "test-matrix", "target=x86-64-v4"]
)
def test_bochs_is_installed_for_those_who_use_it(checkout: Checkout, wanted: str) -> None:
    """The stand-in for apt-get installs nothing: said, and no reason to stop."""
    apt = checkout.top / "apt"
    checkout.environment["PATH"] = checkout.without("bochs")
    checkout.run("image", "runner=tcg")
    assert "bochs" not in (apt.read_text() if apt.exists() else "")
    assert checkout.run("image", wanted) == ["image", wanted]
    assert "bochs bochs-term bochsbios vgabios" in apt.read_text()


@pytest.mark.parametrize("wanted", ["test", "test-unit"])
def test_a_browser_is_installed_for_tests(checkout: Checkout, wanted: str) -> None:
    """Not where another one will do; the stand-in for apt-get installs nothing."""
    apt = checkout.top / "apt"
    checkout.environment["PATH"] = checkout.without(*BROWSERS)
    checkout.run("report")
    assert "chromium" not in (apt.read_text() if apt.exists() else "")
    assert checkout.run(wanted) == [wanted]
    assert " chromium " in apt.read_text()
    apt.unlink()
    chrome = checkout.top.parent / "tools/google-chrome"
    chrome.write_text("#!/bin/sh\n")
    chrome.chmod(0o755)
    checkout.run(wanted)
    assert "chromium" not in (apt.read_text() if apt.exists() else "")


@pytest.mark.parametrize("wanted", ["test", "test-host"])
def test_valgrind_is_installed_for_tests(checkout: Checkout, wanted: str) -> None:
    apt = checkout.top / "apt"
    checkout.environment["PATH"] = checkout.without("valgrind")
    checkout.run("bench", "runner=host")
    assert "valgrind" not in (apt.read_text() if apt.exists() else "")
    assert checkout.run(wanted) == [wanted]
    assert " valgrind" in apt.read_text()


@pytest.mark.parametrize("wanted", ["peers=1", "peers=all"])
def test_a_compiler_is_installed_for_peers(checkout: Checkout, wanted: str) -> None:
    apt = checkout.top / "apt"
    checkout.environment["PATH"] = checkout.without("g++")
    checkout.run("bench", "runner=host", "peers=0")
    assert "g++" not in (apt.read_text() if apt.exists() else "")
    assert checkout.run("bench", wanted) == ["bench", wanted]
    assert " gcc g++" in apt.read_text()


@pytest.mark.parametrize(
    "wanted",
    [
        "jit",
        "jit-times",
        "jit=1",
        "compile=1",
        "build/jit/jit.elf",
        "test",
        "test-graph",
        "test-host",
        "test-qemu",
    ],
)
def test_llvm_is_installed_for_its_users(checkout: Checkout, wanted: str) -> None:
    """The packages that E-JIT-32 names, when they are not beside the compiler."""
    apt = checkout.top / "apt"
    llvm = checkout.top.parent / "llvm"
    builtins = llvm / "lib/clang/19/lib/linux/libclang_rt.builtins-i386.a"
    for file in (llvm / "bin/clang-19", builtins):
        file.parent.mkdir(parents=True)
        file.touch(0o755)
    checkout.environment["PATH"] = f"{llvm}/bin:{checkout.environment['PATH']}"
    checkout.run("image", "jit=0")
    assert PACKAGES not in (apt.read_text() if apt.exists() else "")
    assert checkout.run(wanted) == [wanted]
    assert PACKAGES in apt.read_text()


def test_called_through_a_link(checkout: Checkout) -> None:
    link = checkout.elsewhere / "fluid"
    link.symlink_to(checkout.top / "sconsw")
    done = subprocess.run(
        [link, "-h"], env=checkout.environment, capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stdout) == (0, "-h\n"), done.stderr
