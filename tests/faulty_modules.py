"""Modules that fault: machine code that does so in the place of an entry point's own."""

from dataclasses import replace

from fluid import modfile, registry
from fluid.modlayout import Module

# Valid in 32- and 64-bit code alike.
CODE = {
    "divide": bytes.fromhex("31d2 f7f2"),  # xor %edx, %edx; div %edx
    "opcode": bytes.fromhex("0f0b"),  # ud2
    "page": bytes.fromhex("31c0 8b00"),  # xor %eax, %eax; mov (%eax), %eax
    "write-code": bytes.fromhex("e800000000 58 c60090"),  # call .+5; pop %eax; movb $0x90, (%eax)
    "jump": bytes.fromhex("31c0 ffd0"),  # xor %eax, %eax; call *%eax
    "breakpoint": bytes.fromhex("cc"),
    "stack": bytes.fromhex("e8fbffffff"),  # call itself
    # With DF set and an unmasked x87 exception that is still pending when the fault comes.
    "dirty": bytes.fromhex("fd 6800030000 d92c24 d9e8 d9ee def9 0f0b"),
}


def with_code(module: Module, export: str, code: bytes) -> Module:
    """The module with this code, as it stands, at the start of an entry point."""
    [place] = [e for e in module.exports if e.name == export]
    section = module.sections[place.section]
    end = place.offset + len(code)
    data = section.data[: place.offset] + code + section.data[end:]
    assert len(data) == len(section.data)
    sections = list(module.sections)
    sections[place.section] = replace(section, data=data)
    relocs = [
        r for r in module.relocs if r.section != place.section or not place.offset <= r.offset < end
    ]
    return replace(module, sections=sections, relocs=relocs)


def faulty(content: bytes, name: str, export: str, code: bytes) -> bytes:
    """The registry with that code in every variant of the module `name`."""
    r = registry.unpack(content)
    return registry.pack(
        [
            modfile.pack(with_code(module, export, code)) if module.name == name else data
            for module, data in zip(r.modules(), r.files, strict=True)
        ]
    )
