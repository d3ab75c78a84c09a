"""Copies a module into the folder MODULES of an image, or of a disk with one.

E-MOD-01..27 the module is damaged, E-IMG-01..03 there is no FAT16 partition, 04 the image
cannot be written, E-FAT-51 it is full.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from fluid.errors import FluidError
from fluid.fat import copy_into
from fluid.files import replacing
from fluid.image import read_layout
from fluid.modread import read_mod

FOLDER = "MODULES"  # as in src/kernel/load/module_disk.h


def push(module: Path, image: Path) -> str:
    """Checks the module, then copies it as MODULES/<its name>.mod, in an older one's place; returns
    where it is. An image file is replaced as a whole or stays as it is; a device is written to."""
    name = f"{read_mod(module).name}.mod"
    lba = read_layout(image).fat16().lba
    try:
        if not image.is_file():
            copy_into(image, lba, module, FOLDER, name)
            return f"{FOLDER}/{name}"
        with replacing(image) as new:
            shutil.copyfile(image, new)
            copy_into(new, lba, module, FOLDER, name)
    except OSError as error:
        raise FluidError(
            "E-IMG-04", f"{image}: a writable image expected, with room for a copy beside it, "
            f"found: {error.strerror}; free space or take another"
        ) from error  # fmt: skip
    return f"{FOLDER}/{name}"
