"""Chat templates of the families that are known, as Jinja renders the templates themselves."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import gguf
import jinja2
import pytest

import models
from engine_driver import Engine

ZEPHYR = (
    "{% for message in messages %}\n{% if message['role'] == 'user' %}\n"
    "{{ '<|user|>\n' + message['content'] + eos_token }}\n"
    "{% elif message['role'] == 'system' %}\n"
    "{{ '<|system|>\n' + message['content'] + eos_token }}\n"
    "{% elif message['role'] == 'assistant' %}\n"
    "{{ '<|assistant|>\n'  + message['content'] + eos_token }}\n"
    "{% endif %}\n{% if loop.last and add_generation_prompt %}\n"
    "{{ '<|assistant|>' }}\n{% endif %}\n{% endfor %}"
)
LLAMA_2 = (
    "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}"
    "{% set system_message = messages[0]['content'] %}{% else %}"
    "{% set loop_messages = messages %}{% set system_message = false %}{% endif %}"
    "{% for message in loop_messages %}{% if loop.index0 == 0 and system_message != false %}"
    "{% set content = '<<SYS>>\\n' + system_message + '\\n<</SYS>>\\n\\n' + message['content'] %}"
    "{% else %}{% set content = message['content'] %}{% endif %}"
    "{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}"
    "{% elif message['role'] == 'assistant' %}{{ ' '  + content.strip() + ' ' + eos_token }}"
    "{% endif %}{% endfor %}"
)
LLAMA_3 = (
    "{% set loop_messages = messages %}{% for message in loop_messages %}"
    "{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'"
    "+ message['content'] | trim + '<|eot_id|>' %}"
    "{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}"
    "{% endfor %}{% if add_generation_prompt %}"
    "{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
)
CHATML = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + "
    "'<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}"
    "{{ '<|im_start|>assistant\n' }}{% endif %}"
)
LLAMA_3_TOKENS = ["<|begin_of_text|>", "<|eot_id|>", "<|start_header_id|>", "<|end_header_id|>"]
Message = dict[str, str]


@dataclass(frozen=True)
class Family:
    name: str
    template: str
    tokenizer: str
    special: tuple[str, ...]  # of byte-level BPE: BOS and EOS are numbers 1 and 2, others follow
    bos: str
    eos: str


FAMILIES = [
    Family("zephyr", ZEPHYR, "spm", (), "<s>", "</s>"),
    Family("llama-2", LLAMA_2, "spm", (), "<s>", "</s>"),
    Family("llama-3", LLAMA_3, "bpe", ("<pad>", *LLAMA_3_TOKENS), LLAMA_3_TOKENS[0], "<|eot_id|>"),
    Family("chatml", CHATML, "bpe", tuple(models.SPECIAL_BPE), "", "<|im_end|>"),
]


@pytest.fixture(params=FAMILIES, ids=lambda family: family.name)
def family(request: pytest.FixtureRequest) -> Family:
    found: Family = request.param
    return found


@pytest.fixture
def engine(family: Family, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """A tiny model with this template, and with the tokens that it is about."""

    def edit(writer: gguf.GGUFWriter) -> None:
        writer.kv_data[-1].pop("tokenizer.chat_template", None)
        writer.add_chat_template(family.template)

    if family.special:
        monkeypatch.setattr(models, "SPECIAL_BPE", list(family.special))
    path = models.make_tiny(tmp_path / "m.gguf", tokenizer=family.tokenizer, layers=1, edit=edit)
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
