"""Splits the bytes of the console into text for people and events for programs.

Framing is RFC 7464 ("JSON text sequences"): byte 0x1E, one JSON object, LF; the LF belongs to the
event. Everything else is text. A record that cannot be read becomes a Malformed item; nothing is
dropped silently.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

from fluid.event_types import Event, from_json
from fluid.records import EventError

RECORD_SEPARATOR = 0x1E
LINE_FEED = 0x0A
RECORD_MAX = 16 << 20  # bytes; a longer record means that the line feed was lost


@dataclass(frozen=True)
class Text:
    """Bytes for people, as they came (line ends are CR LF)."""

    data: bytes


@dataclass(frozen=True)
class Malformed:
    """A record that is not an event of the contract."""

    reason: str
    raw: bytes

    def __str__(self) -> str:
        return f"{self.reason} in {self.raw[:200]!r}"


Item = Text | Event | Malformed


class EventStream:
    """Incremental parser: feed it bytes in any portions."""

    def __init__(self) -> None:
        self._record: bytearray | None = None  # the open record without its separator

    def feed(self, data: bytes) -> list[Item]:
        """The items that these bytes complete, in order."""
        items: list[Item] = []
        at = 0
        while at < len(data):
            if self._record is None:
                end = _find(data, RECORD_SEPARATOR, at)
                if end > at:
                    items.append(Text(data[at:end]))
                if end < len(data):
                    self._record = bytearray()
                at = end + 1
            else:
                at = self._feed_record(data, at, items)
        return items

    def close(self) -> list[Item]:
        """End of the stream: an open record is reported."""
        if self._record is None:
            return []
        raw, self._record = bytes(self._record), None
        return [Malformed("record without its line feed at the end of the stream", raw)]

    def _feed_record(self, data: bytes, at: int, items: list[Item]) -> int:
        assert self._record is not None
        end = min(_find(data, LINE_FEED, at), _find(data, RECORD_SEPARATOR, at))
        self._record += data[at:end]
        if end == len(data):
            if len(self._record) > RECORD_MAX:
                reason = f"record of at most {RECORD_MAX} bytes expected, a longer one found"
                items.append(Malformed(reason, bytes(self._record)))
                self._record = None
            return end
        raw = bytes(self._record)
        if data[end] == LINE_FEED:
            items.append(parse_record(raw))
            self._record = None
        else:
            items.append(Malformed("line feed expected, another record found", raw))
            self._record = bytearray()
        return end + 1


def parse_record(raw: bytes) -> Event | Malformed:
    """One record without separator and line feed."""
    try:
        return from_json(
            json.loads(
                raw.decode("utf-8"),
                parse_int=_integer,
                parse_float=_real,
                parse_constant=_no_constant,
            )
        )
    except EventError as error:
        return Malformed(str(error), raw)
    except (ValueError, RecursionError) as error:  # of UTF-8, JSON, or numbers too long for int()
        return Malformed(f"JSON expected, {error} found", raw)


def _find(data: bytes, byte: int, start: int) -> int:
    at = data.find(byte, start)
    return len(data) if at < 0 else at


def _integer(digits: str) -> int:
    value = int(digits)
    _real(digits)  # where a real is expected, an integer will do
    return value


def _real(digits: str) -> float:
    """RFC 8259 sets no limit; what no double holds would silently become infinite here."""
    value = float(digits)
    if not math.isfinite(value):
        raise EventError(f"a number in the range of a double expected, {digits:.80} found")
    return value


def _no_constant(name: str) -> float:
    raise EventError(f"a JSON number expected, {name} found")
