"""cache=warm: the cache of an image that a machine has used before it is built (fluid-host)."""

from __future__ import annotations

from pathlib import Path

import pytest

from fluid import cache_image, cache_warm, modfile, registry
from fluid.errors import FluidError
from fluid.fat import build_fat_partition
from fluid.image import build_image
from host_machine import hosts_of
from models import make_tiny
from qemu_images import artifact, boot_area
from tier_images import TARGET, modules, real_compiler, run, slow

SLOW = ("tensor_act", "tensor_q8_0")


def test_an_image_is_warm_when_it_is_built(tmp_path: Path) -> None:
    """Its first start begins with the code that another one has made."""
    model = make_tiny(tmp_path / "tiny.gguf", quant="Q8_0", tokenizer="bpe", ctx=1024)
    content = registry.pack([modfile.pack(m) for m in modules([slow(tmp_path, n) for n in SLOW])])
    boot = boot_area(TARGET, content, tmp_path / "boot.bin")
    fat, out = tmp_path / "fat.img", tmp_path / "warm.bin"
    build_fat_partition([(model, "MODEL.GGUF"), (real_compiler(), "JIT.ELF")], fat)
    program = artifact(TARGET, "fluid-host")
    cache_warm.make(str(boot), str(fat), str(program), str(out), target=TARGET, cores=1)
    image = tmp_path / "image.img"
    build_image(boot, fat, image, cache_image.check(out))
    with hosts_of((TARGET, "none")) as machines:
        found = run(machines, image, 1)
    assert found.keys("hit") and "cached" in found.before


def test_a_machine_that_compiles_nothing(tmp_path: Path) -> None:
    """E-TIER-02, and no file."""
    model = make_tiny(tmp_path / "tiny.gguf", quant="Q8_0", tokenizer="bpe", ctx=1024)
    fat, out = tmp_path / "fat.img", tmp_path / "warm.bin"
    build_fat_partition([(model, "MODEL.GGUF")], fat)
    parts = (str(artifact(TARGET, "boot.bin")), str(fat), str(artifact(TARGET, "fluid-host")))
    with pytest.raises(FluidError, match="E-TIER-02"):
        cache_warm.make(*parts, str(out), target=TARGET, cores=1)
    assert not out.exists()
