"""SCons tool: documents that are generated from tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

SOURCES = ["#site_scons/fluid/error_catalogue.toml", "#site_scons/fluid/error_docs.py"]


def _write_errors(target: Any, source: Any, env: Any) -> None:
    from fluid.error_docs import load, markdown

    Path(str(target[0])).write_text(markdown(load(Path(str(source[0])))), encoding="utf-8")


def _write_schema(target: Any, source: Any, env: Any) -> None:
    from fluid.canonical import canonical_json
    from fluid.event_types import json_schema

    Path(str(target[0])).write_bytes(canonical_json(json_schema()))


def _docs(env: Any, alias: str) -> Any:
    """Alias that writes build/event_schema.json, and docs/errors.md: it is committed, so -c leaves
    it alone."""
    action = env.Action(_write_errors, "  DOCS    docs/errors.md")
    document = env.Command("#docs/errors.md", SOURCES, action)
    env.NoClean(document)
    write = env.Action(_write_schema, "  DOCS    $TARGET")
    schema = env.Command("#build/event_schema.json", "#site_scons/fluid/event_types.py", write)
    return env.Alias(alias, [document, schema])


def generate(env: Any) -> None:
    """Adds env.FluidDocs."""
    env.AddMethod(_docs, "FluidDocs")


def exists(env: Any) -> bool:
    """Needs nothing."""
    return True
