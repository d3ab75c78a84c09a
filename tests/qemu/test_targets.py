"""Every target on a CPU that has exactly what the target is named for: which variant it picks, and
that this variant computes what the oracle says."""

import pytest

from fluid.emulator import EMULATED
from fluid.event_types import Boot, Ready
from fluid.targets import TARGETS
from guests import Machines, TinyModel, codes
from numpy_llama import NumpyLlama
from qemu_images import image_of
from test_score import QUANTISED, base64_of, check_against_oracle, score

TEXT = "once upon a time the big cat said: 42! 你好"


@pytest.mark.parametrize("tag", list(EMULATED))
def test_the_highest_variant_is_used_and_right(
    machines: Machines, tag: str, tiny: TinyModel
) -> None:
    model = tiny("Q4_1", "bpe")
    guest = machines.boot(tag, image_of(tag, model), mem=256)
    assert codes(guest.events) == []
    boot, ready = (
        next(event for event in guest.events if isinstance(event, kind)) for kind in (Boot, Ready)
    )
    assert isinstance(boot, Boot) and isinstance(ready, Ready)
    assert boot.target == tag
    assert ready.variant == TARGETS[tag].variants[-1]
    found = score(guest, base64_of(TEXT))
    check_against_oracle(found, NumpyLlama(model).logits(found.ids), QUANTISED)


def test_a_v3_image_falls_back_on_older_cpus(machines: Machines, tiny: TinyModel) -> None:
    image = image_of("x86-64-v3", tiny("Q4_1", "bpe"))
    for cpu, variant in (("qemu64", "x86-64"), ("Nehalem", "x86-64-v2")):
        guest = machines.boot("x86-64-v3", image, mem=256, cpu=cpu)
        ready = [event for event in guest.events if isinstance(event, Ready)]
        assert [event.variant for event in ready] == [variant]
        assert codes(guest.events) == []  # a warning, and no error
