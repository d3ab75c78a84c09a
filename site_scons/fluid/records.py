"""Dataclasses as JSON objects: reading with strict checks of names and types, and JSON schemas.

A field without a default is required; an optional one is absent, never null, and a required one may
be null if its type says so. metadata {"least": number} narrows an integer, {"pattern": regular
expression} a string: in the schema, and on reading with {"strict": True}. A field whose name in
JSON is a keyword of Python has an underscore behind it.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, Literal, TypeVar

Json = dict[str, Any]
COUNT_MAX = 1 << 63  # what no machine counts to
T = TypeVar("T")


class EventError(ValueError):
    """A JSON value is not what it should be: what was expected and found."""


def no_constant(name: str) -> float:
    """For json.loads(parse_constant=): NaN and infinities are no JSON."""
    raise ValueError(f"a number expected, {name} found")


def from_object(data: object, cls: type[T], where: str) -> T:
    """The dataclass of one JSON object that is no event. EventError names the field `where`.x."""
    if not isinstance(data, dict):
        raise EventError(f"{where}: a JSON object expected, {type(data).__name__} found")
    return cls(**values(data, cls, where))


def values(data: Json, cls: type, where: str) -> Json:
    """Arguments for `cls`; fields that it does not know are left for the schema to notice."""
    found: Json = {}
    for field, hint, required, metadata in _layout(cls):
        name = _in_json(field)
        if name in data:
            found[field] = _convert(data[name], hint, f"{where}.{name}")
            _narrow(found[field], metadata, f"{where}.{name}")
        elif required:
            raise EventError(f"{where}: field {name!r} expected, not found")
    return found


def _narrow(value: object, metadata: Mapping[str, Any], where: str) -> None:
    least = metadata.get("least")
    if metadata.get("strict") and not re.fullmatch(metadata["pattern"], str(value)):
        raise EventError(f"{where}: {metadata['pattern']} expected, {value!r:.80} found")
    if least is not None and isinstance(value, int) and value < least:
        raise EventError(f"{where}: at least {least} expected, {value} found")


def object_schema(cls: type) -> Json:
    properties: Json = {}
    required = []
    for field, hint, needed, metadata in _layout(cls):
        name = _in_json(field)
        shape = _schema(hint if needed else _strip_none(hint))
        pattern = {"pattern": metadata["pattern"]} if "pattern" in metadata else {}
        least = {"minimum": metadata["least"]} if "least" in metadata else {}
        key = metadata.get("key", name)
        properties[key] = shape | pattern | least
        if needed:
            required.append(key)
    return {
        "type": "object",
        "description": (cls.__doc__ or "").strip(),
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _in_json(field: str) -> str:
    return field.removesuffix("_")


def _layout(cls: type) -> list[tuple[str, Any, bool, Mapping[str, Any]]]:
    """(name, type, required, metadata) of each field; `data` of an event is none."""
    hints = typing.get_type_hints(cls)
    return [
        (f.name, hints[f.name], f.default is MISSING, f.metadata)
        for f in fields(cls)
        if f.name != "data"
    ]


def _strip_none(hint: Any) -> Any:
    rest = [arg for arg in typing.get_args(hint) if arg is not types.NoneType]
    return rest[0] if rest else hint


def _convert(value: object, hint: Any, where: str) -> Any:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is types.UnionType:
        return None if value is None else _convert(value, _strip_none(hint), where)
    if origin is list and isinstance(value, list):
        return [_convert(item, args[0], f"{where}[{i}]") for i, item in enumerate(value)]
    if origin is tuple and isinstance(value, list) and len(value) == len(args):
        pairs = zip(value, args, strict=True)
        return tuple(_convert(item, arg, f"{where}[{i}]") for i, (item, arg) in enumerate(pairs))
    if origin is Literal and value in args:
        return value
    if is_dataclass(hint) and isinstance(hint, type):
        return from_object(value, hint, where)
    accepted: dict[Any, Callable[[Any], bool]] = {
        str: lambda v: isinstance(v, str) and _encodes(v),
        int: lambda v: isinstance(v, int) and not isinstance(v, bool),
        float: lambda v: isinstance(v, int | float) and not isinstance(v, bool),
    }
    if hint in accepted and accepted[hint](value):
        return float(value) if hint is float else value  # type: ignore[arg-type]
    name = getattr(hint, "__name__", hint) if origin is None else hint
    raise EventError(f"{where}: {name} expected, {value!r:.80} found")


def _encodes(text: str) -> bool:
    """JSON can tell of halves of a surrogate pair, UTF-8 cannot."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _schema(hint: Any) -> Json:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is types.UnionType:
        return {"anyOf": [_schema(arg) for arg in args]}
    if origin is list:
        return {"type": "array", "items": _schema(args[0])}
    if origin is tuple:
        return {
            "type": "array",
            "prefixItems": [_schema(arg) for arg in args],
            "minItems": len(args),
            "maxItems": len(args),
        }
    if origin is Literal:
        return {"enum": list(args)}
    if is_dataclass(hint) and isinstance(hint, type):
        return object_schema(hint)
    names = {str: "string", int: "integer", float: "number", types.NoneType: "null"}
    return {"type": names[hint]}
