"""Console events: framing, types, and the schema derived from them."""

import json
import sys
from typing import Any

import jsonschema
import pytest

from fluid import event_types
from fluid.event_types import (
    EVENTS,
    Prompt,
    Ready,
    Score,
    Token,
    from_json,
    json_schema,
)
from fluid.events import RECORD_MAX, EventStream, Item, Malformed, Text
from fluid.records import EventError

EXAMPLES: list[dict[str, Any]] = [
    {
        "ev": "boot",
        "build": "0f" * 16,
        "target": "i686",
        "cpu": "QEMU",
        "features": ["sse", "sse2"],
        "cores": 1,
    },
    {
        "ev": "ready",
        "ms": 812,
        "model": None,
        "mem_total": 5,
        "mem_used": 2,
        "variant": "i686-v2",
    },
    {"ev": "prompt"},
    {"ev": "token", "id": 3, "text": ""},
    {"ev": "token", "id": 3, "b64": "4oI="},
    {
        "ev": "done",
        "reason": "eog",
        "n_prompt": 1,
        "n_gen": 2,
        "cycles": 3,
        "prompt_tps": 0,
        "gen_tps": 2.5,
        "drafted": 2,
        "accepted": 1,
    },
    {
        "ev": "score",
        "ids": [1, 2],
        "argmax": [5, 6],
        "margin": [0.5, 1],
        "top": [[[5, 1.5], [6, 1]], [[6, 2], [5, 1]]],
        "logsumexp": [2.5, 3.5],
        "nll": None,
    },
    {
        "ev": "speed",
        "ids": [1, 7920, 5],
        "n_prompt": 2,
        "n_new": 1,
        "prompt_ns": 20000,
        "new_ns": 9000,
    },
    {
        "ev": "bench",
        "name": "regex_dfa",
        "tag": "regex_dfa_x86-64",
        "size": 4096,
        "calls": 3,
        "min": 7,
        "median": 8,
        "max": 9,
        "checksum": 4251941725,
        "units": 4096,
        "unit": "characters",
        "counters": [["branches", 7], ["tlb_misses", None]],
    },
    {
        "ev": "hotness",
        "schema": 1,
        "build": "0f" * 16,
        "target": "x86-64",
        "cpu": "QEMU",
        "hz": 2_000_000_000,
        "overhead": 90,
        "counters": [["branches", 7], ["tlb_misses", None]],
        "modules": [
            {
                "name": "regex_dfa",
                "target": "x86-64",
                "source": "0a" * 16,
                "code_bytes": 8192,
                "live_bytes": 0,
                "peak_bytes": 70000,
            }
        ],
        "functions": [
            {
                "module": "regex_dfa",
                "target": "x86-64",
                "source": "0a" * 16,
                "caller": "kernel",
                "name": "bench_regex_dfa_call",
                "rows": 4096,
                "cols": 0,
                "calls": 2,
                "cycles": 16,
                "min": 7,
                "median": 8,
                "max": 9,
                "buckets": [[7, 1], [9, 1]],
            }
        ],
        "samples": {
            "hz": 100,
            "taken": 1,
            "idle": 5,
            "lost": 0,
            "stacks": [{"count": 1, "functions": ["run_in_task", "regex_dfa:scan"]}],
        },
    },
    {
        "ev": "profraw",
        "module": "llama",
        "target": "i686",
        "counters_at": 4096,
        "names_at": 1 << 31,
        "functions": "AAAA",
        "counters": "AQ==",
        "names": "",
    },
    {"ev": "warn", "code": "E-MOD-04", "text": "a found"},
    {"ev": "error", "code": "E-GGUF-07", "text": "b found"},
    {
        "ev": "panic",
        "vector": 14,
        "error_code": 2,
        "ip": 1 << 63,
        "address": 0,
        "backtrace": ["kernel_main+0x12"],
    },
    {"ev": "bye"},
    {"ev": "cache", "op": "mount", "key": None, "reason": "blank", "entries": 0},
    {"ev": "compile", "id": 1, "size": 3, "offset": 0, "check": "0123456789abcdef", "b64": "AAAA"},
    {"ev": "compile_next", "id": 1, "offset": 3072},
    {"ev": "cache", "op": "hit", "key": "0f" * 32, "reason": None, "entries": 3},
    {"ev": "cache", "op": "reject", "key": "0f" * 32, "reason": "E-CACHE-10", "entries": 3},
    {
        "ev": "tier",
        "op": "matmul_q4_1",
        "shape": "576x1536",
        "from": "T0",
        "to": "O2",
        "result": "rejected",
        "reason": "not-faster",
        "cycles_before": 9,
        "cycles_after": 8,
        "compile_ms": 70,
    },
]
TIER = next(e for e in EXAMPLES if e["ev"] == "tier")
EXAMPLES += [{**TIER, "to": to} for to in ("O1", "ahead=none", "ahead=8192", "piece=262144")]

BROKEN: list[tuple[Any, str]] = [
    ([], "object expected"),
    ({"ev": "unheard"}, "known event expected"),
    ({"ev": "warn", "code": "E-A-01"}, "'text' expected"),
    ({"ev": "token", "id": 1}, "exactly one"),
    ({"ev": "token", "id": 1, "text": "a", "b64": "YQ=="}, "exactly one"),
    ({"ev": "token", "id": True, "text": "a"}, "int expected"),
    ({"ev": "token", "id": 1.5, "text": "a"}, "int expected"),
    ({**EXAMPLES[5], "reason": "bored"}, "done.reason"),
    ({**TIER, "from": "O4"}, "tier.from"),
    ({**TIER, "to": "ahead=some"}, "tier.to"),
    ({key: value for key, value in TIER.items() if key != "from"}, "field 'from' expected"),
    ({**TIER, "result": "postponed"}, "tier.result"),
    ({**EXAMPLES[6], "top": [[[1, 2, 3]]]}, r"score.top\[0\]\[0\]"),
]


READY = b'\x1e{"ev":"ready","ms":%b,"model":null,"mem_total":1,"mem_used":1,"variant":null}\n'


def record(data: Any) -> bytes:
    return b"\x1e" + json.dumps(data).encode() + b"\n"


def feed_all(data: bytes, portion: int) -> list[Item]:
    stream = EventStream()
    items: list[Item] = []
    for at in range(0, len(data), portion):
        items += stream.feed(data[at : at + portion])
    return items + stream.close()


@pytest.mark.parametrize("data", EXAMPLES, ids=lambda d: str(d["ev"]))
def test_examples_are_events_and_satisfy_the_schema(data: dict[str, Any]) -> None:
    event = from_json(data)
    assert type(event) is EVENTS[data["ev"]]
    assert event.data == data
    jsonschema.validate(data, json_schema())


def test_every_event_has_an_example() -> None:
    assert {data["ev"] for data in EXAMPLES} == set(EVENTS)


@pytest.mark.parametrize(("data", "reason"), BROKEN)
def test_broken_objects_are_refused_by_parser_and_schema(data: Any, reason: str) -> None:
    with pytest.raises(EventError, match=reason):
        from_json(data)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, json_schema())


def test_unlisted_fields_and_bad_codes_violate_the_schema_only() -> None:
    for data in ({"ev": "prompt", "x": 1}, {"ev": "warn", "code": "oops", "text": "t"}):
        assert from_json(data).data == data
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(data, json_schema())


def test_values_are_typed() -> None:
    score = from_json(EXAMPLES[6])
    assert isinstance(score, Score)
    assert score.top[0][0] == (5, 1.5)
    assert isinstance(score.margin[1], float)
    token = from_json(EXAMPLES[4])
    assert isinstance(token, Token)
    assert token.piece == b"\xe2\x82"


@pytest.mark.parametrize("portion", [1, 2, 7, 10000])
def test_text_and_events_are_separated_in_any_portions(portion: int) -> None:
    data = b"hello\r\n" + record({"ev": "prompt"}) + b"> hi\r\n" + record({"ev": "bye"}) + b"end"
    items = feed_all(data, portion)
    text = b"".join(item.data for item in items if isinstance(item, Text))
    assert text == b"hello\r\n> hi\r\nend"
    assert [i.ev for i in items if isinstance(i, event_types.Event)] == ["prompt", "bye"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x1e{nonsense\n", "JSON expected"),
        (b"\x1e\xff\n", "JSON expected"),
        (b"\x1e\n", "JSON expected"),
        (b'\x1e{"ev":"prompt"', "end of the stream"),
        (b'\x1e{"ev":"pro\x1e{"ev":"prompt"}\n', "another record"),
        (b'\x1e{"ev":"token","id":NaN,"text":""}\n', "NaN"),
        (b'\x1e{"ev":"prompt","x":-Infinity}\n', "-Infinity"),
        (READY % b"1e999", "range of a double expected, 1e999"),
        (READY % b"-1e999", "range of a double expected, -1e999"),
        (READY % (b"1" + b"0" * 400), "range of a double expected, 1000"),
        (b'\x1e{"ev":"prompt","x":[[1e999]]}\n', "range of a double expected, 1e999"),
        (b'\x1e{"ev":["x"]}\n', "a known event expected"),
        (b'\x1e{"ev":{}}\n', "a known event expected"),
        (b"\x1e{}\n", "a known event expected"),
        (b'\x1e{"ev":"token","id":' + b"9" * 5000 + b"}\n", "JSON expected"),
    ],
)
def test_malformed_records_are_reported(data: bytes, reason: str) -> None:
    malformed = [item for item in feed_all(data, 3) if isinstance(item, Malformed)]
    assert len(malformed) == 1
    assert reason in malformed[0].reason


def test_the_largest_numbers_are_read() -> None:
    """Up to the greatest double, and every bit of a 64-bit integer."""
    [ready] = feed_all(READY % b"1.7976931348623157e308", 1000)
    assert isinstance(ready, Ready) and ready.ms == sys.float_info.max
    [token] = feed_all(record({"ev": "token", "id": (1 << 64) - 1, "text": ""}), 1000)
    assert isinstance(token, Token) and token.id == (1 << 64) - 1


def test_the_stream_recovers_behind_a_malformed_record() -> None:
    items = feed_all(b"\x1e{]\n" + record({"ev": "prompt"}), 1)
    assert isinstance(items[0], Malformed)
    assert items[1] == Prompt()


def test_a_record_without_end_does_not_grow_for_ever() -> None:
    stream = EventStream()
    items = stream.feed(b"\x1e" + b"x" * (RECORD_MAX + 1))
    assert [type(item) for item in items] == [Malformed]
    assert stream.feed(b"text") == [Text(b"text")]
