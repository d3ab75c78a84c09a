"""Targets that are no level: the machine of a CPU profile, which is a file or the one we build on.

The kernel is compiled for the highest level that the profile contains, so that the image boots on
every machine of that level; tensor modules exist for the level and, ranked above, for all of the
profile's features. What an image says of itself follows from the features alone: `target=native`
and the same features in a file make the same image, bit for bit. A profile of exactly a level makes
that level's image.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from fluid.cpu import CpuProfile, load_profile
from fluid.emulator import EMULATED
from fluid.targets import NATIVE, TARGETS, Target

NATIVE_PROFILE = "build/cpu/native.json"


def custom_target(profile: CpuProfile, file: str, folder: str) -> Target:
    """The target of a profile that lies in `file`; its products go to build/<folder>/."""
    level, tag = profile.level, profile.image_tag
    if tag in TARGETS:
        return replace(TARGETS[tag], folder=folder)
    return replace(
        TARGETS[profile.march],
        tag=tag,
        variants=tuple(dict.fromkeys((level, tag))),
        folder=folder,
        emulated=level if level in EMULATED else profile.march,
        own_profile=file,
    )


def target_of_file(path: Path) -> Target:
    """The target of a profile; E-CPU-20 when the file is none. Its folder has the profile's tag."""
    profile = load_profile(path)
    return custom_target(profile, str(path), profile.tag)


def native_target(path: Path) -> Target:
    """The target of the building machine, whose profile was stored at `path`."""
    return custom_target(load_profile(path), str(path), NATIVE)
