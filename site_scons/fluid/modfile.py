"""Writing the .mod file: relocatable code with a header (layout: src/include/fluid/module.h).

`build_mod` makes one from an ELF object, `pack` gives the bytes of a `Module`; `unpack` and
`read_mod` (modread.py) go the other way.
"""

from dataclasses import dataclass, field, replace

from fluid.codecheck import Rule, used_features
from fluid.codetext import module_texts
from fluid.cpufeatures import feature_bits
from fluid.elfobject import read_object
from fluid.errors import FluidError
from fluid.files import StrPath, align_up, write_atomic
from fluid.modlayout import (
    EXPORT,
    HEADER,
    IMPORT,
    MAGIC,
    NAME_SIZE,
    RELOC,
    SECTION,
    SECTION_NOBITS,
    SHA_OFFSET,
    SHA_SIZE,
    SOURCE_SIZE,
    SYMBOL,
    TARGET_SIZE,
    VERSION_MAJOR,
    VERSION_MINOR,
    Module,
    check_name,
    digest,
)
from fluid.modread import unpack


@dataclass
class _Strings:
    """The string table while it grows; equal strings share one entry."""

    data: bytearray = field(default_factory=lambda: bytearray(b"\0"))
    known: dict[str, int] = field(default_factory=lambda: {"": 0})

    def add(self, text: str) -> int:
        if text not in self.known:
            self.known[text] = len(self.data)
            self.data += text.encode() + b"\0"
        return self.known[text]


def pack(module: Module) -> bytes:
    """The bytes of the .mod; raises when they would not pass `unpack`."""
    check_name("module name", module.name, NAME_SIZE)
    check_name("target tag", module.target, TARGET_SIZE)
    strings = _Strings()
    section_names = [strings.add(s.name) for s in module.sections]
    exports = [
        EXPORT.pack(strings.add(e.name), e.section, e.offset, e.size) for e in module.exports
    ]
    imports = [IMPORT.pack(strings.add(i)) for i in module.imports]
    symbols = [
        SYMBOL.pack(strings.add(s.name), s.section, s.offset, s.size) for s in module.symbols
    ]
    relocs = [
        RELOC.pack(r.section, r.offset, r.type, r.target_kind, r.target, r.addend)
        for r in module.relocs
    ]

    section_off = HEADER.size
    reloc_off = section_off + SECTION.size * len(module.sections)
    export_off = reloc_off + RELOC.size * len(relocs)
    import_off = export_off + EXPORT.size * len(exports)
    symbol_off = import_off + IMPORT.size * len(imports)
    string_off = symbol_off + SYMBOL.size * len(symbols)

    table: list[bytes] = []
    contents = bytearray()
    base = string_off + len(strings.data)
    for s, name in zip(module.sections, section_names, strict=True):
        file_off = 0
        if not s.flags & SECTION_NOBITS:
            contents += bytes(align_up(base + len(contents), s.align) - base - len(contents))
            file_off = base + len(contents)
            contents += s.data
        table.append(SECTION.pack(name, s.flags, s.align, file_off, len(s.data), s.mem_size))
    bitcode_off = 0
    if module.bitcode:
        contents += bytes(align_up(base + len(contents), 8) - base - len(contents))
        bitcode_off = base + len(contents)
        contents += module.bitcode

    header = HEADER.pack(
        *(MAGIC, VERSION_MAJOR, VERSION_MINOR, HEADER.size, base + len(contents), bytes(SHA_SIZE)),
        *(module.kernel_abi, module.machine, module.cpu_bits),
        *(module.name.encode(), module.target.encode(), module.rank),
        *(len(table), section_off, len(relocs), reloc_off, len(exports), export_off),
        *(len(imports), import_off, len(symbols), symbol_off, len(strings.data), string_off),
        *(len(module.bitcode), bitcode_off, 0, module.source),
    )
    body = b"".join([*table, *relocs, *exports, *imports, *symbols, bytes(strings.data)])
    data = header + body + bytes(contents)
    data = data[:SHA_OFFSET] + digest(data) + data[SHA_OFFSET + SHA_SIZE :]
    if unpack(data) != module:
        raise FluidError(
            "E-MOD-27",
            f"module {module.name}: the same expected after unpacking, another found; report this",
        )
    return data


def build_mod(
    object_path: StrPath,
    out_path: StrPath,
    *,
    name: str,
    target: str,
    features: list[str],
    rank: int,
    source: bytes = bytes(SOURCE_SIZE),
    bitcode: bytes = b"",
    code: bool = True,
) -> None:
    """Makes the .mod of one relocatable ELF object; nothing of the object's path gets into it.

    It may use `features`; it requires those that its code does use, so that it also loads where
    the others are missing. Which variant is better is for the rank to say. source: the digest of
    its sources. bitcode: for jit.elf, which compiles it on the machine. Without `code` that is all
    there is in it.
    """
    obj = read_object(object_path)
    texts = module_texts(obj.sections, obj.symbols, obj.machine)
    used = used_features(texts, Rule(target, frozenset(features)))
    module = Module(
        name=name,
        target=target,
        rank=rank,
        machine=obj.machine,
        cpu_bits=feature_bits(used),
        sections=obj.sections,
        relocs=obj.relocs,
        exports=obj.exports,
        imports=obj.imports,
        symbols=obj.symbols,
        bitcode=bitcode,
        source=source,
    )
    if not code:
        module = replace(module, sections=[], relocs=[], exports=[], imports=[], symbols=[])
    write_atomic(out_path, pack(module))
