"""Every target on CPUs that have exactly what a level is named for: which variant it picks, and
that this variant computes what the oracle says."""

import pytest

from fluid.emulator import EMULATED
from fluid.event_types import Boot, Ready
from guests import Machines, TinyModel, codes
from numpy_llama import NumpyLlama
from qemu_images import image_of
from test_score import QUANTISED, base64_of, check_against_oracle, score

CPUS = {EMULATED[tag].cpu: tag for tag in ("x86-64", "x86-64-v2", "x86-64-v3")}
TEXT = "once upon a time the big cat said: 42! 你好"


PAIRS = [
    ("i686", EMULATED["i686"].cpu, "i686-v2"),
    ("i686", "qemu32,+nx", "i686"),
    *((tag, cpu, best) for cpu, best in CPUS.items() for tag in CPUS.values() if tag <= best),
]


@pytest.mark.parametrize(("tag", "cpu", "best"), PAIRS)
def test_the_best_variant_is_used_and_right(
    machines: Machines, tag: str, cpu: str, best: str, tiny: TinyModel
) -> None:
    model = tiny("Q4_1", "bpe")
    guest = machines.boot(tag, image_of(tag, model), mem=256, cpu=cpu)
    assert codes(guest.events) == []
    boot, ready = (
        next(event for event in guest.events if isinstance(event, kind)) for kind in (Boot, Ready)
    )
    assert isinstance(boot, Boot) and isinstance(ready, Ready)
    assert boot.target == tag
    assert ready.variant == best
    found = score(guest, base64_of(TEXT))
    check_against_oracle(found, NumpyLlama(model).logits(found.ids), QUANTISED)
