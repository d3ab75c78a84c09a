"""The PS/2 keyboard and the screen: the same console as the serial line."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fluid.emulator import MACHINES
from fluid.event_types import Done, Error, Event, Prompt, Ready, Token
from fluid.keyboard import type_text
from fluid.machine import Machine
from guests import Machines, TinyModel, codes, names, no_more_events
from qemu_images import image_of
from qemu_models import smollm2
from vga_text import ERROR, INPUT, NOTICE, REPLY, STATUS, read_screen, shown

CONVERSATION = ["Hello, who are you?", 'What\'s 2+2? (I say: "FOUR")', "/complete 9 Once upon"]


@pytest.fixture
def chatty_model(tiny: TinyModel) -> Path:
    return tiny("Q8_0", "bpe", dim=128, ffn=384, layers=4, ctx=2048)


@pytest.fixture
def chatty(machines: Machines, target: str, chatty_model: Path) -> Machine:
    guest = machines.shared(target, image_of(target, chatty_model))
    guest.command("/clear")
    guest.command("/set max_tokens 12")
    return guest


def ids(events: list[Event]) -> list[int]:
    return [event.id for event in events if isinstance(event, Token)]


def typed(guest: Machine, text: str) -> None:
    """Types while the machine talks: what it says is taken, so that it never waits for us."""
    for character in text:
        type_text(guest.qmp, character)
        guest.pump()


def keyed(guest: Machine, text: str) -> list[Event]:
    """Types a line on the keyboard; the events up to the next prompt."""
    type_text(guest.qmp, text + "\n")
    return guest.wait_for(Prompt, 300)[:-1]


@pytest.mark.parametrize("machine", MACHINES)
def test_the_same_conversation_by_keyboard_and_serial(
    machines: Machines, target: str, machine: str, chatty_model: Path
) -> None:
    image = image_of(target, chatty_model)

    def converse(say: Callable[[Machine, str], list[Event]]) -> list[list[int]]:
        guest = machines.boot(target, image, machine=machine, mem=256)
        say(guest, "/set max_tokens 12")
        return [ids(say(guest, line)) for line in CONVERSATION]

    by_serial = converse(lambda guest, line: guest.command(line, 300))
    assert all(by_serial)
    assert converse(keyed) == by_serial


def test_every_character_of_the_keyboard(guest: Machine) -> None:
    text = "".join(map(chr, range(0x21, 0x7F)))
    start = len(guest.text)
    type_text(guest.qmp, "/x " + text)
    guest.wait_text(f"/x {text}".encode(), 60, start)
    guest.qmp.press("ret")
    assert codes(guest.wait_for(Prompt, 60)) == ["E-CON-02"]


def error_of(guest: Machine) -> str:
    (error,) = [e for e in guest.wait_for(Prompt, 60) if isinstance(e, Error)]
    return error.text


def test_editing_keys(guest: Machine) -> None:
    press = guest.qmp.press
    type_text(guest.qmp, "/oneX three")
    for keys in (["left"] * 6, ["backspace"], ["end"], ["ctrl-left"], ["right"], ["left"]):
        for key in keys:
            press(*key.split("-"))
    type_text(guest.qmp, "two-")
    press("home")
    press("delete")
    press("caps_lock")
    type_text(guest.qmp, "/")
    press("caps_lock")
    press("ret")
    assert "found /one;" in error_of(guest)
    press("up")
    press("ctrl", "left")
    press("ctrl", "k")
    press("backspace")
    type_text(guest.qmp, "!")
    press("ret")
    assert "found /one!;" in error_of(guest)
    for _ in range(3):
        press("up")
    press("down")
    press("home")
    press("right")
    press("caps_lock")
    type_text(guest.qmp, "a")
    press("caps_lock")
    press("ret")
    assert "found /Aone;" in error_of(guest)


def test_edited_lines_look_the_same_on_the_screen(guest: Machine) -> None:
    """A line of three rows, changed in its first."""
    type_text(guest.qmp, "/" + "abcdefghi " * 17)
    guest.qmp.press("home")
    guest.qmp.press("right")
    type_text(guest.qmp, "first-")
    wanted = ("> /first-" + "abcdefghi " * 17).rstrip()
    rows = [wanted[i : i + 80].rstrip() for i in (0, 80, 160)]
    shown(
        guest,
        lambda s: any(s.rows[row : row + 3] == rows for row in range(len(s.rows))),
        "the changed line",
    )
    start = len(guest.text)
    guest.qmp.press("ctrl", "c")
    guest.wait_text(b"^C", 60, start)
    assert codes(guest.command("/cpu")) == []


@pytest.mark.parametrize("extra", [(), ("-machine", "acpi=off")], ids=["io-apic", "8259A"])
def test_typing_during_a_reply_loses_nothing(
    machines: Machines, target: str, tiny: TinyModel, extra: tuple[str, ...]
) -> None:
    """2,000 keys, capitals among them; Ctrl-C stops the reply, and each line is then an error."""
    model = tiny("Q8_0", "bpe", dim=128, ffn=384, layers=4, ctx=16384)
    guest = machines.boot(target, image_of(target, model), machine="pc", mem=256, extra=extra)
    lines = [
        "/" + "".join(chr((65, 97)[i % 2] + (n + i) % 26) for i in range(48)) for n in range(40)
    ]
    keys = "".join(line + "\n" for line in lines)
    assert len(keys) == 2000
    guest.send_line("/complete 100000 the dog")
    guest.wait_for(Token, 120)
    before = len(guest.text)
    typed(guest, keys)
    assert lines[0].encode() not in guest.text[before:]  # the reply still goes on
    guest.qmp.press("ctrl", "c")
    done = guest.wait_for(Prompt, 120)[-2]
    assert isinstance(done, Done) and done.reason == "cancel"
    for line in lines:
        assert f"found /{line[1:41]}" in error_of(guest)
    assert no_more_events(guest)
    text = guest.text[before:].replace(b"\r\n", b"\n")
    assert [row for row in text.split(b"\n") if row.startswith(b"> /")] == [
        f"> {line}".encode() for line in lines
    ]


def test_status_line_and_colours(chatty: Machine, target: str, chatty_model: Path) -> None:
    keyed(chatty, "hello")
    keyed(chatty, "/nonsense")
    screen = shown(chatty, lambda s: s.text.rstrip().endswith(">"), "a prompt")
    assert screen.status.startswith(f" {chatty_model.stem[:28]}")
    for part in ("T0 ", " tok/s", " of ", " MiB"):
        assert part in screen.status
    assert set(screen.colours[24]) == {STATUS}
    assert screen.colours_of("tok/s]") == {NOTICE}
    assert screen.colours_of("> hello") == {INPUT}
    assert screen.colours_of("error E-CON-02") == {ERROR}
    assert REPLY in {colour for row in screen.colours for colour in row}


def test_a_bar_is_drawn_while_the_model_loads(machines: Machines, target: str) -> None:
    guest = machines.start(target, image_of(target, smollm2()), mem=512)
    seen = []
    deadline = time.monotonic() + 120
    while not any(isinstance(event, Ready) for event in guest.events):
        assert time.monotonic() < deadline
        seen.append(read_screen(guest.qmp).status)
        guest.pump()
    bars = [line for line in seen if line.startswith(" Loading MODEL.GGUF")]
    assert any("█" in bar and "░" in bar and bar.endswith("%") for bar in bars), set(seen)


def test_a_machine_without_keyboard_controller(
    machines: Machines, target: str, tiny: TinyModel
) -> None:
    extra = ("-machine", "i8042=off")
    guest = machines.boot(target, image_of(target, tiny()), mem=256, extra=extra)
    assert codes(guest.command("/nonsense")) == ["E-CON-02"]


def test_scroll_back(guest: Machine) -> None:
    guest.command("/cpu")
    for number in range(40):
        guest.command(f"/row{number}")
    end = shown(guest, lambda s: s.text.rstrip().endswith(">") and "/row39" in s.text, "the end")
    guest.qmp.press("shift", "pgup")
    back = shown(guest, lambda s: s.rows[12:24] == end.rows[:12], "half a page back")
    assert back.status == end.status
    for _ in range(20):
        guest.qmp.press("shift", "pgup")
    shown(guest, lambda s: "/row39" not in s.text and "/row10" not in s.text, "far back")
    guest.qmp.press("shift", "pgdn")
    guest.qmp.press("left")  # a key returns
    shown(guest, lambda s: s.rows == end.rows, "the end again")
    guest.qmp.press("shift", "pgup")
    shown(guest, lambda s: s.rows[12:24] == end.rows[:12], "half a page back")
    guest.command("/nonsense")  # output returns
    shown(guest, lambda s: "/nonsense" in s.text, "new output")


def test_serial_output_has_no_control_sequences(guest: Machine) -> None:
    """Colours, status line and progress bar are the screen's business."""
    assert codes(guest.command("/help")) == []
    assert names(guest.command("hello"))[-1] == "done"
    text = guest.text[guest.text.rindex(b"/help") :]
    assert b"\x1b" not in text
