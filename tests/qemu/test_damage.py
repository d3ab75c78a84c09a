"""What if a part of a good disk is damaged? Each damage prints its code and a sentence, nothing
faults, and the console comes up without a model (docs/errors.md explains the codes).

Damage to the boot area is test_boot.py's; missing parts and older processors are test_errors.py's.
The quick set boots a few of each kind on one target, full=1 all of them.
"""

import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from fat16_damage import BPB_DAMAGES, Bpb, Patch, u16
from fat16_image import SECTOR, Layout
from fluid import modlayout
from fluid.event_types import Error, Panic, Prompt, Ready, Warn
from fluid.image import read_layout
from fluid.machine import Machine
from fluid.registry import unpack
from fluid.targets import TARGETS
from gguf_damage import FIELD_DAMAGES, NAME_DAMAGES, Walker, field_damage, name_damage
from guests import SECOND_VARIANT_CPU, Machines, TinyModel, codes
from qemu_images import image_of, image_with
from test_errors import artifact_registry, private_copy, ready_of, still_works, with_registry

TARGET = "x86-64-v2"
pytestmark = pytest.mark.of_target(TARGET)
OTHER = b"a file next to the model" * 500

Expected = str | tuple[str, ...]  # code, how it begins, or one of several
Bytes = Callable[[bytes], bytes]


def stands_without_model(guest: Machine, expected: Expected) -> None:
    """One error with the code and a sentence; the console is there and needs no model."""
    errors = [event for event in guest.events if isinstance(event, Error)]
    assert [error.code.startswith(expected) for error in errors] == [True], errors
    text = errors[0].text
    assert len(text) > 20 and text.isprintable() and text.encode() in guest.text
    kinds = [type(event) for event in guest.events]
    assert Panic not in kinds and kinds[-2:] == [Ready, Prompt]
    assert ready_of(guest).model is None
    assert codes(guest.command("/help")) == [] and b"/score" in guest.text
    assert codes(guest.command("hello")) == ["E-CON-05"]
    assert guest.running


# ---- MODEL.GGUF


def with_field(what: str, value: int) -> Bytes:
    return lambda data: patched(data, *field_damage(data, what, value))


def with_name(name: bytes) -> Bytes:
    return lambda data: patched(data, *name_damage(data, name))


def patched(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]


def duplicate_key(data: bytes) -> bytes:
    return data.replace(b"llama.rope.freq_base", b"llama.context_length", 1)


def duplicate_tensor(data: bytes) -> bytes:
    return data.replace(b"blk.0.attn_k.weight", b"blk.0.attn_q.weight", 1)


SHORT = ("E-GGUF-03", "E-GGUF-04")
MODEL_DAMAGES: list[tuple[str, Bytes, Expected]] = [
    *((f"{what}={value}", with_field(what, value), code) for what, value, code in FIELD_DAMAGES),
    *((name.decode("ascii").strip("\0"), with_name(name), code) for name, code in NAME_DAMAGES),
    ("key-twice", duplicate_key, "E-GGUF-06"),
    ("tensor-twice", duplicate_tensor, "E-GGUF-11"),
    ("empty", lambda data: b"", "E-GGUF-03"),
    ("cut-in-magic", lambda data: data[:3], "E-GGUF-03"),
    ("cut-in-counts", lambda data: data[:20], "E-GGUF-03"),
    ("cut-in-keys", lambda data: data[:300], SHORT),
    ("cut-in-vocabulary", lambda data: data[: Walker(data).end // 2], SHORT),
    ("cut-in-tensors", lambda data: data[: Walker(data).end - 40], SHORT),
    ("cut-behind-header", lambda data: data[: Walker(data).end], "E-GGUF-10"),
    ("cut-in-data", lambda data: data[: len(data) // 2], "E-GGUF-10"),
    ("cut-one-tensor", lambda data: data[:-4096], "E-GGUF-10"),
    ("zeros-in-keys", lambda data: patched(data, 24, bytes(1976)), "E-GGUF-"),
    ("text-file", lambda data: b"this is not a model\n" * 100, "E-GGUF-01"),
]
QUICK_MODELS = {
    *("magic=1179993926", "version=4", "kv_count=9223372036854775808", "key-twice", "empty"),
    *("llama.block_count value=2", "token_embd.weight dims=5", "output_norm.weight"),
    *("output.weight offset=1099511627776", "tokenizer.ggml.token_type value 5=7"),
    *("cut-in-vocabulary", "cut-in-data"),
}


def quick(name: str, chosen: set[str]) -> list[pytest.MarkDecorator]:
    return [] if name in chosen else [pytest.mark.full]


def test_the_tables_are_long_enough() -> None:
    """40 damaged models and a dozen of them quick; a name that was changed is noticed."""
    names = [name for name, _, _ in MODEL_DAMAGES]
    assert len(set(names)) == len(names) >= 40
    assert set(names) >= QUICK_MODELS and len(QUICK_MODELS) == 12
    assert {name for name, _, _ in BPB_DAMAGES} >= QUICK_BPB
    assert {name for name, _, _ in CHAIN_DAMAGES} >= QUICK_CHAINS


def copy_model(image: Path, model: Path) -> None:
    """As a user does: MODEL.GGUF of the image's partition is replaced."""
    offset = read_layout(image).fat16().lba * SECTOR
    target = f"{image}@@{offset}"
    command = ["mcopy", "-o", "-i", target, str(model), "::/MODEL.GGUF"]
    subprocess.run(command, check=True, timeout=60, env={"PATH": "/usr/bin:/bin"})


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        pytest.param(damage, expected, id=name, marks=quick(name, QUICK_MODELS))
        for name, damage, expected in MODEL_DAMAGES
    ],
)
def test_a_damaged_model(
    machines: Machines, tiny: TinyModel, tmp_path: Path, damage: Bytes, expected: Expected
) -> None:
    model = tmp_path / "damaged.gguf"
    model.write_bytes(damage(tiny("Q4_0", layers=1).read_bytes()))
    image = private_copy(image_of(TARGET, tiny()), tmp_path)
    copy_model(image, model)
    stands_without_model(machines.boot(TARGET, image, mem=256), expected)


# ---- the file system


@pytest.fixture(scope="session")
def good(tiny: TinyModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image with the model and another file."""
    other = tmp_path_factory.mktemp("other") / "other.bin"
    other.write_bytes(OTHER)
    return image_with(TARGET, "two-files", [(tiny(), "MODEL.GGUF"), (other, "OTHER.BIN")])


def poke(image: Path, at: int, new: bytes) -> None:
    with image.open("r+b") as file:
        file.seek(at)
        file.write(new)


QUICK_BPB = {"jump", "no-sectors-per-cluster", "two-totals", "large-clusters"}


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        pytest.param(damage, code, id=name, marks=quick(name, QUICK_BPB))
        for name, damage, code in BPB_DAMAGES
    ],
)
def test_a_damaged_boot_sector(
    machines: Machines, good: Path, tmp_path: Path, damage: Callable[[Bpb], Patch], code: str
) -> None:
    image = private_copy(good, tmp_path)
    partition = read_layout(image).fat16()
    start = partition.lba * SECTOR
    boot = image.read_bytes()[start : start + SECTOR]
    at, new = damage(Bpb.of(boot, partition.sectors))
    poke(image, start + at, new)
    stands_without_model(machines.boot(TARGET, image, mem=256), code)


class Chains:
    """The cluster chains of an image's partition, and damage to them in both FATs."""

    def __init__(self, image: Path) -> None:
        self.image = image
        self.layout = Layout.of(image, read_layout(image).fat16().lba)
        self.model = self.layout.entry(b"MODEL~1 GGU")
        self.other = self.layout.entry(b"OTHER   BIN")

    def first(self, entry: int) -> int:
        return int(struct.unpack_from("<H", self.image.read_bytes(), entry + 26)[0])

    def chain(self, entry: int) -> list[int]:
        data, found = self.image.read_bytes(), [self.first(entry)]
        while (n := struct.unpack_from("<H", data, self.layout.link(found[-1]))[0]) < 0xFFF8:
            found.append(n)
        return found

    def link(self, cluster: int, to: int, copies: int = 2) -> None:
        for copy in range(copies):
            poke(self.image, self.layout.link(cluster, copy), u16(to))


CHAIN_DAMAGES: list[tuple[str, Callable[[Chains], None], str]] = [
    ("loop", lambda c: c.link(c.chain(c.model)[-1], c.first(c.model)), "E-FAT-15"),
    ("loop-of-one", lambda c: c.link(c.first(c.model), c.first(c.model)), "E-FAT-15"),
    ("free-cluster", lambda c: c.link(c.chain(c.model)[3], 0), "E-FAT-14"),
    ("bad-cluster", lambda c: c.link(c.chain(c.model)[3], 0xFFF7), "E-FAT-14"),
    ("beyond-the-end", lambda c: c.link(c.chain(c.model)[3], c.layout.clusters + 2), "E-FAT-14"),
    ("cross-link", lambda c: c.link(c.chain(c.model)[1], c.first(c.other)), "E-FAT-16"),
    ("ends-early", lambda c: c.link(c.chain(c.model)[5], 0xFFFF), "E-FAT-16"),
    ("copies-differ", lambda c: c.link(c.chain(c.model)[2], 0xFFFF, copies=1), "E-FAT-17"),
    ("first-cluster", lambda c: poke(c.image, c.model + 26, u16(1)), "E-FAT-14"),
    ("name-gone", lambda c: poke(c.image, c.model, b"\xe5"), "E-FAT-18"),
    ("folder", lambda c: poke(c.image, c.model + 11, b"\x10"), "E-FAT-19"),
    ("other-model", lambda c: poke(c.image, c.model + 26, u16(c.first(c.other))), "E-FAT-16"),
]
QUICK_CHAINS = {"loop", "cross-link", "copies-differ", "name-gone", "folder"}


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        pytest.param(damage, code, id=name, marks=quick(name, QUICK_CHAINS))
        for name, damage, code in CHAIN_DAMAGES
    ],
)
def test_damaged_chains(
    machines: Machines, good: Path, tmp_path: Path, damage: Callable[[Chains], None], code: str
) -> None:
    image = private_copy(good, tmp_path)
    damage(Chains(image))
    stands_without_model(machines.boot(TARGET, image, mem=256), code)


# ---- modules in the registry


def module_field(at: int, new: bytes) -> Bytes:
    """Sets a field of the header and makes the module's hash right."""

    def damage(data: bytes) -> bytes:
        bad = patched(data, at, new)
        return patched(bad, modlayout.SHA_OFFSET, modlayout.digest(bad))

    return damage


MODULE_DAMAGES: list[tuple[str, Bytes, str]] = [
    ("magic", lambda data: b"X" + data[1:], "E-MOD-01"),
    ("version", lambda data: patched(data, 4, b"\x09"), "E-MOD-02"),
    ("file-size", lambda data: patched(data, 12, b"\xff\xff\xff\xff"), "E-MOD-03"),
    ("section-count", module_field(116, b"\xff\xff\xff\xff"), "E-MOD-03"),
    ("name", module_field(64, b"\x1b"), "E-MOD-03"),
    ("content", lambda data: data[:-1] + bytes([data[-1] ^ 0xFF]), "E-MOD-04"),
    ("kernel-abi", module_field(48, b"\x63"), "E-MOD-05"),
    ("machine", module_field(52, b"\x99"), "E-MOD-06"),
    ("cpu", module_field(56, b"\xff" * 8), "E-MOD-07"),
]


@pytest.mark.parametrize(
    ("damage", "code"), [pytest.param(d, code, id=name) for name, d, code in MODULE_DAMAGES]
)
def test_a_damaged_module(
    machines: Machines, tiny: TinyModel, tmp_path: Path, damage: Bytes, code: str
) -> None:
    """One variant is refused with its code, the next one takes its place, and the model answers."""
    good = image_of(TARGET, tiny())
    lower, upper = TARGETS[TARGET].variants[:2]
    registry = artifact_registry(good)
    entry = next(e for e in unpack(registry).entries if (e.name, e.target) == ("tensor_f32", upper))
    content = damage(registry[entry.offset : entry.offset + entry.size])
    assert len(content) == entry.size
    image = with_registry(good, patched(registry, entry.offset, content), tmp_path)
    guest = machines.boot(TARGET, image, mem=256, cpu=SECOND_VARIANT_CPU[TARGET])
    warnings = [event for event in guest.events if isinstance(event, Warn)]
    assert [warning.code for warning in warnings] == [code]
    assert "tensor_f32" in warnings[0].text
    assert codes(guest.events) == [] and ready_of(guest).variant == lower
    still_works(guest)


# ---- memory


@pytest.mark.parametrize(("mem", "code"), [(5, "E-MEM-04"), (8, "E-MEM-02")])
def test_too_little_memory_for_the_model(
    machines: Machines, tiny: TinyModel, mem: int, code: str
) -> None:
    """For the file; for its buffers only."""
    guest = machines.boot(TARGET, image_of(TARGET, tiny()), mem=mem)
    stands_without_model(guest, code)
