"""SCons tool: the FAT16 partition with the model, and the disk image."""

from __future__ import annotations

from typing import Any

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


def _image(env: Any, boot: Any) -> Any:
    """fluid.img: boot area and FAT16 partition, with the compiler where jit=1."""
    model = env["FLUID_MODEL"]
    if model is None:
        return _disk(env, boot, env.NoModel("$OUT/fat.img", []), "$OUT/fluid.img")
    # SCons expands variables in names.
    file = env.File(str(model).replace("$", "$$"))
    return env.FluidImageWith(boot, file, "$OUT/fat.img", "$OUT/fluid.img")


def _image_with(env: Any, boot: Any, model: Any, fat: str, image: str) -> Any:
    """The image `image` with the model of that node, whose partition is `fat`."""
    compiler = [env.File(f"#{JIT}")] if env["jit"] == "1" else []
    partition = env.FatPartition(fat, [model, *compiler])
    # One that is not found is named by the step that needs it.
    found = [path for path in map(env.WhereIs, PROGRAMS) if path]
    env.Depends(partition, [env.File(path) for path in found])
    return _disk(env, boot, partition, image)


def _disk(env: Any, boot: Any, partition: Any, path: str) -> Any:
    cache = env["cache"]
    if cache.isdigit():
        (image,) = env.DiskImage(path, [boot, *partition])
    else:
        file = env.File(cache.replace("$", "$$"))
        (image,) = env.WarmDiskImage(path, [boot, *partition, file])
    env.FluidNotShared(image)
    return image


def generate(env: Any) -> None:
    """Adds env.FluidImage and env.FluidImageWith."""
    env.PythonBuilder("FatPartition", "FAT16", ["fat"], _fat_step)
    env.PythonBuilder("NoModel", "FAT16", ["errors"], _no_model_step)
    env.PythonBuilder("DiskImage", "IMAGE", ["image"], _image_step, ["cache"])
    env.PythonBuilder("WarmDiskImage", "IMAGE", ["cache_image", "image"], _warm_image_step)
    env.AddMethod(_image, "FluidImage")
    env.AddMethod(_image_with, "FluidImageWith")


def exists(env: Any) -> bool:
    """Needs nothing but Python; fluid_toolchain puts mkfs.vfat and mcopy in PATH."""
    return True
