"""The runner: command line, exit codes, and machines played by fake_guest.py."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import pytest

from fluid import emulator as qemu
from fluid import hosted, probe, runner, terminal
from fluid.emulator import Ending, MachineConfig, command, ending_of, ending_text
from fluid.errors import FluidError
from fluid.event_types import Boot, Panic, Prompt, Ready, Token
from fluid.machine import Machine, MachineEnded, MachineTimeout
from fluid.runner import run_interactive

TOP = Path(__file__).resolve().parents[2]
PATIENCE = 120.0  # seconds until a test gives up


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "fluid, with a comma.img"
    path.write_bytes(b"disk")
    return path


@pytest.fixture
def start(image: Path, emulator: str) -> Callable[..., Machine]:
    def start(how: str = "", life: float = 2 * PATIENCE) -> Machine:
        extra = ("-fake", how) if how else ()
        return Machine(image, target="i686", emulator=emulator, extra=extra, life=life)

    return start


def test_exit_codes_equal_the_header() -> None:
    header = (TOP / "src/include/fluid/exit.h").read_text()
    defined = {k: int(v, 16) for k, v in re.findall(r"#define FLUID_EXIT_(\w+) (0x\w+)", header)}
    assert defined == {
        "PORT": qemu.EXIT_PORT,
        "PASS": qemu.EXIT_PASS,
        "FAIL": qemu.EXIT_FAIL,
        "PANIC": qemu.EXIT_PANIC,
    }


def test_the_most_cores_equal_the_header() -> None:
    header = (TOP / "src/kernel/arch/x86/core.h").read_text()
    assert re.findall(r"#define CORES_MAX (\d+)u", header) == [str(hosted.CORES_MAX)]


def test_endings() -> None:
    statuses = [33, 35, 37, 0, 1, -9, -6]
    expected = ["PASS", "FAIL", "PANIC", "RESET", "EMULATOR", "KILLED", "CRASHED"]
    assert [ending_of(status).name for status in statuses] == expected


def test_a_crash_names_its_signal() -> None:
    words = [ending_text(ending_of(-number), -number) for number in (signal.SIGSEGV, 35)]
    assert words == ["crashed in its emulator: SIGSEGV", "crashed in its emulator: signal 35"]
    assert ending_text(Ending.PASS, 33) == Ending.PASS.value
    assert ending_text(Ending.TIMEOUT, -signal.SIGKILL) == Ending.TIMEOUT.value


def test_command_line(image: Path) -> None:
    config = MachineConfig(
        image=image, target="i686", machine="pc", mem=512, smp=3, icount="shift=3"
    )
    argv = command(config, 7, 8)
    assert argv[0] == "qemu-system-i386"
    text = " ".join(argv)
    assert "snapshot=on" in text
    assert "fluid,, with a comma.img" in text
    assert "-m 512M -smp 3" in text
    assert "-machine pc -accel tcg" in text
    assert "-icount shift=3" in text
    assert argv[-1] == "-no-reboot"
    writable = command(MachineConfig(image=image, target="i686", writable=True), 7, 8)
    assert "snapshot=off" in " ".join(writable)


@pytest.mark.parametrize("options", [{"machine": "isapc"}, {"runner": "fast"}, {"target": "z80"}])
def test_bad_options_name_the_valid_ones(image: Path, options: dict[str, str]) -> None:
    with pytest.raises(FluidError, match=r"E-RUN-01 .* expected one of"):
        MachineConfig(**{"image": image, "target": "i686", **options})  # type: ignore[arg-type]


def test_missing_image_and_program_say_what_to_do(tmp_path: Path, image: Path) -> None:
    with pytest.raises(FluidError, match=r"E-RUN-02 .* build it"):
        Machine(tmp_path / "none.img", target="i686")
    with (
        pytest.raises(FluidError, match=r"E-RUN-03 .*sconsw"),
        Machine(image, target="i686", emulator="no-such-qemu"),
    ):
        pass


def test_a_conversation(start: Callable[..., Machine]) -> None:
    with start() as machine:
        kinds = [event.ev for event in machine.wait_for(Prompt, PATIENCE)]
        assert kinds == ["boot", "warn", "ready", "prompt"]
        tokens = machine.command("what is this", PATIENCE)
        assert [t.piece for t in tokens if isinstance(t, Token)] == [b"what", b"is", b"this"]
        assert b"> what is this\r\n" in machine.text
        assert b"\x1e" not in machine.text
        machine.send_line("/off")
        assert machine.wait_end(20) is Ending.PASS
    assert machine.events[-1].ev == "bye"


def test_long_input_flows_while_the_echo_is_read(start: Callable[..., Machine]) -> None:
    with start() as machine:
        machine.wait_for(Prompt, PATIENCE)
        line = b"x" * 1_000_000
        tokens = machine.command(line, PATIENCE)
        assert [t.piece for t in tokens if isinstance(t, Token)] == [line]


def test_a_panic_while_waiting_is_told(start: Callable[..., Machine]) -> None:
    with start() as machine:
        machine.wait_for(Prompt, PATIENCE)
        with pytest.raises(MachineEnded, match="it panicked") as caught:
            machine.command("/panic", PATIENCE)
        assert (caught.value.code, caught.value.ending) == ("E-RUN-05", Ending.PANIC)
        assert isinstance(machine.events[-1], Panic)


def test_a_crash_while_waiting_is_told(start: Callable[..., Machine]) -> None:
    with start() as machine:
        machine.wait_for(Prompt, PATIENCE)
        assert machine.ending_text == ""
        with pytest.raises(MachineEnded, match="it crashed in its emulator: SIGABRT") as caught:
            machine.command("/abort", PATIENCE)
        assert caught.value.ending is Ending.CRASHED


def test_numbers_beyond_doubles_are_malformed(start: Callable[..., Machine]) -> None:
    with start() as machine:
        machine.wait_for(Prompt, PATIENCE)
        for line in ("/huge", "/nan"):
            with pytest.raises(FluidError, match=r"E-RUN-06 .*number"):
                machine.command(line, PATIENCE)
            machine.wait_for(Prompt, PATIENCE)
        assert len(machine.malformed) == 2


def test_waits_end(start: Callable[..., Machine]) -> None:
    with start("silent") as machine:
        expected = r"E-RUN-04 event .boot. expected within 0\.3 s"
        with pytest.raises(MachineTimeout, match=expected):
            machine.wait_for(Boot, 0.3)
        assert machine.wait_end(0.2) is Ending.TIMEOUT


def test_a_machine_does_not_outlive_its_life(start: Callable[..., Machine]) -> None:
    with start("silent", life=0.3) as machine, pytest.raises(MachineTimeout):
        machine.wait_for(Boot, PATIENCE)


def test_events_in_between_are_named(start: Callable[..., Machine]) -> None:
    with start() as machine:
        machine.wait_text(b"> ", PATIENCE)
        with pytest.raises(MachineTimeout, match="found boot, warn, ready, prompt"):
            machine.wait_for(Panic, 0.3)


def test_a_broken_emulator_is_told_with_its_own_words(start: Callable[..., Machine]) -> None:
    with start("broken") as machine, pytest.raises(MachineEnded, match="no such device") as caught:
        machine.wait_for(Boot, PATIENCE)
    assert caught.value.ending is Ending.EMULATOR


def test_malformed_events_are_errors(start: Callable[..., Machine]) -> None:
    with start() as machine:
        machine.wait_for(Prompt, PATIENCE)
        with pytest.raises(FluidError, match=r"E-RUN-06 .*'reason' expected"):
            machine.command("/garbage", PATIENCE)
        assert len(machine.malformed) == 1


def test_the_emulator_ends_with_the_block(start: Callable[..., Machine]) -> None:
    with start() as machine:
        machine.wait_for(Ready, PATIENCE)
    assert machine.ending is Ending.KILLED
    assert not machine.running


def test_the_probe_believes_answers_only(
    image: Path, emulator: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "PROBE_SECONDS", 1.0)
    device = tmp_path / "kvm"
    assert not probe.kvm_answers(image, "i686", str(device), emulator)
    device.touch()
    assert not probe.kvm_answers(image, "i686", str(device), "/bin/false")
    monkeypatch.setattr(probe, "PROBE_SECONDS", PATIENCE)
    assert probe.kvm_answers(image, "i686", str(device), emulator)


def test_auto_falls_back_to_tcg(image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "_answers", {})
    monkeypatch.setattr(probe, "kvm_answers", lambda *_: False)
    assert probe.choose_runner("auto", image, "i686") == "tcg"
    assert probe.choose_runner("kvm", image, "i686") == "kvm"


def test_a_missing_image_is_told_in_one_sentence(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run_interactive(tmp_path / "none.img", target="i686", runner="tcg") == 1
    assert capfd.readouterr().err.startswith("\nE-RUN-02 disk image expected")


@pytest.mark.parametrize("keep", [False, True])
def test_what_a_session_leaves(image: Path, monkeypatch: pytest.MonkeyPatch, keep: bool) -> None:
    """A machine that dies under KVM before it says anything: KVM does not work."""
    given: list[bool] = []

    def dies(machine: Machine, *_: object) -> int:
        given.append(machine.config.writable)
        return 1

    class Never(Machine):
        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr(runner, "Machine", Never)
    monkeypatch.setattr(runner, "converse", dies)
    monkeypatch.setattr(runner, "choose_runner", lambda *_: "kvm")
    assert run_interactive(image, target="i686", keep=keep) == 1
    assert given == [keep]


def test_keys_that_leave() -> None:
    keys = terminal.KeyFilter()
    assert keys.feed(b"a\x03\x01") == (b"a\x03", False)
    assert keys.feed(b"\x01b") == (b"\x01b", False)
    assert keys.feed(b"c\x1dd") == (b"c", True)
    assert terminal.KeyFilter().feed(b"\x01x") == (b"", True)


TALK = """
import sys
from pathlib import Path
from fluid.machine import Machine
from fluid.terminal import terminated_as_exit, converse
image, emulator = sys.argv[1:]
with terminated_as_exit(), Machine(Path(image), target="i686", emulator=emulator) as machine:
    sys.exit(converse(machine, sys.stdin.buffer, sys.stdout.buffer))
"""


def talk_argv(image: Path, emulator: str) -> list[str]:
    return [sys.executable, "-c", TALK, str(image), emulator]


def talk_env() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(TOP / "site_scons")}


@pytest.mark.parametrize(
    ("typed", "status", "said"),
    [
        (b"one two\nthree\n", 0, b""),
        (b"", 0, b""),
        (b"/off\nlost\n", 0, b""),
        (b"/reboot\n", 0, b""),
        (b"/crash\n", 1, b"E-RUN-10 the machine was reset (reboot or triple fault)"),
        (b"/panic\n", 1, b"E-RUN-10 the machine panicked: vector 6 at f+0x1"),
        (
            b"/abort\n",
            1,
            b"E-RUN-10 the machine crashed in its emulator: SIGABRT\nits emulator said: fake",
        ),
    ],
)
def test_lines_from_a_pipe(
    image: Path, emulator: str, typed: bytes, status: int, said: bytes
) -> None:
    done = subprocess.run(
        talk_argv(image, emulator),
        input=typed,
        env=talk_env(),
        capture_output=True,
        timeout=PATIENCE,
    )
    assert (done.returncode, said in done.stderr) == (status, True), done
    assert b"\x1e" not in done.stdout
    assert b"\r" not in done.stdout
    if b"one" in typed:
        assert b"> one two\nonetwo\n> three\nthree\n> /off\n" in done.stdout


@pytest.mark.parametrize("leave", [b"\x1d", b"\x01x", b"/off\r", signal.SIGTERM])
def test_the_terminal_is_raw_and_comes_back(
    image: Path, emulator: str, leave: bytes | signal.Signals
) -> None:
    master, slave = pty.openpty()
    before = termios.tcgetattr(slave)
    process = subprocess.Popen(
        talk_argv(image, emulator), stdin=slave, stdout=slave, stderr=slave, env=talk_env()
    )
    try:
        assert b"Ctrl-]" in read_until(master, b"> ")
        assert not termios.tcgetattr(slave)[3] & (termios.ECHO | termios.ICANON | termios.ISIG)
        os.write(master, b"hi\r")
        read_until(master, b"hi\r\nhi\r\n> ")
        if isinstance(leave, signal.Signals):
            process.send_signal(leave)
        else:
            os.write(master, leave)
        assert process.wait(PATIENCE) == (143 if leave == signal.SIGTERM else 0)
        assert termios.tcgetattr(slave) == before
    finally:
        process.kill()
        process.wait()
        os.close(master)
        os.close(slave)


def read_until(fd: int, wanted: bytes) -> bytes:
    """Bytes from a terminal up to wanted."""
    data = b""
    deadline = time.monotonic() + PATIENCE
    while wanted not in data:
        ready, _, _ = select.select([fd], [], [], max(0.0, deadline - time.monotonic()))
        assert ready, f"{wanted!r} expected, found {data!r}"
        data += os.read(fd, 4096)
    return data
