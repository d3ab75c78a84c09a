"""CPU profiles: which instructions code made for one tag may use.

A profile (profiles/cpu/<tag>.json, or one that `scons profile-cpu` made) names features one by one,
never `native`, so that everything made from it means the same on every machine. Its form is
cpu_schema.json; cpu_check.py refuses what else there is to refuse.

E-CPU-20 not a profile, 21 a variant without one. (Codes below 20 belong to the kernel.)
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from fluid.canonical import canonical_json
from fluid.cpu_check import PROFILE_SCHEMA, checked, parse
from fluid.cpufeatures import LEVELS, highest_level, ordered
from fluid.errors import FluidError
from fluid.files import write_atomic
from fluid.targets import Target

TAG_DIGITS = 5  # of the digest in image_tag: "x86-64-v4-0a1b2" just fits into struct mod_header


@dataclass(frozen=True)
class Processor:
    """What is known of a machine. None: unknown. Decides about no instruction."""

    vendor: str | None = None
    family: int | None = None
    model: int | None = None
    cores: int | None = None
    l1d: int | None = None  # bytes of one cache, like l2 and l3
    l2: int | None = None
    l3: int | None = None
    line: int | None = None  # bytes of a cache line


@dataclass(frozen=True)
class CpuProfile:
    """`march` is the compiler's baseline, `features` come on top, in the order of FEATURES."""

    tag: str
    march: str
    features: tuple[str, ...]
    processor: Processor | None = None

    def compiler_flags(self) -> list[str]:
        """Flags that select exactly this instruction set; tuned for no particular CPU."""
        return [f"-march={self.march}", "-mtune=generic", *(f"-m{name}" for name in self.features)]

    @property
    def level(self) -> str:
        """Tag of the highest level that this profile contains."""
        level = highest_level(self.march, self.features)
        assert level is not None, "checked() refuses a profile below the lowest level"
        return level

    @property
    def image_tag(self) -> str:
        """What an image says of itself: a level, with a digest of the features where they go
        beyond it. So profiles of equal features make equal images, whatever their names."""
        if self.features == LEVELS[self.level].features:
            return self.level
        digest = hashlib.sha256(" ".join(self.features).encode()).hexdigest()
        return f"{self.level}-{digest[:TAG_DIGITS]}"

    def to_dict(self) -> dict[str, Any]:
        """The content of the profile's file."""
        content: dict[str, Any] = {
            "schema": PROFILE_SCHEMA,
            "tag": self.tag,
            "march": self.march,
            "features": list(self.features),
        }
        if self.processor is not None:
            known = asdict(self.processor).items()
            content["processor"] = {key: value for key, value in known if value is not None}
        return content


def profile_from_dict(data: Any, where: str) -> CpuProfile:
    """Profile from its JSON form; `where` names it in E-CPU-20, raised when it is not one."""
    data = checked(data, where)
    processor = Processor(**data["processor"]) if "processor" in data else None
    return CpuProfile(data["tag"], data["march"], ordered(data["features"]), processor)


def load_profile(path: Path | str) -> CpuProfile:
    """Profile from a file."""
    return profile_from_dict(parse(Path(path)), str(path))


def write_target_profile(target: Target, profiles: Sequence[Path | str], path: Path | str) -> None:
    """Writes cpu_profile.json: the profiles of all that is compiled, in target.profiles' order."""
    loaded = [
        replace(load_profile(file), tag=tag).to_dict()
        for file, tag in zip(profiles, target.profiles, strict=True)
    ]
    content = {"schema": 1, "target": target.tag, "kernel": target.base, "host": target.lowest}
    write_atomic(path, canonical_json({**content, "profiles": loaded}))


def read_target_profile(path: Path | str, tag: str) -> CpuProfile:
    """The profile `tag` out of cpu_profile.json."""
    data = json.loads(Path(path).read_text(encoding="utf-8"))
    for profile in data["profiles"]:
        if profile["tag"] == tag:
            return profile_from_dict(profile, str(path))
    found = ", ".join(profile["tag"] for profile in data["profiles"])
    raise FluidError("E-CPU-21", f"{path}: profile {tag} expected, found {found}; build again")
