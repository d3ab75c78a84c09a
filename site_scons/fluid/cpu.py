"""CPU profiles: which instructions code made for one tag may use.

A profile (profiles/cpu/<tag>.json) names features one by one, never `native`, so that everything
made from it means the same on every machine. The feature names are those of cpufeatures.py.

E-CPU-20 not a profile, 21 a variant without one. (Codes below 20 belong to the kernel.)
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fluid.canonical import canonical_json
from fluid.cpufeatures import feature_bits
from fluid.errors import FluidError
from fluid.files import write_atomic
from fluid.targets import Target

PROFILE_SCHEMA = 1


@dataclass(frozen=True)
class CpuProfile:
    """`march` is the compiler's baseline, `features` come on top."""

    tag: str
    march: str
    features: tuple[str, ...]

    def compiler_flags(self) -> list[str]:
        """Flags that select exactly this instruction set; tuned for no particular CPU."""
        return [f"-march={self.march}", "-mtune=generic", *(f"-m{name}" for name in self.features)]

    def to_dict(self) -> dict[str, Any]:
        """The content of profiles/cpu/<tag>.json."""
        return {
            "schema": PROFILE_SCHEMA,
            "tag": self.tag,
            "march": self.march,
            "features": list(self.features),
        }


def profile_from_dict(data: Any, where: str) -> CpuProfile:
    """Profile from its JSON form; `where` names it in E-CPU-20, raised when it is not one."""
    try:
        if data["schema"] != PROFILE_SCHEMA:
            raise ValueError(f"schema {PROFILE_SCHEMA} expected, {data['schema']} found")
        profile = CpuProfile(str(data["tag"]), str(data["march"]), tuple(data["features"]))
        feature_bits(profile.features)
    except (ValueError, KeyError, TypeError, FluidError) as error:
        raise FluidError(
            "E-CPU-20", f"{where}: a CPU profile expected, found otherwise ({error}); mend the file"
        ) from error
    return profile


def load_profile(path: Path | str) -> CpuProfile:
    """Profile from a file."""
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise FluidError(
            "E-CPU-20", f"{path}: JSON expected, found otherwise ({error}); mend the file"
        ) from error
    return profile_from_dict(data, str(path))


def write_target_profile(target: Target, profiles: Sequence[Path | str], path: Path | str) -> None:
    """Writes cpu_profile.json: the profiles of all that is compiled, in target.profiles' order."""
    loaded = [load_profile(p).to_dict() for p in profiles]
    content = {"schema": 1, "target": target.tag, "kernel": target.tag, "host": target.lowest}
    write_atomic(path, canonical_json({**content, "profiles": loaded}))


def read_target_profile(path: Path | str, tag: str) -> CpuProfile:
    """The profile `tag` out of cpu_profile.json."""
    data = json.loads(Path(path).read_text(encoding="utf-8"))
    for profile in data["profiles"]:
        if profile["tag"] == tag:
            return profile_from_dict(profile, str(path))
    found = ", ".join(profile["tag"] for profile in data["profiles"])
    raise FluidError("E-CPU-21", f"{path}: profile {tag} expected, found {found}; build again")
