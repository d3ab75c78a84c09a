"""cache=warm: an image is started in fluid-host until it has nothing more to decide about its code;
what its cache has then goes into the image that is built.

Keys tell processor and compiler: on other machines it is of no use, and does no harm.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from fluid import cache_image
from fluid.emulator import HOST
from fluid.hosted import machine_memory
from fluid.image import build_image
from fluid.machine import Machine
from fluid.progress import show_progress
from fluid.tier_bench import warm_up
from fluid.training import STEP_SECONDS

SIZE = 16  # MiB, of the partition
LIFE = 8 * STEP_SECONDS


def make(boot: str, partition: str, program: str, out: str, *, target: str, cores: int) -> None:
    """Writes the cache of a machine with this boot area and partition, which `program` runs, as
    cache-pull does. E-TIER-02 when nothing was decided."""
    folder = Path(out).parent
    with TemporaryDirectory(prefix="warm-", dir=folder) as scratch:
        image = Path(scratch, "warm.img")
        build_image(boot, partition, image, SIZE)
        memory = machine_memory(Path(partition).stat().st_size)
        with Machine(
            image,
            target=target,
            runner=HOST,
            emulator=program,
            writable=True,
            smp=cores,
            mem=memory,
            life=LIFE,
        ) as machine:
            warm_up(machine, "the image", True, show_progress)
        cache_image.pull(image, Path(out))
