"""Disk images for tests: the built boot area with a FAT16 partition of the test's own files.

Images are kept in build/test-images/ under a name that contains a hash of their content, so that
an unchanged one is not made again and an outdated one is removed.
"""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from fluid import bootarea
from fluid.coverage import FOLDER
from fluid.fat import build_fat_partition
from fluid.hosted import output_folder
from fluid.image import build_image
from fluid.kernelfile import KernelShape
from fluid.manifest import BLOB_KERNEL
from fluid.targets import TARGETS

TOP = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("FLUID_BUILD", TOP / "build"))
IMAGES = BUILD / "test-images"
KEY_DIGITS = 16

Files = Sequence[tuple[Path, str]]  # (path, name in the image)


def artifact(target: str, name: str) -> Path:
    """A file that the build made for a target."""
    counted = FOLDER in os.environ and target in TARGETS
    path = BUILD / (output_folder(target, "coverage") if counted else target) / name
    if not path.is_file():
        pytest.fail(f"{path} expected, none found; run: scons target={target}", pytrace=False)
    return path


def boot_area(target: str, registry: bytes, out: Path) -> Path:
    """The built boot area with another registry."""
    return repacked(artifact(target, "boot.bin"), registry, out)


def repacked(boot: Path, registry: bytes, out: Path) -> Path:
    """A boot area with another registry."""
    area = bootarea.read_area(boot)
    kernel = next(blob for blob in area.manifest.blobs if blob.kind == BLOB_KERNEL)
    shape = KernelShape(kernel.load, area.manifest.kernel_entry, len(area.kernel), kernel.mem_size)
    out.write_bytes(
        bootarea.pack(area.stage1, area.stage2, area.kernel, shape, area.ksyms, registry)
    )
    return out


def content_key(paths: Sequence[Path], names: Sequence[str]) -> str:
    """Identifies contents and names."""
    state = hashlib.sha256(repr(list(names)).encode())
    for path in paths:
        with path.open("rb") as file:
            state.update(hashlib.file_digest(file, "sha256").digest())
    return state.hexdigest()[:KEY_DIGITS]


def image_with(target: str, label: str, files: Files) -> Path:
    """An image whose partition holds these files; label names it for people."""
    boot = artifact(target, "boot.bin")
    key = content_key([boot, *(path for path, _ in files)], [name for _, name in files])
    image = IMAGES / f"{label}-{target}-{key}.img"
    if image.is_file():
        return image
    IMAGES.mkdir(parents=True, exist_ok=True)
    for outdated in IMAGES.glob(f"{label}-{target}-{'[0-9a-f]' * KEY_DIGITS}.img"):
        outdated.unlink(missing_ok=True)
    fresh = image.with_suffix(f".{os.getpid()}.new")  # others may make the same one now
    partition = image.with_suffix(f".{os.getpid()}.fat")
    build_fat_partition(files, partition)
    build_image(boot, partition, fresh)
    partition.unlink()
    fresh.replace(image)
    return image


def image_of(target: str, model: Path | None) -> Path:
    """An image with this model, or without one."""
    if model is None:
        return image_with(target, "no-model", [])
    return image_with(target, model.stem, [(model, "MODEL.GGUF")])
