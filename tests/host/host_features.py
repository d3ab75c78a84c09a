"""What the processor of this machine can execute."""

from fluid.cpu import load_profile
from fluid.cpu_scan import LINUX, PROC, linux_says, processors
from hostcc import ROOT


def features(tag: str) -> tuple[str, ...]:
    """What code for a CPU tag may use."""
    return load_profile(ROOT / f"profiles/cpu/{tag}.json").features


def lacking(tag: str) -> list[str]:
    """Features of a tag that this machine has not, by Linux' names."""
    here = linux_says(processors(PROC.read_text(encoding="utf-8")))
    return [LINUX[name] for name in features(tag) if LINUX[name] not in here]
