"""One image on many processors: each runs the best code that it can, with the same results. One
that lacks what the kernel was compiled for stops with the names; no pair ends in an invalid opcode.

Names of missing features and what the screen shows: test_cpu_features.py."""

from collections.abc import Callable
from typing import Any

import pytest

from fluid.emulator import Ending
from fluid.event_types import Boot, Error, Panic, Prompt, Ready
from fluid.machine import Machine, MachineEnded
from fluid.targets import TARGETS
from guests import BOOT_SECONDS, Machines, TinyModel, codes
from matrix import AVX512, CPUS, LONG_MODE, Cpu, best_variant, features
from qemu_images import image_of
from test_score import TEXTS, base64_of, complete, score

pytestmark = pytest.mark.matrix

Record = Callable[[str, object], None]

# Shapes with remainders: heads of 22 or 24 values, rows of 88, 170 or 96 and 160 columns.
FLOAT_SHAPE = {"dim": 88, "ffn": 170}
BLOCK_SHAPE = {"dim": 96, "ffn": 160}
SHAPES = [
    pytest.param("F32", FLOAT_SHAPE),
    pytest.param("F16", FLOAT_SHAPE, marks=pytest.mark.full),
    pytest.param("Q8_0", BLOCK_SHAPE, marks=pytest.mark.full),
    pytest.param("Q4_0", BLOCK_SHAPE, marks=pytest.mark.full),
    pytest.param("Q4_1", BLOCK_SHAPE),
]


def ready_of(guest: Machine) -> Ready:
    [ready] = [event for event in guest.events if isinstance(event, Ready)]
    return ready


@pytest.mark.of_target("x86-64")
@pytest.mark.parametrize(("quant", "shape"), SHAPES)
def test_one_image_chooses_by_itself_and_computes_the_same(
    machines: Machines, tiny: TinyModel, quant: str, shape: dict[str, Any]
) -> None:
    """v1 to v4 of the same image: other instructions, the same bits."""
    image = image_of("x86-64", tiny(quant, "bpe", **shape))
    chosen, results = [], []
    for cpu in (*LONG_MODE, AVX512):
        guest = machines.boot("x86-64", image, **cpu.options())
        assert codes(guest.events) == []
        chosen.append(ready_of(guest).variant)
        text = base64_of(TEXTS[0])
        tokens, _ = complete(guest, 8, text)
        results.append([score(guest, text).data, *(token.data for token in tokens)])
        guest.close()
    assert chosen == list(TARGETS["x86-64"].variants)
    assert results[1:] == results[:-1]


def events_until_it_stands(guest: Machine) -> Ending | None:
    """Waits for the prompt, or for the end, which is told."""
    try:
        guest.wait_for(Prompt, BOOT_SECONDS)
    except MachineEnded as end:
        return end.ending
    return None


@pytest.mark.full
@pytest.mark.parametrize("cpu", CPUS, ids=lambda cpu: cpu.label)
@pytest.mark.parametrize("tag", list(TARGETS))
def test_no_pair_ends_in_an_invalid_opcode(
    machines: Machines, tiny: TinyModel, record_property: Record, tag: str, cpu: Cpu
) -> None:
    """Every image on every CPU: it computes with the best variant, or names all that is missing."""
    lacks_long_mode = tag != "i686" and not cpu.long_mode
    missing = features(tag) - features(cpu.best)  # or less: a model may have more than its level
    variant = "" if lacks_long_mode else best_variant(tag, cpu)
    code = "E-CPU-05" if missing else "E-CPU-02"  # which is about long mode alone
    record_property("matrix", [tag, cpu.runner, cpu.model, variant or code])
    guest = machines.start(tag, image_of(tag, tiny("Q4_1", "bpe")), **cpu.options())
    ending = events_until_it_stands(guest)
    assert not [event for event in guest.events if isinstance(event, Panic)], guest.text.decode()
    if variant:
        assert ending is None and codes(guest.events) == []
        assert ready_of(guest).variant == variant
        _, done = complete(guest, 4, base64_of(TEXTS[0]))
        assert done.n_gen == 4
        return
    assert ending is Ending.FAIL, guest.text.decode()
    assert not [event for event in guest.events if isinstance(event, Boot)]  # no kernel ran
    [error] = guest.events
    assert isinstance(error, Error)
    assert error.code == code, error.text
    if missing:
        told = set(error.text.removeprefix("processor: ").partition(" expected")[0].split())
        assert ("lm" in told) == lacks_long_mode
        assert missing >= told - {"lm"} > set(), error.text
    else:
        assert error.text.startswith("lm (long mode)")
