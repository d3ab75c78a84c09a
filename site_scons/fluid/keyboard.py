"""Typing text on an emulated machine's keyboard (US layout) through QMP."""

from __future__ import annotations

import string

from fluid.errors import FluidError
from fluid.qmp import Qmp

_NAMES = {
    "-": "minus", "=": "equal", "[": "bracket_left", "]": "bracket_right", ";": "semicolon",
    "'": "apostrophe", "`": "grave_accent", "\\": "backslash", ",": "comma", ".": "dot",
    "/": "slash", " ": "spc", "\t": "tab", "\r": "ret", "\n": "ret", "\x7f": "backspace",
    "\x1b": "esc",
}  # fmt: skip
_SHIFTED = dict(zip('!@#$%^&*()_+{}:"~|<>?', "1234567890-=[];'`\\,./", strict=True))


def chord(character: str) -> tuple[str, ...]:
    """The keys that yield a character, as QEMU names them; all are pressed together."""
    if character in _SHIFTED:
        return ("shift", *chord(_SHIFTED[character]))
    if character in _NAMES:
        return (_NAMES[character],)
    if character in string.ascii_lowercase + string.digits:
        return (character,)
    if character in string.ascii_uppercase:
        return ("shift", character.lower())
    raise FluidError("E-RUN-13", f"a character of the US keyboard expected, found {character!r}")


def type_text(qmp: Qmp, text: str) -> None:
    """Presses one key after the other; a line feed is Enter."""
    for character in text:
        qmp.press(*chord(character))
