"""SCons tool: the FAT16 partition with the model, and the disk image."""

from __future__ import annotations

from typing import Any

PROGRAMS = ("mkfs.vfat", "mcopy")  # make the partition; another version may make other bytes


def _fat_step(target: list[str], source: list[str], env: Any) -> None:
    from fluid import fat

    fat.build_fat_partition([(source[0], "MODEL.GGUF")], target[0])


def _no_model_step(target: list[str], source: list[str], env: Any) -> None:
    from fluid.errors import FluidError

    raise FluidError(
        "E-OPT-04",
        "a model was expected, found neither model= nor the package with the default one; run "
        "./sconsw, which installs it, or give model=FILE",
    )


def _image_step(target: list[str], source: list[str], env: Any) -> None:
    from fluid import image

    image.build_image(source[0], source[1], target[0])


def _image(env: Any, boot: Any) -> Any:
    """fluid.img: boot area and FAT16 partition."""
    model = env["FLUID_MODEL"]
    if model is None:
        partition = env.NoModel("$OUT/fat.img", [])
    else:
        file = env.File(str(model).replace("$", "$$"))  # SCons expands variables in names
        partition = env.FatPartition("$OUT/fat.img", file)
        # One that is not found is named by the step that needs it.
        found = [path for path in map(env.WhereIs, PROGRAMS) if path]
        env.Depends(partition, [env.File(path) for path in found])
    (image,) = env.DiskImage("$OUT/fluid.img", [boot, *partition])
    env.FluidNotShared(image)
    return image


def generate(env: Any) -> None:
    """Adds env.FluidImage."""
    env.PythonBuilder("FatPartition", "FAT16", ["fat"], _fat_step)
    env.PythonBuilder("NoModel", "FAT16", ["errors"], _no_model_step)
    env.PythonBuilder("DiskImage", "IMAGE", ["image"], _image_step)
    env.AddMethod(_image, "FluidImage")


def exists(env: Any) -> bool:
    """Needs nothing but Python; fluid_toolchain puts mkfs.vfat and mcopy in PATH."""
    return True
