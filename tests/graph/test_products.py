"""Properties of the whole build: reproducible, cleanable, never half-written."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import lief
import pytest

from fluid import bootarea
from fluid.targets import TOLD
from graph_tree import OUT, Tree, copy_sources


def _same(one: Tree, other: Tree) -> None:
    assert one.products() == other.products()
    for path in sorted(one.products()):
        if not path.endswith("compile_commands.json"):  # names its folder, as the format wants
            content = (one.top / path).read_bytes()
            assert content == (other.top / path).read_bytes(), f"{path} differs"


def test_two_folders(built: Tree, tmp_path: Path) -> None:
    """Two copies in folders of other length and name give the same bytes in every product."""
    other = copy_sources(tmp_path / "another folder" / "with a longer name")
    other.scons(ok=True)
    assert built.read("fluid.img") == other.read("fluid.img")
    _same(built, other)


@pytest.mark.full
def test_two_folders_i686(tmp_path: Path) -> None:
    """The same for the 32-bit target."""
    trees = [copy_sources(tmp_path / name) for name in ("one", "the other one")]
    for tree in trees:
        tree.scons("target=i686", ok=True)
    _same(*trees)


def test_files_others_rely_on(built: Tree) -> None:
    """The names that DESIGN promises exist after a plain build."""
    modules = ["modules/llama.mod", "modules/tensor_q4_1.mod", "registry.bin"]
    for name in (
        "fluid.img",
        "kernel.elf",
        "kernel.map",
        "cpu_profile.json",
        "plan.json",
        *modules,
    ):
        assert (built.top / OUT / name).is_file(), name


def test_a_second_opinion_on_the_kernel(built: Tree) -> None:
    """lief, which has no part in the build, reads kernel.elf as the manifest and the loader do."""
    elf = lief.ELF.parse(str(built.top / OUT / "kernel.elf"))
    assert isinstance(elf, lief.ELF.Binary)
    manifest = bootarea.unpack(built.read("boot.bin")).manifest
    assert elf.entrypoint == manifest.kernel_entry
    flags = lief.ELF.Segment.FLAGS
    loaded = [s for s in elf.segments if s.type == lief.ELF.Segment.TYPE.LOAD]
    assert loaded
    assert not [s for s in loaded if s.has(flags.W) and s.has(flags.X)]
    assert max(s.virtual_address + s.virtual_size for s in loaded) - min(
        s.virtual_address for s in loaded
    ) <= max(b.mem_size for b in manifest.blobs)
    assert not elf.has_interpreter and not list(elf.dynamic_entries)
    undefined = [s.name for s in elf.symtab_symbols if s.shndx == 0 and s.name]
    assert undefined == []


def test_clean(tree: Tree) -> None:
    """-c removes every product."""
    assert tree.products()
    tree.scons("-c", ok=True)
    assert tree.products() == set()


def test_failed_step(tree: Tree) -> None:
    """A step that fails names its code and leaves neither its product nor a half-written one."""
    source = "src/modules/tensor/tensor_q4_1.c"
    (tree.top / source).write_text("static int unused __attribute__((unused));\n")
    result = tree.scons(ok=False)
    assert result.status == 2
    assert "E-MOD-" in result.text
    assert "Traceback" not in result.text
    assert f"{OUT}/modules/tensor_q4_1.mod" not in tree.products()
    assert not [p for p in tree.products() if p.endswith(".new")]


def test_docs(tree: Tree) -> None:
    """The events' schema, and the table of errors as it is committed."""
    before = (tree.top / "docs/errors.md").read_bytes()
    tree.scons("docs", ok=True)
    assert (tree.top / "docs/errors.md").read_bytes() == before
    schema = json.loads((tree.top / "build/event_schema.json").read_text())
    jsonschema.validate({"ev": "prompt"}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"ev": "prompt", "more": 1}, schema)


def test_compile_commands(tree: Tree) -> None:
    """Each source once per variant, with its flags spelt out."""
    tree.scons("compiledb", ok=True)
    entries = json.loads(tree.read("compile_commands.json"))
    main = [e for e in entries if e["file"] == "src/kernel/main.c"]
    assert len(main) == 1
    assert main[0]["directory"] == str(tree.top)
    assert {"-mgeneral-regs-only", "-Isrc/kernel"} <= set(main[0]["arguments"])
    [told] = [e for e in entries if e["file"] == TOLD]
    assert set(told["arguments"]) >= {"-mgeneral-regs-only", '-DFLUID_TARGET="x86-64-v2"'}
    outputs = [e["output"] for e in entries]
    assert len(outputs) == len(set(outputs))
    assert f"{OUT}/obj/x86-64-v2/modules/tensor/tensor_q4_1.c.o" in outputs
