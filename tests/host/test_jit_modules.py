"""Bitcode of the tensor modules, compiled by jit.elf: the same bits as the build's own modules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fluid import modfile
from fluid.cpufeatures import feature_bits
from fluid.jitlayout import Constant
from fluid.modlayout import SECTION_EXEC, Module
from fluid.modread import read_mod, unpack
from fluid.random_blocks import BLOCKS, random_blocks
from host_features import features, lacking
from jit_modules import NAMES, TAGS, ahead, ahead_module, compiled, plain, process, request, written
from kv_rows import KINDS, cached
from tensor_driver import FLOATS, Bytes, Tensor, random

FULL = pytest.mark.full
LEVELS = [2, *(pytest.param(level, marks=FULL) for level in (0, 1, 3))]
HEAD_DIM = {"x86-64-v2": 52, "i686": 32}  # of struct attention_args
CASES = [(target, tag) for target, tag in TAGS if target == "i686" or not lacking(tag)]


@pytest.fixture(scope="module", params=CASES, ids=[tag for _, tag in CASES])
def case(request: pytest.FixtureRequest) -> tuple[str, str]:
    """(target, tag)"""
    pair: tuple[str, str] = request.param
    return pair


def about(module: Module) -> tuple[object, ...]:
    """What the loader goes by, but for the CPU."""
    return (module.name, module.target, module.rank, module.kernel_abi, module.source)


@pytest.fixture(scope="module", params=LEVELS, ids=lambda level: f"O{level}")
def tensor(
    request: pytest.FixtureRequest,
    case: tuple[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Tensor]:
    """The build's modules and jit.elf's, to be compared."""
    level = request.param
    responses = [plain(name, *case, level) for name in NAMES]
    for name, response in zip(NAMES, responses, strict=True):
        made, expected = unpack(response.mod), ahead_module(name, *case)
        assert made.cpu_bits == feature_bits(features(case[1]))
        assert [e.name for e in made.exports] == [e.name for e in expected.exports]
        assert about(made) == about(expected)
    paths = written(tmp_path_factory.mktemp("jit") / "made", responses)
    both = Tensor(
        [
            process("ahead", case[0], [ahead(name, *case) for name in NAMES]),
            process(f"O{level}", case[0], paths),
        ]
    )
    yield both
    both.close()


def weights(kind: str, rows: int, cols: int) -> Bytes:
    """(rows, bytes)"""
    if kind == "f32":
        return random(rows, rows, cols).view(np.uint8)
    if kind == "f16":
        return random(rows, rows, cols).astype(np.float16).view(np.uint8)
    if kind == "bf16":
        return (random(rows, rows, cols).view(np.uint32) >> 16).astype(np.uint16).view(np.uint8)
    return random_blocks(kind.upper(), np.random.default_rng(rows), rows, cols, 0.05)


@pytest.mark.parametrize("kind", [*FLOATS, *(kind.lower() for kind in BLOCKS)])
@pytest.mark.parametrize(("rows", "n"), [(19, 1), (24, 5), (17, 67)])
def test_products(tensor: Tensor, kind: str, rows: int, n: int) -> None:
    """Tensor compares the bits of both."""
    cols = 512
    w, x = weights(kind, rows, cols), random(n, n, cols)
    act = x if kind in FLOATS else tensor.quantize(kind, x)
    assert np.isfinite(tensor.matmul(kind, w, act, rows, cols)).all()
    for r in (0, rows - 1):
        assert tensor.row(kind, w, r, cols).any()


@pytest.mark.parametrize("dim", [32, 100, 576])
def test_elementwise(tensor: Tensor, dim: int) -> None:
    x, y = random(1, 3, dim), random(2, 3, dim, scale=8)
    tensor.rmsnorm(x, y[0], 1e-5)
    tensor.swiglu(x.ravel(), y.ravel())
    tensor.add(x.ravel(), y.ravel())
    tensor.rope(random(3, 3, 2, 64), random(4, 9, 32, 2), 5)


def attend(tensor: Tensor, head_dim: int, kind: str) -> None:
    """A batch behind some positions, in which softmax goes over several blocks."""
    n, pos, ctx, heads, kv_heads = 5, 130, 140, 6, 2
    k, v = (cached(random(s, kv_heads, ctx, head_dim), kind)[0] for s in (5, 6))
    q = random(7, n, heads, head_dim)
    out = tensor.attention(q, k, v, pos)
    assert np.isfinite(out).all() and out.any()
    tensor.store_kv(k, random(8, n, kv_heads, head_dim), pos)


@pytest.mark.parametrize("kind", KINDS)
def test_attention(tensor: Tensor, kind: str) -> None:
    for head_dim in (8, 22, 64):
        attend(tensor, head_dim, kind)


@pytest.mark.parametrize("name", NAMES)
def test_the_code_is_as_long_as_the_builds(case: tuple[str, str], name: str) -> None:
    """At the build's level and with its features: the same passes, part of them in the build, so
    that blocks may stand in another order."""
    both = (ahead_module(name, *case), unpack(plain(name, *case, 2).mod))
    sizes = [sum(s.mem_size for s in m.sections if s.flags & SECTION_EXEC) for m in both]
    assert sizes[0] > 0 and abs(sizes[1] - sizes[0]) < max(0.02 * sizes[0], 100)
    symbols = [[symbol.name for symbol in module.symbols] for module in both]
    assert symbols[0] == symbols[1]


@pytest.mark.parametrize("level", LEVELS)
def test_a_known_head_dim(case: tuple[str, str], level: int, tmp_path: Path) -> None:
    """Baked in, it gives the same bits; with another one, too: those take the general code."""
    target, tag = case
    known = Constant("attention", 0, 64, field_off=HEAD_DIM[target])
    response = compiled("tensor_attention", target, tag, level=level, constants=(known,))
    made = unpack(response.mod)
    sizes = {symbol.name: symbol.size for symbol in made.symbols}
    assert {"attention", "attention.special", "attention.general"} <= sizes.keys()
    if level >= 2:  # loops over 64 values have no ends to take care of
        others = unpack(plain("tensor_attention", target, tag, level).mod).symbols
        [size] = [symbol.size for symbol in others if symbol.name == "attention"]
        assert sizes["attention.special"] < 0.95 * size
    tensor = Tensor(
        [
            process("ahead", target, [ahead("tensor_attention", target, tag)]),
            process("known", target, written(tmp_path / "made", [response])),
        ]
    )
    for head_dim in (64, 8, 63, 128):
        for kind in KINDS:
            attend(tensor, head_dim, kind)
    tensor.close()


def test_known_arguments(tmp_path: Path) -> None:
    """Of a function without a structure; several at once."""
    case = ("x86-64-v2", "x86-64-v2")
    known = (Constant("matmul_q4_1", 4, 24), Constant("matmul_q4_1", 5, 512))
    response = compiled("tensor_q4_1", *case, constants=known)
    tensor = Tensor(
        [
            process("ahead", case[0], [ahead(n, *case) for n in ("tensor_q4_1", "tensor_quant")]),
            process(
                "known",
                case[0],
                [*written(tmp_path / "made", [response]), ahead("tensor_quant", *case)],
            ),
        ]
    )
    for rows, cols in ((24, 512), (24, 256), (16, 512), (3, 64)):
        x = tensor.quantize("q4_1", random(rows, 5, cols))
        tensor.matmul("q4_1", weights("q4_1", rows, cols), x, rows, cols)
    tensor.close()


def test_equal_requests_have_equal_answers() -> None:
    made = [compiled("tensor_norm", "x86-64-v2", "x86-64-v2").mod for _ in range(2)]
    assert made[0] == made[1]


def test_modules_that_carry_bitcode(tmp_path: Path) -> None:
    """The loader passes over it, and it comes back as it was."""
    case, name = ("x86-64-v2", "x86-64-v2"), "tensor_act"
    bitcode = request(name, *case).payload
    carrying = tmp_path / "carrying.mod"
    carrying.write_bytes(modfile.pack(replace(ahead_module(name, *case), bitcode=bitcode)))
    assert read_mod(carrying).bitcode == bitcode
    plain = process("ahead", case[0], [ahead(name, *case)])
    both = Tensor([plain, process("carrying", case[0], [carrying])])
    both.add(random(1, 100), random(2, 100))
    both.close()


def test_entry_points_alone() -> None:
    """What is not asked for is not compiled."""
    wanted = request("tensor_attention", "x86-64-v2", "x86-64-v2", entries=("store_kv",))
    response = compiled("tensor_attention", "x86-64-v2", "x86-64-v2", entries=("store_kv",))
    made = unpack(response.mod)
    assert [export.name for export in made.exports] == list(wanted.entries)
    assert "attention" not in {symbol.name for symbol in made.symbols}
