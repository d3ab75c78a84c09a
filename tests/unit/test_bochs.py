"""The Bochs runner: configuration, log, and machines played by fake_bochs.py."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fluid import bochs, probe
from fluid.emulator import Ending, MachineConfig
from fluid.errors import FluidError
from fluid.event_types import Prompt, Token
from fluid.machine import Machine, MachineEnded
from fluid.targets import TARGETS

FAKE = Path(__file__).with_name("fake_bochs.py")
SITE = Path(__file__).resolve().parents[2] / "site_scons"
PATIENCE = 120.0
SPARSE = 4 << 20  # bytes of zeros


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "fluid, with a comma.img"
    with path.open("wb") as file:
        file.write(b"disk")
        file.truncate(SPARSE)
    return path


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A program that stands in for Bochs; its temporary folder is tmp_path / "session"."""
    for name in ("SYSTEM_BIOS", "VGA_BIOS"):
        monkeypatch.setattr(bochs, name, FAKE)
    (tmp_path / "session").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "session"))
    path = tmp_path / "fake-bochs"
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{FAKE}" "$@"\n')
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def start(image: Path, program: str) -> Callable[..., Machine]:
    def start(*extra: str, **options: object) -> Machine:
        options = {"target": "x86-64-v4", "emulator": program, "extra": extra, **options}
        return Machine(image, runner="bochs", life=2 * PATIENCE, **options)  # type: ignore[arg-type]

    return start


def left_behind() -> list[str]:
    """What sessions have left in the temporary folder."""
    deadline = time.monotonic() + 20
    while os.listdir(os.environ["TMPDIR"]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return os.listdir(os.environ["TMPDIR"])


def test_every_target_has_a_cpu() -> None:
    assert list(bochs.CPUS) == list(TARGETS)
    assert len(set(bochs.CPUS.values())) == len(TARGETS)


def test_configuration(tmp_path: Path) -> None:
    lines = bochs.configuration(tmp_path, "tigerlake", 256, 4711, ["magic_break: 1"]).splitlines()
    assert [line for line in lines if line.startswith("cpu: model=tigerlake, count=1, ")]
    assert "memory: guest=256, host=256" in lines
    assert "com1: enabled=1, mode=socket-client, dev=127.0.0.1:4711" in lines
    assert lines[-1] == "magic_break: 1"


def test_the_disk_is_a_sparse_copy_of_whole_cylinders(image: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    bochs.copy_disk(image, disk)
    found = disk.stat()
    assert found.st_size == -(-SPARSE // bochs.CYLINDER) * bochs.CYLINDER > SPARSE
    assert found.st_blocks * 512 < SPARSE / 2
    content = disk.read_bytes()
    assert content[:4] == b"disk" and not any(content[4:])
    with pytest.raises(FluidError, match=r"E-RUN-17 .*TMPDIR"):
        bochs.copy_disk(image, Path("/dev/full"))


def test_the_log_is_read_in_pieces() -> None:
    log = bochs.Log()
    text = (
        "i[SYS   ] bx_pc_system_c::Reset(HARDWARE) called\n"
        "d[UNMAP ] unmapped: 8-bit write to 0402 = 10\n"
        "d[UNMAP ] unmapped: 16-bit write to 00f4 = 0010\n"
        "i[SYS   ] bx_pc_system_c::Reset(SOFTWARE) called\n"
        "d[UNMAP ] unmapped: 8-bit write to 00f4 = 12\n"
        "p[ACPI  ] >>PANIC<< ACPI control: soft power off\n"
    )
    for at in range(0, len(text), 7):
        log.feed(text[at : at + 7])
        if at < text.index("SOFTWARE") - 7:
            assert (log.exit_code, log.resets) == (None, 0)
    assert (log.exit_code, log.resets, log.panics) == (0x12, 1, ["ACPI control: soft power off"])


@pytest.mark.parametrize(
    ("line", "ending"),
    [
        ("/exit 10", Ending.PASS),
        ("/exit 11", Ending.FAIL),
        ("/exit 12", Ending.PANIC),
        ("/reset", Ending.RESET),
        ("/crash", Ending.EMULATOR),
    ],
)
def test_endings(start: Callable[..., Machine], line: str, ending: Ending) -> None:
    """Bochs itself ends with 1, or not at all: what the machine meant stands in the log."""
    with start() as machine:
        kinds = [event.ev for event in machine.wait_for(Prompt, PATIENCE)]
        assert kinds == ["boot", "warn", "ready", "prompt"]
        answer = machine.command("two words", PATIENCE)
        assert [token.piece for token in answer if isinstance(token, Token)] == [b"two", b"words"]
        machine.send_line(line)
        assert machine.wait_end(PATIENCE) is ending
        if line.startswith("/exit"):
            assert machine.events[-1].ev == "bye"
        if ending is Ending.EMULATOR:
            assert "cannot emulate this" in machine.emulator_said
    assert left_behind() == []


def test_a_reset_that_boots_again(start: Callable[..., Machine]) -> None:
    with start(reboot=True) as machine:
        machine.wait_for(Prompt, PATIENCE)
        machine.send_line("/reset")
        assert machine.wait_for(Prompt, PATIENCE)[0].ev == "boot"
        machine.send_line("/exit 10")
        assert machine.wait_end(PATIENCE) is Ending.PASS


def test_long_input_flows(start: Callable[..., Machine]) -> None:
    with start() as machine:
        machine.wait_for(Prompt, PATIENCE)
        answer = machine.command(b"x" * 1_000_000, PATIENCE)
        assert [len(token.piece) for token in answer if isinstance(token, Token)] == [1_000_000]


def test_a_machine_that_is_left_takes_its_emulator_along(start: Callable[..., Machine]) -> None:
    with start() as machine:
        machine.wait_for(Prompt, PATIENCE)
    assert machine.ending is Ending.KILLED
    assert left_behind() == []


def test_a_killed_runner_takes_its_emulator_along(image: Path, program: str) -> None:
    """The session is told when its parent dies, and Bochs dies with the session."""
    code = (
        "import sys, os; from pathlib import Path; from fluid import bochs\n"
        "from fluid.machine import Machine; from fluid.event_types import Prompt\n"
        "bochs.SYSTEM_BIOS = bochs.VGA_BIOS = Path(bochs.__file__)\n"
        "image, program = sys.argv[1:]\n"
        "machine = Machine(Path(image), target='i686', runner='bochs', emulator=program)\n"
        "with machine:\n"
        "    machine.wait_for(Prompt, 60)\n"
        "    print(machine._process.pid, flush=True)\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(image), program],
        env={**os.environ, "PYTHONPATH": str(SITE)},
        capture_output=True,
        timeout=PATIENCE,
    )
    session = Path(f"/proc/{int(done.stdout)}")
    deadline = time.monotonic() + 20
    while session.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not session.exists()
    assert left_behind() == []


def test_what_bochs_refuses_is_told(start: Callable[..., Machine]) -> None:
    with start("fake: refused") as machine, pytest.raises(MachineEnded, match="E-RUN-18") as caught:
        machine.wait_for(Prompt, PATIENCE)
    assert caught.value.ending is Ending.EMULATOR
    assert "no such thing" in str(caught.value)
    assert left_behind() == []


def test_what_is_missing_is_named(
    image: Path, program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = MachineConfig(image=image, target="i686", runner="bochs", emulator="no-such-bochs")
    with pytest.raises(FluidError, match=r"E-RUN-03 no-such-bochs .*sconsw"):
        bochs.session_command(config, 3)
    monkeypatch.setattr(bochs, "VGA_BIOS", Path("/no/vgabios.bin"))
    config = MachineConfig(image=image, target="i686", runner="bochs", emulator=program)
    with pytest.raises(FluidError, match=r"E-RUN-03 /no/vgabios.bin .*install vgabios"):
        bochs.session_command(config, 3)


@pytest.mark.parametrize("options", [{"smp": 2}, {"icount": "shift=3"}, {"writable": True}])
def test_what_bochs_does_not_take(image: Path, options: dict[str, object]) -> None:
    with pytest.raises(FluidError, match=r"E-RUN-01 runner=bochs"):
        MachineConfig(image=image, target="i686", runner="bochs", **options)  # type: ignore[arg-type]


def test_it_has_no_qmp(start: Callable[..., Machine]) -> None:
    with start() as machine, pytest.raises(FluidError, match="E-RUN-12"):
        _ = machine.qmp


def test_auto_takes_it_for_avx512(image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "_answers", {})
    monkeypatch.setattr(probe, "kvm_answers", lambda *_: False)
    assert probe.choose_runner("auto", image, "x86-64-v4") == "bochs"
    assert probe.choose_runner("auto", image, "x86-64-v3") == "tcg"


def test_the_temporary_folder_is_the_callers(program: str) -> None:
    """The fixture's TMPDIR is what these tests look into."""
    found = subprocess.run(
        [sys.executable, "-c", "import tempfile; print(tempfile.gettempdir())"],
        capture_output=True,
        text=True,
    )
    assert found.stdout.strip() == os.environ["TMPDIR"] != tempfile.gettempdir()
