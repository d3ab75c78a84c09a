"""Every target on CPUs that have exactly what a level is named for: which variant it picks, and
that this variant computes what the oracle says."""

from collections.abc import Callable

import pytest

from fluid.emulator import Ending
from fluid.event_types import Boot, Ready, Warn
from fluid.machine import Machine
from guests import Machines, TinyModel, codes
from matrix import Row, features, rows
from numpy_llama import NumpyLlama
from qemu_images import image_of
from test_catalogue import check_all
from test_score import EXACT, QUANTISED, base64_of, check_against_oracle, complete, score

TEXT = "once upon a time the big cat said: 42! 你好"
TOLERANCE = {"F32": EXACT, "F16": EXACT, "Q8_0": QUANTISED, "Q4_0": QUANTISED, "Q4_1": QUANTISED}
# In the quick set one with and one without integer dot products.
QUANTS = [
    pytest.param(quant, marks=[] if quant in ("F32", "Q4_1") else [pytest.mark.full])
    for quant in TOLERANCE
]

pytestmark = [pytest.mark.matrix, pytest.mark.parametrize("row", rows())]

Start = Callable[..., Machine]


@pytest.fixture
def start(
    row: Row, machines: Machines, tiny: TinyModel, record_property: Callable[[str, object], None]
) -> Start:
    """start(quant): the row's machine at its prompt; what it is stands in the table at the end."""

    def start(quant: str = "F32") -> Machine:
        record_property("matrix", [row.tag, row.cpu.runner, row.cpu.model, row.variant])
        image = image_of(row.tag, tiny(quant, "bpe"))
        return machines.boot(row.tag, image, **row.cpu.options())

    return start


def test_the_best_variant_is_chosen(row: Row, start: Start) -> None:
    guest = start()
    assert [event for event in guest.events if isinstance(event, Warn)] == []
    assert codes(guest.events) == []
    boot, ready = (
        next(event for event in guest.events if isinstance(event, kind)) for kind in (Boot, Ready)
    )
    assert isinstance(boot, Boot) and isinstance(ready, Ready)
    assert boot.target == row.tag
    assert features(row.variant) <= set(boot.features)
    assert ready.variant == row.variant


@pytest.mark.parametrize("quant", QUANTS)
def test_scores_equal_the_oracle(row: Row, start: Start, tiny: TinyModel, quant: str) -> None:
    guest = start(quant)
    found = score(guest, base64_of(TEXT))
    logits = NumpyLlama(tiny(quant, "bpe")).logits(found.ids)
    check_against_oracle(found, logits, TOLERANCE[quant])


def test_completions_equal_the_oracle(row: Row, start: Start, tiny: TinyModel) -> None:
    """Greedy: each token is what numpy finds most likely after those before."""
    guest, count = start(), 8
    prompt = score(guest, base64_of(TEXT)).ids
    tokens, done = complete(guest, count, base64_of(TEXT))
    assert (done.reason, len(tokens)) == ("length", count)
    ids = [*prompt, *(token.id for token in tokens)]
    greedy = NumpyLlama(tiny("F32", "bpe")).logits(ids).argmax(-1)
    assert ids[len(prompt) :] == list(greedy[len(prompt) - 1 : -1])


def test_benchmarks_equal_the_oracles(row: Row, start: Start) -> None:
    check_all(start(), row.tag)


def test_the_machine_checks_itself(row: Row, start: Start) -> None:
    guest = start()
    assert codes(guest.command("/selftest", 300)) == []


@pytest.mark.parametrize(("line", "ending"), [("/off", Ending.PASS), ("/reboot", Ending.RESET)])
def test_it_ends_as_asked(row: Row, start: Start, line: str, ending: Ending) -> None:
    guest = start()
    guest.send_line(line)
    assert guest.wait_end(60) is ending
    assert guest.events[-1].ev == "bye"
