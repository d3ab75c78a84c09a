"""Thousands of tokens: nothing is lost and no memory is used up."""

import re

import pytest

from fluid.machine import Machine
from guests import Machines, TinyModel, codes, said
from qemu_images import image_of
from test_chat import say
from test_score import complete

QUICK, FULL = 1000, 10000  # tokens


def memory(guest: Machine) -> tuple[str, str]:
    """Free memory and bytes of the heap in use, as /mem has them."""
    text = said(guest, "/mem")
    found = re.search(r"free +(\d+ KiB)", text), re.search(r"heap: (\d+) bytes", text)
    assert found[0] and found[1], text
    return found[0][1], found[1][1]


def talk(guest: Machine, tokens: int) -> None:
    """Completions and conversations in turn until so many tokens were generated."""
    total = seed = 0
    while total < tokens:
        guest.command(f"/set seed {seed}")
        seed += 1
        total += complete(guest, 1000, "once upon a time")[1].n_gen
        total += sum(say(guest, line)[1].n_gen for line in ("hello", "/regen", "tell me more"))
        guest.command("/score there was a dog")
        assert codes(guest.command("/clear")) == []


@pytest.mark.parametrize(
    "tokens", [QUICK, pytest.param(FULL, marks=pytest.mark.full)], ids=["quick", "ten-thousand"]
)
def test_memory_stays_as_it_was(
    machines: Machines, target: str, tiny: TinyModel, tokens: int
) -> None:
    guest = machines.boot(target, image_of(target, tiny("Q8_0", "bpe", ctx=1280)), mem=256)
    guest.command("/set max_tokens 20")
    guest.command("/set temperature 1")
    talk(guest, 1)
    before = memory(guest)
    talk(guest, tokens)
    assert memory(guest) == before
    assert codes(guest.command("/selftest")) == []
