"""runner=auto: KVM when it really runs our code, otherwise TCG; for AVX-512, Bochs.

/dev/kvm can exist, open and even create a machine without running code well, so the answer comes
from a short boot of the image at hand. It is kept for this process only, never on disk.
"""

from __future__ import annotations

import os
from pathlib import Path

from fluid.emulator import BOCHS
from fluid.errors import FluidError
from fluid.event_types import Boot
from fluid.machine import Machine

PROBE_SECONDS = 2.0
BEYOND_TCG = "x86-64-v4"
KVM_DEVICE = "/dev/kvm"

_answers: dict[str, str] = {}  # by target


def tcg_can(target: str) -> bool:
    """Whether QEMU's TCG runs what is built for the target."""
    return target != BEYOND_TCG


def choose_runner(requested: str, image: Path, target: str) -> str:
    """The runner to use for a requested one, which is itself unless it is "auto"."""
    if requested != "auto":
        return requested
    if target not in _answers:
        emulator = "tcg" if tcg_can(target) else BOCHS
        _answers[target] = "kvm" if kvm_answers(image, target) else emulator
    return _answers[target]


def kvm_answers(
    image: Path, target: str, device: str = KVM_DEVICE, emulator: str | None = None
) -> bool:
    """True when a probe boot under KVM reaches its `boot` event within PROBE_SECONDS."""
    if not os.access(device, os.R_OK | os.W_OK):
        return False
    try:
        with Machine(image, target=target, runner="kvm", emulator=emulator) as machine:
            machine.wait_for(Boot, PROBE_SECONDS)
    except FluidError:
        return False
    return True
