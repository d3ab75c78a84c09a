"""SCons tool: the FAT16 partition with the model, and the disk image."""

from __future__ import annotations

from typing import Any

from fluid.hosted import PROGRAM
from fluid.options import CACHE_SIZE, WARM

IMAGE = "$OUT/fluid.img"
PROGRAMS = ("mkfs.vfat", "mcopy")  # make the partition; another version may make other bytes
JIT = "build/jit/jit.elf"  # as fluid.jit has it; of its imports most builds need none


def _fat_step(target: list[str], source: list[str], env: Any) -> None:
    from fluid import fat

    names = ("MODEL.GGUF", "JIT.ELF")  # the second with jit=1
    fat.build_fat_partition(list(zip(source, names, strict=False)), target[0])


def _no_model_step(target: list[str], source: list[str], env: Any) -> None:
    from fluid.errors import FluidError

    raise FluidError(
        "E-OPT-04",
        "a model was expected, found neither model= nor the package with the default one; run "
        "./sconsw, which installs it, or give model=FILE",
    )


def _image_step(target: list[str], source: list[str], env: Any) -> None:
    from fluid import image

    image.build_image(source[0], source[1], target[0], int(env["cache"]))


def _warm_image_step(target: list[str], source: list[str], env: Any) -> None:
    from fluid import cache_image, image

    image.build_image(source[0], source[1], target[0], cache_image.check(source[2]))


def _warm_cache_step(target: list[str], source: list[str], env: Any) -> None:
    from fluid import cache_warm
    from fluid.emulator import HOST
    from fluid.options import processors

    boot, partition, program = source
    machine, cores = env["FLUID_TARGET"].emulated, processors(env["smp"], HOST, "run")
    cache_warm.make(boot, partition, program, target[0], target=machine, cores=cores)


def _image(env: Any, boot: Any) -> Any:
    """fluid.img: boot area and FAT16 partition, with the compiler where jit=1."""
    model = env["FLUID_MODEL"]
    if model is None:
        return _disk(env, boot, env.NoModel("$OUT/fat.img", []), IMAGE)
    # SCons expands variables in names.
    file = env.File(str(model).replace("$", "$$"))
    return env.FluidImageWith(boot, file, "$OUT/fat.img", IMAGE)


def _image_with(env: Any, boot: Any, model: Any, fat: str, image: str) -> Any:
    """The image `image` with the model of that node, whose partition is `fat`."""
    compiler = [env.File(f"#{JIT}")] if env["jit"] == "1" else []
    partition = env.FatPartition(fat, [model, *compiler])
    # One that is not found is named by the step that needs it.
    found = [path for path in map(env.WhereIs, PROGRAMS) if path]
    env.Depends(partition, [env.File(path) for path in found])
    return _disk(env, boot, partition, image)


def _disk(env: Any, boot: Any, partition: Any, path: str) -> Any:
    cache, parts = env["cache"], [boot, *partition]
    if cache == WARM and (path != IMAGE or env["check"] != "none"):
        (image,) = env.Override({"cache": CACHE_SIZE}).DiskImage(path, parts)  # one to measure with
    elif cache == WARM:
        made = env.WarmCache("$OUT/warm.bin", [*parts, f"$OUT/{PROGRAM}"])
        env.FluidAlone(made, [])
        (image,) = env.WarmDiskImage(path, [*parts, *made])
    elif cache.isdigit():
        (image,) = env.DiskImage(path, parts)
    else:
        (image,) = env.WarmDiskImage(path, [*parts, env.File(cache.replace("$", "$$"))])
    env.FluidNotShared(image)
    return image


def generate(env: Any) -> None:
    """Adds env.FluidImage and env.FluidImageWith."""
    env.PythonBuilder("FatPartition", "FAT16", ["fat"], _fat_step)
    env.PythonBuilder("NoModel", "FAT16", ["errors"], _no_model_step)
    env.PythonBuilder("DiskImage", "IMAGE", ["image"], _image_step, ["cache"])
    env.PythonBuilder(
        "WarmCache", "WARM", ["emulator", "options", "cache_warm"], _warm_cache_step, ["smp"]
    )
    env.PythonBuilder("WarmDiskImage", "IMAGE", ["cache_image", "image"], _warm_image_step)
    env.AddMethod(_image, "FluidImage")
    env.AddMethod(_image_with, "FluidImageWith")


def exists(env: Any) -> bool:
    """Needs nothing but Python; fluid_toolchain puts mkfs.vfat and mcopy in PATH."""
    return True
