"""SCons tool: cachedir=, a folder of build products that a team or a CI fleet shares, and a
compiler cache, launcher=. Everything but the image is shared: it is as large as its model."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from SCons.CacheDir import CacheDir

from fluid import cachecheck


class SealedCacheDir(CacheDir):
    """SCons' cache, with a digest that is checked before an entry is used."""

    @classmethod
    def copy_to_cache(cls, env: Any, src: str, dst: str) -> str:
        """`dst` lies in a temporary folder beside the place that it will be moved to."""
        result: str = super().copy_to_cache(env, src, dst)
        cachecheck.seal(Path(dst), Path(dst).parent.parent / Path(dst).name)
        return result

    def retrieve(self, node: Any) -> bool:
        """Takes a node from the cache, unless its entry is damaged."""
        self._reject_unsound(node)
        return bool(super().retrieve(node))

    def push(self, node: Any) -> Any:
        """Puts a node into the cache, also where a damaged entry of it lies: of a step with several
        products only the first may have been looked for."""
        self._reject_unsound(node)
        return super().push(node)

    def _reject_unsound(self, node: Any) -> None:
        if not self.is_enabled():
            return
        _, entry = self.cachepath(node)
        problem = cachecheck.reject_unsound(Path(entry))
        if problem:
            print(
                f"warning E-CDIR-01 cachedir entry of {node}: {problem}; it is made again",
                file=sys.stderr,
            )


def _share(env: Any, image: Any) -> None:
    """The image is never put into the cache."""
    env.NoCache(image)


def generate(env: Any) -> None:
    """Switches the cache on; puts the launcher before the compiler, outside of signatures."""
    if env["cachedir"]:
        try:
            Path(env["cachedir"]).mkdir(exist_ok=True)
        except OSError as error:
            print(
                f"E-OPT-02 cachedir={env['cachedir']}: a folder that can be made expected, found: "
                f"{error.strerror}",
                file=sys.stderr,
            )
            sys.exit(2)
        env.CacheDir(env["cachedir"], SealedCacheDir)
    if env["launcher"]:
        env["CCCOM"] = env["CXXCOM"] = env["ASPPCOM"] = f"$( $launcher $) {env['CCCOM']}"
    env.AddMethod(_share, "FluidNotShared")


def exists(env: Any) -> bool:
    """Part of SCons."""
    return True
