"""cache=warm: an image is started in fluid-host until it has nothing more to decide about its code;
what its cache has then goes into the image that is built.

Keys tell processor and compiler: on other machines it is of no use, and does no harm.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from fluid import cache_image
from fluid.image import build_image
from fluid.machine import Machine
from fluid.options import CACHE_SIZE
from fluid.progress import show_progress
from fluid.tier_machine import machine_options, warm_up


def make(boot: str, partition: str, program: str, out: str, *, target: str, cores: int) -> None:
    """Writes the cache of a machine with this boot area and partition, which `program` runs, as
    cache-pull does. E-TIER-02 when nothing was decided."""
    folder = Path(out).parent
    with TemporaryDirectory(prefix="warm-", dir=folder) as scratch:
        image = Path(scratch, "warm.img")
        build_image(boot, partition, image, int(CACHE_SIZE))
        options = machine_options(target, cores, Path(partition).stat().st_size)
        with Machine(image, writable=True, emulator=program, **options) as machine:
            warm_up(machine, "the image", True, show_progress)
        cache_image.pull(image, Path(out))
