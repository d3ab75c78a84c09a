"""The console contract: boot, prompts, line input, commands, endings."""

import re
from pathlib import Path

import pytest

from fluid.emulator import Ending
from fluid.event_types import Boot, Bye, Done, Error, Prompt, Ready, Speed, Token, Warn
from fluid.image import read_layout
from fluid.machine import Machine
from guests import Machines, TinyModel, codes, names, no_more_events, said
from qemu_images import artifact, image_of, image_with

LINE_MAX = 64 << 10
COMMANDS = [
    "help",
    "cpu",
    "mem",
    "bench",
    "tasks",
    "profile",
    "uptime",
    "pci",
    "ls",
    "score",
    "complete",
    "speed",
]
COMMANDS += [
    "set",
    "show",
    "clear",
    "regen",
    "load",
    "unload",
    "jit",
    "cache",
    "selftest",
    "reboot",
    "off",
]


def test_boot_tells_its_events_in_order(machines: Machines, target: str, tiny: TinyModel) -> None:
    image = image_of(target, tiny())
    guest = machines.boot(target, image, mem=256)
    assert [n for n in names(guest.events) if n not in ("warn", "error")] == [
        "boot",
        "ready",
        "prompt",
    ]
    assert isinstance(guest.events[0], Boot)
    assert isinstance(guest.events[-1], Prompt)
    boot, ready = guest.events[0], guest.events[-2]
    assert boot.target == target
    assert boot.build == read_layout(image).manifest.build_id.hex()
    assert boot.cores == 1
    assert {"sse2", "ssse3", "sse4.2"} <= set(boot.features)
    assert isinstance(ready, Ready)
    assert ready.model == tiny().stem
    assert ready.variant == {"i686": "i686-v2"}.get(target, target)
    assert 200 << 20 < ready.mem_total <= 256 << 20
    assert 0 < ready.mem_used < 100 << 20
    assert not [e for e in guest.events if isinstance(e, Warn | Error)]


def test_every_command_ends_in_one_prompt(guest: Machine) -> None:
    lines = ["/help", "/cpu", "/mem", "/ls", "/show", "/clear", "", "/set seed 1", "/nonsense"]
    lines += ["/score a", "/complete 2 a", "/score", "/complete", "/set", "hello", "   "]
    lines += ["/speed 40 2", "/speed"]
    for line in lines:
        before = len(guest.events)
        guest.command(line)
        assert names(guest.events[before:]).count("prompt") == 1, line
    assert no_more_events(guest)


def test_help_names_every_command(guest: Machine) -> None:
    listed = re.findall(r"^ +/(\w+)", said(guest, "/help"), re.MULTILINE)
    assert listed == COMMANDS


def test_what_commands_print(guest: Machine, tiny: TinyModel) -> None:
    model = tiny()
    assert "sse2" in said(guest, "/cpu")
    assert re.search(r"free +\d+ KiB +\d+\.\d MiB", said(guest, "/mem"))
    assert re.search(rf"\b{model.stat().st_size}  MODEL\.GGUF", said(guest, "/ls"))
    shown = said(guest, "/show")
    assert model.stem in shown
    assert re.search(r"temperature +0\.000", shown)


def test_settings_are_kept_and_checked(guest: Machine) -> None:
    guest.command("/set temperature 0.7")
    assert re.search(r"temperature +0\.700", said(guest, "/show"))
    for line in ("/set temperature hot", "/set temperature -1", "/set colour red", "/set seed x"):
        assert codes(guest.command(line)) == ["E-CON-03"], line
    assert re.search(r"temperature +0\.700", said(guest, "/show"))
    guest.command("/set temperature 0.000001")
    assert re.search(r"temperature +0\.000001", said(guest, "/show"))
    guest.command("/set temperature 0")


def test_a_message_without_room_for_its_reply_is_told_what_fits(guest: Machine) -> None:
    guest.command("/clear")
    (error,) = guest.command("x " * 400)
    assert isinstance(error, Error)
    assert error.code == "E-CTX-01"
    assert "at most 255 more tokens fit into the context of 256" in error.text
    assert "0 in the conversation" in said(guest, "/show")


def test_unknown_commands_are_errors(guest: Machine) -> None:
    for line in ("/nonsense", "/", "/HELP", "//help", "/help2"):
        assert codes(guest.command(line)) == ["E-CON-02"], line


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
def test_each_line_end_ends_one_line(guest: Machine, end: bytes) -> None:
    before = len(guest.events)
    for _ in range(3):
        guest.send(b"/cpu" + end)
        guest.wait_for(Prompt, 60)
    guest.send(b"/nonsense" + end + b"/nonsense" + end)
    guest.wait_for(Prompt, 60)
    guest.wait_for(Prompt, 60)
    assert no_more_events(guest)
    assert names(guest.events[before:]) == ["prompt"] * 3 + ["error", "prompt"] * 2


def test_lines_up_to_the_limit_are_taken(guest: Machine) -> None:
    assert codes(guest.command(b"/" + b"x" * (LINE_MAX - 1), 120)) == ["E-CON-02"]
    assert codes(guest.command(b"/" + b"x" * LINE_MAX, 120)) == ["E-CON-01"]
    assert codes(guest.command(b"y" * (3 * LINE_MAX), 240)) == ["E-CON-01"]
    assert codes(guest.command("/cpu")) == []


def test_input_is_echoed_byte_for_byte(guest: Machine) -> None:
    line = "/nonsense grün 你好 \t🙂 \\\"'"
    start = len(guest.text)
    guest.command(line)
    assert (line + "\r\n").encode() in guest.text[start:]


def test_control_bytes_edit_the_line(guest: Machine) -> None:
    for line in (b"/cpx\x7fu", b"/cpx\x08u", b"wrong\x15/cpu", b"/cpu wrong\x17", b"/c\x02\x1bpu"):
        assert codes(guest.command(line)) == [], line
    assert codes(guest.command("/nonsensé\x7f".encode() + b"\x7f" * 8 + b"cpu")) == []
    assert codes(guest.command(b"\x7f\x7f/cpu")) == []


def test_ctrl_c_drops_the_line(guest: Machine) -> None:
    start = len(guest.text)
    guest.send(b"/nonsense")
    guest.wait_text(b"/nonsense", 20, start)
    guest.send(b"\x03")
    guest.wait_text(b"^C", 20, start)
    assert codes(guest.command("/cpu")) == []
    assert codes(guest.command(b"/nonsense\x03/cpu")) == []


def test_ctrl_c_right_behind_a_line_stops_its_command(guest: Machine) -> None:
    start = len(guest.text)
    guest.send(b"/complete 200 once upon a time\r\x03")
    done = guest.wait_for(Prompt, 120)[-2]
    assert isinstance(done, Done)
    assert done.reason == "cancel"
    assert (done.n_prompt, done.n_gen, done.prompt_tps, done.gen_tps) == (0, 0, 0, 0)
    assert codes(guest.command("/cpu")) == []
    assert b"^C" not in guest.text[start:]  # it stopped the reply, and nothing else


def test_ctrl_c_stops_a_score(guest: Machine) -> None:
    guest.send(b"/score once upon a time\r\x03")
    assert codes(guest.wait_for(Prompt, 120)) == ["E-CON-07"]
    assert codes(guest.command("/score once upon a time")) == []


def test_speed(guest: Machine) -> None:
    """The same tokens each time, and what they took; Ctrl-C ends it."""
    [event] = guest.command("/speed 40 4")
    assert isinstance(event, Speed)
    assert (event.n_prompt, event.n_new, len(event.ids)) == (40, 4, 44)
    assert event.prompt_ns > 0 < event.new_ns
    [again] = guest.command("/speed 40 4")
    assert isinstance(again, Speed)
    assert again.ids == event.ids
    guest.send(b"/speed 100 100\r\x03")
    assert codes(guest.wait_for(Prompt, 120)) == ["E-CON-07"]


def test_text_holds_no_control_bytes(
    machines: Machines, target: str, tiny: TinyModel, tmp_path: Path
) -> None:
    model = tmp_path / "MODEL.GGUF"
    name = tiny().stem.encode()
    odd = b"\x1e{\x1b]0;" + b"x" * len(name)
    model.write_bytes(tiny().read_bytes().replace(name, odd[: len(name)], 1))
    guest = machines.boot(target, image_with(target, "odd-name", [(model, "MODEL.GGUF")]), mem=256)
    assert guest.command("/show") == []
    assert b"?{?]0;" in guest.text
    assert not set(guest.text) & set(range(0x20)) - set(b"\b\t\r\n")


def test_pasted_lines_are_run_one_after_the_other(guest: Machine) -> None:
    before = len(guest.events)
    guest.send(b"/complete 8 once\r/nonsense\r\n/score a\n/complete 1 x\r")
    for _ in range(4):
        guest.wait_for(Prompt, 120)
    kinds = [n for n in names(guest.events[before:]) if n != "token"]
    assert kinds == ["done", "prompt", "error", "prompt", "score", "prompt", "done", "prompt"]


def test_a_large_paste_during_a_reply_is_not_lost(guest: Machine) -> None:
    before = len(guest.events)
    count = 2000
    guest.send(b"/complete 100 once upon\r" + b"/nonsense and more\r" * count)
    for _ in range(1 + count):
        guest.wait_for(Prompt, 240)
    assert names(guest.events[before:]).count("error") == count


def test_a_full_ring_holds_the_sender_back(guest: Machine) -> None:
    """More than the rings of serial port and console take (64 and 128 KiB), while nothing is read:
    the rest waits at the sender, and no line of it is lost."""
    lines = [f"/{number}-{'x' * 600}" for number in range(400)]
    pasted = "".join(line + "\r" for line in lines).encode()
    assert len(pasted) > 200 << 10
    guest.command("/clear")
    guest.send_line("/complete 100 once upon a time")
    guest.wait_for(Token, 120)
    guest.send(pasted)
    guest.wait_for(Prompt, 240)
    for number in range(len(lines)):
        (error,) = guest.wait_for(Prompt, 240)[:-1]
        assert isinstance(error, Error) and f"found /{number}-x" in error.text
    assert no_more_events(guest)


def test_events_can_be_silenced(guest: Machine) -> None:
    start, before, text_start = len(guest.log), len(guest.events), len(guest.text)
    guest.send_line("/set events off")
    guest.wait_text(b"\n> ", 20, text_start)
    guest.send_line("/nonsense")
    guest.wait_text(b"E-CON-02", 20, text_start)
    assert no_more_events(guest)
    assert b"\x1e" not in guest.log[start:]
    assert guest.events[before:] == []
    assert names(guest.command("/set events on")) == []


def test_off_says_bye_and_ends_well(machines: Machines, target: str, tiny: TinyModel) -> None:
    guest = machines.boot(target, image_of(target, tiny()), mem=256)
    guest.send_line("/off")
    assert guest.wait_end(20) is Ending.PASS
    assert isinstance(guest.events[-1], Bye)


def test_reboot_boots_again(machines: Machines, target: str, tiny: TinyModel) -> None:
    image = image_of(target, tiny())
    guest = machines.boot(target, image, mem=256, reboot=True)
    guest.send_line("/reboot")
    kinds = names(guest.wait_for(Prompt, 120))
    assert kinds == ["bye", "boot", "ready", "prompt"]


def test_self_tests_pass(guest: Machine) -> None:
    events = guest.command("/selftest", 300)
    assert codes(events) == [], bytes(guest.text[-3000:]).decode(errors="replace")


def test_an_unknown_self_test_is_no_failed_one(guest: Machine) -> None:
    start = len(guest.text)
    assert codes(guest.command("/selftest nothing")) == ["E-CON-03"]
    assert b"cpu-state" in guest.text[start:]


def test_time_is_calibrated(guest: Machine) -> None:
    """The clock that /cpu shows is that of a machine, not of a broken calibration."""
    found = re.search(r"clock: (\d+) MHz", said(guest, "/cpu"))
    assert found
    assert 100 < int(found[1]) < 10000


def test_screenshot_of_the_console(guest: Machine, target: str, pictures: Path) -> None:
    guest.command("/help")
    path = pictures / f"console-{target}.png"
    guest.qmp.screenshot(path)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_the_kernel_contains_no_tensor_code(target: str) -> None:
    from elftools.elf.elffile import ELFFile

    with artifact(target, "kernel.elf").open("rb") as file:
        table = ELFFile(file).get_section_by_name(".symtab")
        functions = {s.name for s in table.iter_symbols() if s["st_info"]["type"] == "STT_FUNC"}
    assert "kernel_main" in functions
    forbidden = re.compile(r"^(matmul_|row_[fq]|quantize_|rmsnorm|rope$|attention|swiglu|llama_)")
    assert sorted(filter(forbidden.match, functions)) == []
