"""What makes a JSON file a CPU profile: its form (cpu_schema.json), and that its parts agree.

Everything is refused as E-CPU-20 with the file, the path of the key ($.features[3]), what was
expected there and what was found.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from fluid.cpufeatures import LEVELS, implied
from fluid.errors import FluidError

PROFILE_SCHEMA = 1
SCHEMA_FILE = Path(__file__).with_name("cpu_schema.json")
SIZE_MAX = 65536  # bytes of a profile; one with everything in it has 800
SHOWN = 60  # characters of what was found

# Folders below build/ that a tag must not be taken for: other products, instrumented builds.
RESERVED = (
    *("cpu", "event_schema.json", "fuzz", "host", "junit", "matrix", "native", "test-images"),
)
RESERVED_ENDS = ("-address", "-coverage")


def _refuse(where: str, path: str, expected: str, found: str) -> NoReturn:
    shown = found if len(found) <= SHOWN else found[: SHOWN - 3] + "..."
    raise FluidError(
        "E-CPU-20", f"{where}: {path}: {expected} expected, found {shown}; mend the file"
    )


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"key {key[:SHOWN]!r} twice")
        found[key] = value
    return found


def parse(path: Path) -> Any:
    """The JSON value in a file."""
    try:
        with path.open("rb") as file:
            content = file.read(SIZE_MAX + 1)
    except OSError as error:
        _refuse(str(path), "$", "a readable file", error.strerror or type(error).__name__)
    if len(content) > SIZE_MAX:
        _refuse(str(path), "$", f"a file of at most {SIZE_MAX} bytes", "more")
    try:
        text = content.decode("utf-8")
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        _refuse(str(path), "$", "JSON", str(error))


@cache
def _validator() -> Any:
    import jsonschema  # takes a while: a build that loads no profile does without

    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    return jsonschema.Draft202012Validator(schema)


def _say(value: Any) -> str:
    return json.dumps(value)


def _expectation(problem: Any) -> tuple[str, str, str]:
    """(path, expected, found) of a jsonschema.ValidationError."""
    path, limit, found = problem.json_path, problem.validator_value, problem.instance
    match problem.validator:
        case "required":
            missing = next(key for key in limit if key not in found)
            return f"{path}.{missing}", "this key", "none"
        case "additionalProperties":
            known = problem.schema["properties"]
            unknown = next(key for key in found if key not in known)
            return path, f"no key but {' '.join(known)}", _say(unknown)
        case "uniqueItems":
            twice = next(n for n, item in enumerate(found) if item in found[:n])
            return f"{path}[{twice}]", "each feature once", f"{_say(found[twice])} again"
        case "enum":
            return path, f"one of {' '.join(str(value) for value in limit)}", _say(found)
        case "const":
            return path, _say(limit), _say(found)
        case "type":
            return path, f"{'an' if limit[0] in 'aio' else 'a'} {limit}", _say(found)
        case "pattern":
            return path, f"a text that matches {limit}", _say(found)
        case "minimum":
            return path, f"at least {limit}", _say(found)
        case _:
            return path, f"{problem.validator} {_say(limit)}", _say(found)


def _check_tag(where: str, tag: str, march: str, features: Sequence[str]) -> None:
    """A tag that is a level has its features; any other names a folder that is nobody's."""
    if tag in RESERVED or tag.endswith(RESERVED_ENDS):
        _refuse(where, "$.tag", "a name that has no other meaning below build/", _say(tag))
    level = LEVELS.get(tag)
    if level is None:
        return
    if march != level.march:
        _refuse(where, "$.march", f"{level.march} with tag {tag}", _say(march))
    missing = [name for name in level.features if name not in features]
    if missing:
        _refuse(where, "$.features", f"{' '.join(missing)} too with tag {tag}", "none of it")
    for number, name in enumerate(features):
        if name not in level.features:
            expected = f"no feature beyond {tag}, or a tag of its own,"
            _refuse(where, f"$.features[{number}]", expected, _say(name))


def checked(data: Any, where: str) -> Any:
    """The value when it is a profile; `where` names it in the refusal."""
    try:
        problems = sorted(_validator().iter_errors(data), key=lambda problem: problem.json_path)
    except RecursionError:
        _refuse(where, "$", "a profile", "values within values without end")
    if problems:
        _refuse(where, *_expectation(problems[0]))
    march, features = data["march"], data["features"]
    for number, name in enumerate(features):
        missing = [other for other in implied(name) if other not in features]
        if missing:
            expected = f"{' '.join(missing)} too, which {name} brings along,"
            _refuse(where, f"$.features[{number}]", expected, _say(name))
    lowest = LEVELS[march]
    missing = [name for name in lowest.features if name not in features]
    if missing:
        expected = f"{' '.join(missing)} too, as every image needs,"
        _refuse(where, "$.features", expected, _say(features))
    _check_tag(where, data["tag"], march, features)
    return data
