"""Settings and what they do to a reply: sampling, stop strings, another reply."""

import re

import pytest

from fluid.event_types import Done, Prompt, Token
from fluid.machine import Machine
from guests import Machines, TinyModel, codes, said
from qemu_images import image_of
from test_chat import ids, say
from test_score import base64_of

DEFAULTS = {
    "events": "on",
    "temperature": "0.000000",
    "top_k": "40",
    "top_p": "0.950000",
    "min_p": "0.050000",
    "repeat_penalty": "1.000000",
    "repeat_last_n": "64",
    "seed": "0",
    "max_tokens": "512",
    "system": "(the model's default)",
    "stop": "(none)",
    "shift": "off",
    "lookup": "on",
}


@pytest.fixture
def fresh(machines: Machines, target: str, tiny: TinyModel) -> Machine:
    """A machine with all settings as at boot, and a model with a chat template."""
    model = tiny("Q8_0", "bpe", dim=128, ffn=384, layers=4, ctx=2048)
    return machines.boot(target, image_of(target, model), mem=256)


def shown(guest: Machine) -> dict[str, str]:
    """What /show says, by key."""
    return dict(re.findall(r"^  (\w+) +(.*)$", said(guest, "/show"), re.MULTILINE))


def text_of(tokens: list[Token]) -> str:
    return b"".join(token.piece for token in tokens).decode(errors="replace")


def test_every_setting_takes_its_values_and_no_others(fresh: Machine) -> None:
    assert {key: value for key, value in shown(fresh).items() if key in DEFAULTS} == DEFAULTS
    good = {
        "temperature": ("0.7", "0.700000"),
        "top_k": ("0", "0"),
        "top_p": ("1", "1.000000"),
        "min_p": ("0", "0.000000"),
        "repeat_penalty": ("1.1", "1.100000"),
        "repeat_last_n": ("1000", "1000"),
        "seed": ("18446744073709551615", "18446744073709551615"),
        "max_tokens": ("0", "0"),
        "system": ("Be  brief.", "Be  brief."),
        "stop": (base64_of("\n\n"), '"\n\n"'),
        "lookup": ("off", "off"),
    }
    bad = {
        "events": ["maybe", ""],
        "shift": ["1", "ON"],
        "lookup": ["0", "yes"],
        "temperature": ["5.1", "-1", "hot", "1e3", "0.0000001", ""],
        "top_k": ["-1", "4294967296", "1.5", "x"],
        "top_p": ["0", "1.01", "-0.5"],
        "min_p": ["1.01", "x"],
        "repeat_penalty": ["0.9", "10.1", "0"],
        "repeat_last_n": ["-1", "many"],
        "seed": ["18446744073709551616", "randomly"],
        "max_tokens": ["4294967296"],
        "system": ["x" * 4096, base64_of("a\0b")],
        "stop": ["x" * 65],
    }
    for key, (value, _) in good.items():
        assert codes(fresh.command(f"/set {key} {value}")) == [], key
    for key, values in bad.items():
        for value in values:
            assert codes(fresh.command(f"/set {key} {value}")) == ["E-CON-03"], (key, value)
    assert codes(fresh.command("/set system base64:?")) == ["E-CON-04"]
    assert codes(fresh.command("/set colour red")) == ["E-CON-03"]
    after = shown(fresh)
    for key, (_, value) in good.items():
        assert after[key] == value.partition("\n")[0], key
    assert codes(fresh.command("/set stop")) == []
    assert shown(fresh)["stop"] == "(none)"


def test_a_random_seed(fresh: Machine) -> None:
    seeds = set()
    for _ in range(3):
        fresh.command("/set seed random")
        seeds.add(shown(fresh)["seed"])
    assert len(seeds) == 3


def test_a_stop_string_ends_the_reply(fresh: Machine) -> None:
    fresh.command("/set max_tokens 24")
    whole = text_of(say(fresh, "hello")[0])
    found = re.search(r"(?<=.)[a-z]{3,}", whole)
    assert found, "the model says no word to stop at"
    word = found[0]
    fresh.command("/clear")
    fresh.command(f"/set stop {word}")
    start = len(fresh.text)
    tokens, done = say(fresh, "hello")
    assert done.reason == "stop"
    assert whole.startswith(text_of(tokens))
    assert word in text_of(tokens)
    fresh.wait_text(b"\n> ", 20, start)
    printed = bytes(fresh.text[start:]).decode(errors="replace").split("\r\n")[1]
    letters = re.compile("[a-z]")
    assert letters.findall(printed) == letters.findall(whole[: found.start()])
    fresh.command("/set stop")
    assert say(fresh, "dog")[1].reason != "stop"  # the conversation goes on


def test_another_reply(fresh: Machine) -> None:
    assert codes(fresh.command("/regen")) == ["E-CON-08"]
    fresh.command("/set max_tokens 16")
    greedy = ids(say(fresh, "hello")[0])
    tokens, done = say(fresh, "/regen")
    assert ids(tokens) == greedy
    assert done.n_prompt == 1  # nothing else had to be read again
    fresh.command("/set temperature 1.5")

    def replies(seed: int) -> list[list[int]]:
        fresh.command(f"/set seed {seed}")
        return [ids(say(fresh, "/regen")[0]) for _ in range(3)]

    first = replies(7)
    assert len({tuple(reply) for reply in first}) > 1
    assert replies(7) == first
    fresh.command("/set temperature 0")
    assert ids(say(fresh, "/regen")[0]) == greedy
    undisturbed = ids(say(fresh, "dog")[0])
    fresh.command("/clear")
    assert codes(fresh.command("/regen")) == ["E-CON-08"]
    assert ids(say(fresh, "hello")[0]) == greedy
    assert ids(say(fresh, "dog")[0]) == undisturbed


def test_another_reply_after_the_cache_was_used(fresh: Machine) -> None:
    fresh.command("/set max_tokens 8")
    greedy = ids(say(fresh, "hello")[0])
    fresh.command("/score once upon a time")
    assert ids(say(fresh, "/regen")[0]) == greedy


def test_stopping_another_reply_keeps_the_last_one(fresh: Machine) -> None:
    fresh.command("/set max_tokens 8")
    say(fresh, "hello")
    expected = ids(say(fresh, "dog")[0])
    fresh.send(b"/regen\r\x03")
    done = fresh.wait_for(Prompt, 120)[-2]
    assert isinstance(done, Done)
    assert done.reason == "cancel"
    assert ids(say(fresh, "/regen")[0]) == expected


def test_the_repeat_penalty_avoids_repetition(fresh: Machine) -> None:
    fresh.command("/set max_tokens 40")
    plain = ids(say(fresh, "hello")[0])
    fresh.command("/clear")
    fresh.command("/set repeat_penalty 10")
    fresh.command("/set repeat_last_n 2048")
    varied = ids(say(fresh, "hello")[0])
    assert len(set(varied)) / len(varied) > len(set(plain)) / len(plain)
