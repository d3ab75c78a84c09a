"""Prompt lookup in fluid-host: the same tokens, ends and conversations with it and without."""

from dataclasses import dataclass

import pytest

from engine_driver import shared, smollm2
from fluid.event_types import Done, Prompt, Token
from fluid.machine import Machine
from guests import TinyModel, codes, said
from host_machine import SECONDS, Hosts, hosts_of
from test_host_runner import FAST
from test_score import base64_of, reply

ROWS = "one two three four five six seven eight nine ten, " * 3
LISTS = "1. red\n2. green\n3. blue\n"


@dataclass(frozen=True)
class Said:
    """A reply: ids, why it ended, how much was read, and what drafts came to."""

    ids: list[int]
    reason: str
    n_prompt: int
    drafted: int
    accepted: int

    @property
    def same(self) -> tuple[list[int], str, int]:
        """What must not depend on drafts."""
        return self.ids, self.reason, self.n_prompt


def summary(tokens: list[Token], done: Done) -> Said:
    assert 0 <= done.accepted <= done.drafted
    ids = [token.id for token in tokens]
    return Said(ids, done.reason, done.n_prompt, done.drafted, done.accepted)


def say(host: Machine, *lines: str) -> list[Said]:
    """The replies; commands that make none are run as well."""
    found = []
    for line in lines:
        events = host.command(line, 600)
        if line.startswith("/") and not line.startswith(("/complete", "/regen")):
            assert codes(events) == []
            continue
        found.append(summary(*reply(events)))
    return found


def both(host: Machine, *lines: str) -> list[Said]:
    """The replies with drafts, after the same ones without."""
    say(host, "/clear", "/set lookup off")
    without = say(host, *lines)
    assert all(one.drafted == 0 for one in without)
    say(host, "/clear", "/set lookup on")
    found = say(host, *lines)
    assert [one.same for one in found] == [one.same for one in without]
    return found


def accepted(replies: list[Said]) -> int:
    return sum(one.accepted for one in replies)


SETTINGS = [
    [],
    ["/set repeat_penalty 1.1", "/set repeat_last_n 20"],
    ["/set temperature 0.3", "/set seed 5"],
    ["/set temperature 1", "/set seed 6", "/set top_k 3"],
]


@pytest.mark.parametrize("settings", SETTINGS, ids=["greedy", "penalty", "cool", "warm"])
@pytest.mark.parametrize("quant", ["F32", "Q8_0"])
def test_tiny_models(hosts: Hosts, tiny: TinyModel, quant: str, settings: list[str]) -> None:
    """Whose random weights soon repeat themselves."""
    host = hosts.model(tiny(quant, "bpe", dim=128, ffn=384, layers=4, ctx=2048))
    say(host, "/set max_tokens 150", *settings)
    found = both(host, "hello", "once upon a time", "/regen", "dog " * 40, "/complete 200 the cat")
    assert accepted(found) > 0 or "/set temperature 1" in settings


def test_every_length(hosts: Hosts, tiny: TinyModel) -> None:
    """Ended by the number of tokens at each place of a draft; what follows goes on alike."""
    host = hosts.model(tiny("F32", "bpe", ctx=2048))
    for n in range(60, 70):
        found = both(host, f"/set max_tokens {n}", "hello", "dog", "cat")
        assert found[0].accepted > 0
        assert (found[0].reason, len(found[0].ids)) == ("length", n)


def test_stop_strings_and_a_full_context(hosts: Hosts, tiny: TinyModel) -> None:
    host = hosts.model(tiny("F32", "bpe", ctx=256))
    [whole] = both(host, "/set max_tokens 0", "hello")
    assert (whole.reason, whole.accepted > 0) == ("context", True)
    for at in range(60, 90, 3):  # a token in the middle of what repeats itself
        say(host, "/clear")
        tokens, _ = reply(host.command("hello", 600))
        stop = f"/set stop {base64_of(tokens[at].piece)}"
        lines = [stop, "hello", "/set stop", "/set max_tokens 20", "dog", "/set max_tokens 0"]
        [first, _] = both(host, *lines)
        assert first.reason == "stop"


def test_with_shift(hosts: Hosts, tiny: TinyModel) -> None:
    """Turns are forgotten in the middle of a reply that is drafted."""
    host = hosts.model(tiny("F32", "bpe", ctx=256))
    say(host, "/set shift on", "/set max_tokens 120")
    found = both(host, *(f"hello {word}" for word in ("dog", "cat", "girl", "day", "world")))
    assert accepted(found) > 0
    assert {one.reason for one in found} <= {"length", "eog"}


def test_the_end_of_generation_in_a_draft(hosts: Hosts, tiny: TinyModel) -> None:
    """Replies that end by themselves, the next ones being read behind them."""
    host = hosts.model(tiny("F32", "bpe", ctx=2048))
    say(host, "/set max_tokens 200", "/set temperature 2", "/set top_k 2")
    found = []
    for seed in range(12):
        found += both(host, f"/set seed {seed}", "hello", "dog", "/regen")
    assert accepted(found) > 0
    assert any(one.reason == "eog" and one.accepted for one in found)


def test_stories(hosts: Hosts) -> None:
    host = hosts.model(shared("models/stories260K.gguf"))
    text = base64_of("Once upon a time, there was a little girl named Lily. " * 3)
    [told] = both(host, f"/complete 150 {text}")
    assert told.accepted > 0


def test_ctrl_c(hosts: Hosts, tiny: TinyModel) -> None:
    """Stopped anywhere, the conversation goes on as if those tokens had been all."""
    host = hosts.model(tiny("F32", "bpe", dim=256, ffn=512, layers=4, ctx=8192))
    say(host, "/set max_tokens 0")
    host.send_line("hello")
    for _ in range(400):  # until it repeats itself
        host.wait_for(Token, SECONDS)
    host.send(b"\x03")
    events = host.wait_for(Prompt, SECONDS)
    done = events[-2]
    assert isinstance(done, Done)
    assert (done.reason, done.accepted > 0) == ("cancel", True)
    [after] = say(host, "/set max_tokens 20", "dog")
    say(host, "/clear", "/set lookup off")
    lines = f"/set max_tokens {done.n_gen}", "hello", "/set max_tokens 20", "dog"
    [_, then] = say(host, *lines)
    assert then.ids == after.ids


def test_what_is_told(hosts: Hosts, tiny: TinyModel) -> None:
    host = hosts.model(tiny("F32", "bpe", ctx=2048))
    text = said(host, "/complete 200 once")
    done = [event for event in host.events if isinstance(event, Done)][-1]
    assert f"; 200 generated, {done.accepted} of {done.drafted} drafted accepted, " in text
    assert done.accepted > 0
    assert codes(host.command("/set lookup off", SECONDS)) == []
    assert "drafted" not in said(host, "/complete 200 once")
    assert codes(host.command("/set lookup 0", SECONDS)) == ["E-CON-03"]


@pytest.mark.parametrize("cores", [1, 2])
def test_smollm2(cores: int) -> None:
    """Lists and rows that go on, and prose; greedy and not."""
    with hosts_of(FAST) as hosts:
        host = hosts.model(smollm2(), mem=512, smp=cores)
        lines = [f"/complete 40 {base64_of(text)}" for text in (ROWS, LISTS * 4)]
        assert accepted(both(host, *lines)) > 20
        say(host, "/set max_tokens 40", "/set temperature 0.8", "/set seed 1")
        both(host, f"Repeat this: {ROWS}", "/regen", "Again, please.")
