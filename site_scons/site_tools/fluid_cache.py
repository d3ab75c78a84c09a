"""SCons tool: the cache partition of an image, shown, pulled to a file, pushed from one."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


def _step(work: Callable[[Path, Path], str], built: str) -> Callable[..., int]:
    """An action that does something with an image, `built` or image=, and a file, and says what."""

    def run(target: Any, source: Any, env: Any) -> int:
        from fluid.errors import FluidError

        image = Path(env["image"] or built)
        try:
            print(work(image, Path(env["cachefile"] or env.subst("$OUT/cache.bin"))))
        except FluidError as error:
            print(error, file=sys.stderr)
            return 1
        return 0

    return run


def _show(image: Path, _: Path) -> str:
    from fluid.cache_image import show

    return show(image)


def _pull(image: Path, file: Path) -> str:
    from fluid.cache_image import pull

    pull(image, file)
    return f"  the cache of {image.name} is in {file}"


def _push(image: Path, file: Path) -> str:
    from fluid.cache_image import push

    push(file, image)
    return f"  {image.name} has the cache of {file}"


def _cache(env: Any, image: Any) -> None:
    """Aliases for the partition of `image=`, else of the node `image`. What is read must not be
    built anew before: a new image has an empty cache. Where they are asked for."""
    for alias, work in (("cache-show", _show), ("cache-pull", _pull), ("cache-push", _push)):
        if alias not in env["FLUID_GOALS"]:
            continue
        needed = [image] if work is _push and not env["image"] else []
        step = env.Action(_step(work, image.abspath), None)
        env.AlwaysBuild(env.Alias(alias, needed, step))


def generate(env: Any) -> None:
    """Adds env.FluidCache."""
    env.AddMethod(_cache, "FluidCache")


def exists(env: Any) -> bool:
    """Needs nothing but Python."""
    return True
