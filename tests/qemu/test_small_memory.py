"""A model of 1.1 billion weights in a machine of 512 MiB, with all of its context."""

from pathlib import Path

import pytest

from fluid.event_types import Speed
from fluid.synthetic import kind_of, write_synthetic
from guests import Machines, codes, said
from qemu_images import image_with
from test_errors import ready_of

CONTEXT = 2048
NEW = 32

pytestmark = [pytest.mark.full, pytest.mark.of_target("x86-64-v2")]


def of_2023(name: str, kind: str) -> str:
    """Quantizers of 2023 gave these matrices more bits, too: 461 MiB, as files that are still
    around have."""
    return "Q3_K" if "ffn_gate" in name or "ffn_up" in name else kind_of(name, kind)


TYPES = {"F16": kind_of, "Q8_0": of_2023}  # by what K and V become in 512 MiB


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same keys as in TYPES."""
    made = {}
    for kv, types in TYPES.items():
        model = tmp_path_factory.mktemp("tinyllama") / "q2_k.gguf"
        write_synthetic(model, "tinyllama", "Q2_K", lambda text: None, types=types)
        made[kv] = image_with("x86-64-v2", f"tinyllama-{kv}", [(model, "MODEL.GGUF")])
        model.unlink()
    return made


@pytest.mark.parametrize("kv", TYPES)
def test_tinyllama_runs_in_512_mib(machines: Machines, images: dict[str, Path], kv: str) -> None:
    guest = machines.boot("x86-64-v2", images[kv], mem=512)
    assert codes(guest.events) == []
    shown = said(guest, "/show")
    assert f"context        {CONTEXT} of the model's {CONTEXT} tokens" in shown
    assert f"K and V in {kv}" in shown
    [speed] = [e for e in guest.command(f"/speed 8 {NEW}", 900) if isinstance(e, Speed)]
    assert (speed.n_prompt, speed.n_new) == (8, NEW)
    ready = ready_of(guest)
    assert ready.mem_used <= ready.mem_total <= 512 << 20
    assert codes(guest.events) == []


# The file takes 412 MiB; 432 are enough for 224 positions.
@pytest.mark.parametrize(("mem", "code"), [(428, "E-MEM-02"), (256, "E-MEM-04")])
def test_a_machine_too_small_for_it_says_how_much_is_missing(
    machines: Machines, images: dict[str, Path], mem: int, code: str
) -> None:
    """The file fits and what a batch needs does not, or not even the file."""
    guest = machines.boot("x86-64-v2", images["F16"], mem=mem)
    assert codes(guest.events) == [code]
    assert ready_of(guest).model is None
