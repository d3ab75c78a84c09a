"""The runner against the real emulator without our kernel: a small boot sector talks to it."""

import subprocess
from pathlib import Path

import pytest

from fluid.emulator import EMULATED, MACHINES, Ending
from fluid.errors import FluidError
from fluid.event_types import Prompt
from fluid.machine import Machine, MachineTimeout

SOURCE = Path(__file__).with_name("tiny_boot.S")
PNG_MAGIC = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    commands = [
        ["clang-19", "--target=i386-unknown-none-elf", "-c", str(SOURCE), "-o", "tiny.o"],
        ["ld.lld-19", "-Ttext=0x7c00", "--oformat=binary", "tiny.o", "-o", "tiny.img"],
        ["truncate", "--size=1M", "tiny.img"],
    ]
    for command in commands:
        subprocess.run(command, cwd=folder, check=True, timeout=60)
    return folder / "tiny.img"


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("target", list(EMULATED))
def test_boot_echo_and_off(image: Path, target: str, machine: str) -> None:
    with Machine(image, target=target, machine=machine, mem=64) as guest:
        guest.wait_for(Prompt, 60)
        guest.send(b"hello\r")
        guest.wait_text(b"hello\r", 120)
        assert bytes(guest.text).endswith(b"tiny\r\n> hello\r")
        guest.send(b"q")
        assert guest.wait_end(120) is Ending.PASS


@pytest.mark.of_target("x86-64-v2")
@pytest.mark.parametrize(("key", "ending"), [(b"p", Ending.PANIC), (b"r", Ending.RESET)])
def test_endings(image: Path, key: bytes, ending: Ending) -> None:
    with Machine(image, target="x86-64-v2", mem=64) as guest:
        guest.wait_for(Prompt, 60)
        guest.send(key)
        assert guest.wait_end(120) is ending


@pytest.mark.of_target("x86-64-v2")
def test_a_reset_boots_again_when_asked(image: Path) -> None:
    with Machine(image, target="x86-64-v2", mem=64, reboot=True) as guest:
        guest.wait_for(Prompt, 60)
        guest.send(b"r")
        guest.wait_for(Prompt, 60)
        assert guest.text.count(b"tiny") == 2


@pytest.mark.of_target("x86-64-v2")
def test_what_is_no_event_is_an_error(image: Path) -> None:
    with Machine(image, target="x86-64-v2", mem=64) as guest:
        guest.wait_for(Prompt, 60)
        guest.send(b"x")
        with pytest.raises(FluidError, match="E-RUN-06"):
            guest.read_event(120)
        with pytest.raises(MachineTimeout):
            guest.read_event(0.2)


@pytest.mark.of_target("x86-64-v2")
def test_long_input_arrives(image: Path) -> None:
    text = bytes(range(0x20, 0x65)) * 200  # without the letters that have a meaning
    with Machine(image, target="x86-64-v2", mem=64) as guest:
        guest.wait_for(Prompt, 60)
        guest.send(text)
        guest.wait_text(text, 60)


@pytest.mark.of_target("x86-64-v2")
def test_screenshot(image: Path, tmp_path: Path) -> None:
    with Machine(image, target="x86-64-v2", mem=64) as guest:
        guest.wait_for(Prompt, 60)
        guest.qmp.screenshot(tmp_path / "screen.png")
        guest.qmp.press("a")
    assert (tmp_path / "screen.png").read_bytes().startswith(PNG_MAGIC)


@pytest.mark.of_target("i686")
def test_the_image_is_never_modified(image: Path) -> None:
    before = image.read_bytes()
    with Machine(image, target="i686", mem=64) as guest:
        guest.wait_for(Prompt, 60)
    assert image.read_bytes() == before
