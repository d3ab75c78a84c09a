"""Sampled stacks in the forms that other programs read, and as the tree of a flame graph.

Collapsed stacks, as flamegraph.pl and inferno read them: a line for each stack, functions outermost
first with ; between them, a blank, the count. What would end a function or a line there is written
as % and two hexadecimal digits.

Speedscope: https://github.com/jlfwong/speedscope, src/lib/file-format-spec.ts; one profile of type
"sampled" whose weights are samples (unit "none"): under -icount their time is no clock's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from fluid.hotness_types import Stack
from fluid.records import Json

SPEEDSCOPE_SCHEMA = "https://www.speedscope.app/file-format-schema.json"
_SPECIAL = re.compile(r"[%;\x00-\x1f\x7f\x85\u2028\u2029]")


def _folded_name(name: str) -> str:
    return _SPECIAL.sub(lambda m: "".join(f"%{byte:02X}" for byte in m[0].encode()), name)


def folded(stacks: Iterable[Stack]) -> str:
    """Collapsed stacks."""
    return "".join(f"{';'.join(map(_folded_name, s.functions))} {s.count}\n" for s in stacks)


def speedscope(stacks: Iterable[Stack], name: str) -> Json:
    """A file of one profile."""
    frames: dict[str, int] = {}
    samples, weights = [], []
    for stack in stacks:
        samples.append([frames.setdefault(f, len(frames)) for f in stack.functions])
        weights.append(stack.count)
    profile = {
        "type": "sampled",
        "name": name,
        "unit": "none",
        "startValue": 0,
        "endValue": sum(weights),
        "samples": samples,
        "weights": weights,
    }
    return {
        "$schema": SPEEDSCOPE_SCHEMA,
        "shared": {"frames": [{"name": frame} for frame in frames]},
        "profiles": [profile],
        "name": name,
        "activeProfileIndex": 0,
        "exporter": "Fluid OS",
    }


@dataclass
class Frame:
    """A function called by a certain stack of others."""

    id: str
    parent: str  # id of the caller; "" for the outermost
    name: str
    count: int  # samples that found it anywhere in their stack there
    own: int  # samples that found it innermost


def tree(stacks: Iterable[Stack]) -> list[Frame]:
    """Frames of a flame graph, callers before what they call."""
    found: dict[tuple[str, ...], Frame] = {}
    for stack in stacks:
        path: tuple[str, ...] = ()
        for name in stack.functions:
            parent = found[path].id if path else ""
            path = (*path, name)
            frame = found.setdefault(path, Frame(f"f{len(found)}", parent, name, 0, 0))
            frame.count += stack.count
        if path:
            found[path].own += stack.count
    return list(found.values())
