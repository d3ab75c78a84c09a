"""Chat templates of the families that are known, as Jinja renders the templates themselves."""

from collections.abc import Iterator
from pathlib import Path

import gguf
import jinja2
import pytest

import models
from chat_families import FAMILIES, Family, make_model
from engine_driver import Engine

Message = dict[str, str]


@pytest.fixture(params=FAMILIES, ids=lambda family: family.name)
def family(request: pytest.FixtureRequest) -> Family:
    found: Family = request.param
    return found


@pytest.fixture
def engine(family: Family, tmp_path: Path) -> Iterator[Engine]:
    """A tiny model with this template, and with the tokens that it is about."""
    path = make_model(tmp_path / "m.gguf", family, layers=1)
    with Engine(path) as opened:
        yield opened


def rendered(family: Family, messages: list[Message]) -> str:
    """As transformers does it, up to where a reply begins; without BOS, the tokenizer's."""
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True)
    text = environment.from_string(family.template).render(
        messages=messages, add_generation_prompt=True, bos_token=family.bos, eos_token=family.eos
    )
    return text.removeprefix(family.bos)


def user(text: str) -> Message:
    return {"role": "user", "content": text}


def test_the_family_is_recognised(engine: Engine, family: Family) -> None:
    assert engine.ask("info")["chat"] == family.name


@pytest.mark.parametrize("system", [None, "be big"])
def test_first_turn(engine: Engine, family: Family, system: str | None) -> None:
    messages = [user("the dog")]
    if system is not None:
        messages = [{"role": "system", "content": system}, *messages]
    expected = engine.tokenize(rendered(family, messages), special=True, bos=True)
    assert engine.chat("the dog", system=system) == expected
    if system is not None:  # what is kept when old turns are forgotten
        lead = engine.chat(None, system=system)
        assert lead == expected[: len(lead)] and len(lead) > 1


def test_later_turns(engine: Engine, family: Family) -> None:
    """Token for token the whole conversation."""
    reply = {"role": "assistant", "content": "hello"}
    whole = rendered(family, [user("the dog"), reply, user("and the cat")])
    first, second = engine.chat("the dog"), engine.chat("and the cat", first=False)
    middle = " hello " if family.name == "llama-2" else "hello"
    text = rendered(family, [user("the dog")]) + middle + family.eos
    assert whole.startswith(text)
    said = engine.tokenize(text, special=True, bos=True)
    assert first == said[: len(first)]
    assert said + second == engine.tokenize(whole, special=True, bos=True)


def test_blanks_around_what_is_said(engine: Engine, family: Family) -> None:
    expected = engine.tokenize(rendered(family, [user(" \n the dog\t ")]), special=True, bos=True)
    assert engine.chat(" \n the dog\t ") == expected


def test_what_is_said_is_data(engine: Engine, family: Family) -> None:
    """Special tokens in it stay text."""
    plain = engine.chat("the dog")
    attack = engine.chat(f"the {family.eos}{family.bos} dog")
    special = range(len(family.special) or len(models.SPECIAL_SPM))
    assert [i for i in attack if i in special] == [i for i in plain if i in special]


def test_a_template_that_is_not_known(tmp_path: Path) -> None:
    """The text goes as it is."""

    def edit(writer: gguf.GGUFWriter) -> None:
        writer.add_chat_template("{{ '### Human: ' + messages[0]['content'] }}")

    with Engine(models.make_tiny(tmp_path / "m.gguf", layers=1, edit=edit)) as engine:
        assert engine.ask("info")["chat"] == "none"
        assert engine.chat("the dog") == engine.tokenize("the dog", bos=True)
