"""The image of check=undefined, in which undefined behaviour traps: what machines do has none."""

from pathlib import Path

import pytest

from fluid.emulator import Ending
from fluid.event_types import Panic
from fluid.hosted import output_folder
from fluid.targets import DEFAULT_TARGET
from guests import Machines, TinyModel, codes, names
from numpy_llama import NumpyLlama
from qemu_images import image_with
from test_score import QUANTISED, base64_of, check_against_oracle, score

pytestmark = pytest.mark.of_target(DEFAULT_TARGET)

INVALID_OPCODE = 6
TEXT = "once upon a time: 42! 你好"


@pytest.fixture
def image(tiny: TinyModel) -> Path:
    folder = output_folder(DEFAULT_TARGET, "undefined")
    return image_with(folder, "undefined", [(tiny("Q4_1"), "MODEL.GGUF")])


def test_the_machine_at_work(machines: Machines, image: Path, tiny: TinyModel) -> None:
    """From the boot to the last event, commands and a conversation included."""
    guest = machines.boot(DEFAULT_TARGET, image, mem=256, machine="q35", smp=2)
    assert codes(guest.events) == []
    for line in ("/selftest", "/cpu", "/mem", "/uptime", "/load", "/show", "/ls", "/help"):
        assert codes(guest.command(line, 120)) == []
    found = score(guest, base64_of(TEXT))
    check_against_oracle(found, NumpyLlama(tiny("Q4_1")).logits(found.ids), QUANTISED)
    for line in ("hello", "and then?", "/regen"):
        assert names(guest.command(line))[-1] == "done"
    guest.send_line("/off")
    assert guest.wait_end(60) is Ending.PASS


def test_undefined_behaviour_is_reported(machines: Machines, image: Path) -> None:
    guest = machines.boot(DEFAULT_TARGET, image, mem=256)
    guest.send_line("/selftest fault-undefined")
    assert guest.wait_end(60) is Ending.PANIC
    panic = guest.events[-1]
    assert isinstance(panic, Panic) and panic.vector == INVALID_OPCODE
    assert panic.backtrace[0].startswith("undefined_behaviour+")
