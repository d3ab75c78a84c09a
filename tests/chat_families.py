"""Chat templates of the families that the engine knows, as their models have them, and tiny models
with each.
"""

from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import gguf

import models

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


def make_model(path: Path, family: Family, **shape: int) -> Path:
    """A tiny model with the family's template and special tokens; shape: of models.make_tiny."""

    def edit(writer: gguf.GGUFWriter) -> None:
        writer.kv_data[-1].pop("tokenizer.chat_template", None)
        writer.add_chat_template(family.template)

    special = list(family.special) or models.SPECIAL_BPE
    with mock.patch.object(models, "SPECIAL_BPE", special):
        return models.make_tiny(path, tokenizer=family.tokenizer, edit=edit, **shape)  # type: ignore[arg-type]
