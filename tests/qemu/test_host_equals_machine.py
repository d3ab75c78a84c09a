"""The same image in QEMU and in fluid-host: the same events, the same tokens, the same logits.

Both run the same modules, so nothing but the processor's description may differ.
"""

from pathlib import Path
from typing import Any

import pytest

from fluid.cpufeatures import LEVELS
from fluid.event_types import Boot, Error, Ready
from fluid.hosted import HOST_TESTED, can_link
from fluid.machine import Machine
from fluid.targets import TARGETS
from guests import Machines, TinyModel, names
from qemu_images import artifact, image_of
from qemu_models import RECORDED, recorded_golden, recorded_model
from test_score import TEXTS, base64_of, complete, score

MODELS = sorted(path.name for path in (RECORDED / "models").glob("*.gguf"))
TOKENS = 48


@pytest.fixture(params=HOST_TESTED)
def tested(request: pytest.FixtureRequest) -> str:
    """A target of each width; skips where fluid-host cannot be linked for it."""
    target = str(request.param)
    if not can_link("clang-19", TARGETS[target].host_triple):
        pytest.skip(f"no C library for {target} on this machine")
    return target


def both(machines: Machines, target: str, image: Path) -> tuple[Machine, Machine]:
    """The image at its prompt in QEMU and in fluid-host."""
    program = str(artifact(target, "fluid-host"))
    guest = machines.boot(target, image, mem=256)
    host = machines.boot(target, image, mem=256, runner="host", emulator=program)
    return guest, host


def variant_for(machine: Machine) -> str:
    """The highest variant of the image for the features that this machine's boot event names."""
    boot = next(event for event in machine.events if isinstance(event, Boot))
    variants = TARGETS[boot.target].variants
    return [tag for tag in variants if set(boot.features).issuperset(LEVELS[tag].features)][-1]


def check_boot(guest: Machine, host: Machine) -> None:
    """Events of the boot, but for what describes the processor, the memory and the time."""
    assert names(guest.events) == names(host.events)
    for one, other in zip(guest.events, host.events, strict=True):
        if isinstance(one, Boot) and isinstance(other, Boot):
            assert (one.build, one.target) == (other.build, other.target)
        elif isinstance(one, Ready) and isinstance(other, Ready):
            assert one.model == other.model
            assert (one.variant, other.variant) == (variant_for(guest), variant_for(host))
        else:
            assert one.data == other.data


def check_equal(guest: Machine, host: Machine, text: str, count: int = TOKENS) -> None:
    """Logits and tokens, bit for bit."""
    assert score(guest, base64_of(text)).data == score(host, base64_of(text)).data
    ours, theirs = (complete(machine, count, base64_of(text))[0] for machine in (host, guest))
    assert [token.data for token in ours] == [token.data for token in theirs]


@pytest.mark.parametrize(("quant", "tokenizer"), [("F32", "spm"), ("Q4_1", "bpe")])
def test_tiny_models(
    machines: Machines, tested: str, tiny: TinyModel, quant: str, tokenizer: str
) -> None:
    guest, host = both(machines, tested, image_of(tested, tiny(quant, tokenizer)))
    check_boot(guest, host)
    for text in TEXTS[:3]:
        check_equal(guest, host, text)


def test_stories(machines: Machines, tested: str) -> None:
    guest, host = both(machines, tested, image_of(tested, recorded_model("stories260K.gguf")))
    check_boot(guest, host)
    for run in recorded_golden("stories260K_greedy.json")["runs"][:3]:
        check_equal(guest, host, run["text"])


@pytest.mark.full
@pytest.mark.parametrize("name", MODELS)
def test_recorded_models(machines: Machines, tested: str, name: str) -> None:
    """All of them; what the engine refuses it refuses with the same words."""
    guest, host = both(machines, tested, image_of(tested, recorded_model(name)))
    check_boot(guest, host)
    errors: list[Any] = [event for event in host.events if isinstance(event, Error)]
    for text in TEXTS if not errors else []:
        check_equal(guest, host, text, 100)


def test_no_model(machines: Machines, tested: str) -> None:
    guest, host = both(machines, tested, image_of(tested, None))
    check_boot(guest, host)
