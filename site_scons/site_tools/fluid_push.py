"""SCons tool: a module into an image's folder MODULES."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from fluid.errors import FluidError


def _push_step(target: Any, source: Any, env: Any) -> int:
    from fluid.module_push import push

    image = Path(env["image"] or source[0].abspath)
    try:
        name = push(Path(env["module"]), image)
    except FluidError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"  {name} is in {image.name}; the machine takes it at its next start or with /load")
    return 0


def _push(env: Any, alias: str, image: Any) -> Any:
    """Alias that puts `module=` into `image=`, else into the node `image`."""
    needed = [] if env["image"] else [image]
    return env.AlwaysBuild(env.Alias(alias, needed, env.Action(_push_step, "  PUSH    $module")))


def generate(env: Any) -> None:
    """Adds env.FluidPush."""
    env.AddMethod(_push, "FluidPush")


def exists(env: Any) -> bool:
    """Needs mtools, which the image needs, too."""
    return True
