"""Runs tensor operations in the process of tensor_host.c, once per variant, and compares variants.

Each operation goes to every variant that this machine can run, with sanitizers and as modules are
compiled. Integer sums are exact and float operations have one order, so all must agree bit for bit.
"""

import struct
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fluid.targets import LONG_MODE
from host_features import features, lacking
from hostcc import ROOT, build

Floats = NDArray[np.float32]
# (kv_heads, ctx, head_dim), or for Q8_0 bytes (kv_heads, ctx, those of a row).
Cached = NDArray[np.float16] | NDArray[np.float32] | NDArray[np.uint8]
Bytes = NDArray[np.uint8]

SOURCES = sorted((ROOT / "src" / "modules" / "tensor").glob("*.c"))
# Without contraction, as modules are compiled: a fused multiply-add would round differently.
COMMON = ["-ffp-contract=off", "-fno-math-errno"]

MAX_ARGS = 8
MAX_BUFFERS = 5
ACT_Q8 = np.dtype([("d", "<f4"), ("sum", "<f4"), ("offset", "<i4"), ("q", "i1", (32,))])
ACT_Q8_K = np.dtype([("d", "<f4"), ("sums", "<i2", (16,)), ("q", "i1", (256,))])
PACK_ROWS = 16
ATTENTION_BLOCK = 64
QUANTISE = (("quantize_q8", ACT_Q8, 32), ("quantize_q8_k", ACT_Q8_K, 256))
FLOATS = ("f32", "f16", "bf16")  # whose rows are not packed


def random(seed: int, *shape: int, scale: float = 1.0) -> Floats:
    return (np.random.default_rng(seed).standard_normal(shape) * scale).astype(np.float32)


@dataclass(frozen=True)
class Variant:
    name: str
    flags: tuple[str, ...]
    sanitize: bool


VARIANTS = [
    Variant(
        f"{tag}{'' if sanitize else '-plain'}", tuple(f"-m{f}" for f in features(tag)), sanitize
    )
    for sanitize in (True, False)
    for tag in LONG_MODE
    if not lacking(tag)
]


class TensorProcess:
    """One variant's tensor_host, answering requests until it is closed."""

    def __init__(self, variant: Variant, command: Sequence[str]) -> None:
        self.variant = variant
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def call(self, op: str, args: list[int], buffers: list[bytes]) -> list[bytes]:
        assert self.process.stdin and self.process.stdout and self.process.stderr
        sizes = [len(b) for b in buffers] + [0] * (MAX_BUFFERS - len(buffers))
        padded = args + [0] * (MAX_ARGS - len(args))
        header = struct.pack(f"<16s{MAX_ARGS + MAX_BUFFERS}I", op.encode(), *padded, *sizes)
        try:
            self.process.stdin.write(header + b"".join(buffers))
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # the process has stopped: the short answer below tells why
        answer = [self.process.stdout.read(len(b)) for b in buffers]
        if [len(a) for a in answer] != [len(b) for b in buffers]:
            self.process.stdin.close()
            report = self.process.stderr.read().decode(errors="replace")
            raise AssertionError(f"{op} in {self.variant.name} {args}: stopped\n{report}")
        return answer

    def close(self) -> None:
        self.process.communicate(timeout=120)
        assert self.process.returncode == 0, "the driver ended badly: a leak found at exit?"


def compiled(variant: Variant) -> TensorProcess:
    """The modules' sources in a process."""
    program = build(
        f"tensor_host.{variant.name}",
        [Path(__file__).with_name("tensor_host.c"), *SOURCES],
        flags=[*COMMON, *variant.flags],
        sanitize=variant.sanitize,
    )
    return TensorProcess(variant, [str(program)])


class Tensor:
    """The operations of tensor.h on numpy arrays."""

    def __init__(self, processes: Sequence[TensorProcess] | None = None) -> None:
        self.processes = processes or [compiled(variant) for variant in VARIANTS]

    def close(self) -> None:
        for process in self.processes:
            process.close()

    def call(self, op: str, args: list[int], *arrays: NDArray[np.generic]) -> bytes:
        """Returns the first buffer after the operation; all variants must agree on its bits."""
        buffers = [np.ascontiguousarray(array).tobytes() for array in arrays]
        answers = [process.call(op, args, buffers) for process in self.processes]
        for process, answer in zip(self.processes[1:], answers[1:], strict=True):
            same = np.frombuffer(answer[0], np.uint8) == np.frombuffer(answers[0][0], np.uint8)
            assert same.all(), f"{op} {args}: {process.variant.name} differs"
            assert answer[1:] == answers[0][1:], f"{op} {args}: an input was changed"
        return answers[0][0]

    def matmul(
        self,
        kind: str,
        weights: Bytes,
        x: NDArray[np.generic],
        rows: int,
        cols: int,
        ahead: int = 0,
    ) -> Floats:
        """out (n, rows); weights (rows, bytes) as in a model file, x (n, cols) floats or what
        quantize() returns."""
        n, stride = x.shape[0 if kind in FLOATS else 1], rows + 3
        out = np.full(n * stride - 3, 12345.0, np.float32)  # the last row has no padding
        packed = self.pack(kind, weights, cols)
        raw = self.call(f"matmul_{kind}", [stride, rows, cols, n, ahead], out, packed, x)
        full = np.append(np.frombuffer(raw, np.float32), [np.float32(12345)] * 3)
        result = full.reshape(n, stride)
        assert (result[:, rows:] == 12345.0).all(), "wrote between the rows of out"
        return result[:, :rows]

    def row(self, kind: str, weights: Bytes, r: int, cols: int) -> Floats:
        """Row r of weights (rows, bytes) as the model file has them."""
        out, packed = np.zeros(cols, np.float32), self.pack(kind, weights, cols)
        args = [r, weights.shape[0], cols]
        return np.frombuffer(self.call(f"row_{kind}", args, out, packed), np.float32)

    def pack(self, kind: str, weights: Bytes, cols: int) -> Bytes:
        """Weights (rows, bytes), as the engine lays them out for the operations."""
        if kind in FLOATS:
            return weights
        packed = weights.copy()
        for first in range(0, weights.shape[0] - PACK_ROWS + 1, PACK_ROWS):
            group = weights[first : first + PACK_ROWS]
            raw = self.call(f"pack_{kind}", [cols], np.zeros_like(group), group)
            packed[first : first + PACK_ROWS] = np.frombuffer(raw, np.uint8).reshape(group.shape)
        return packed

    def quantize(self, kind: str, x: Floats) -> NDArray[np.void]:
        """x (n, cols) -> ACT_Q8 (cols / 32, n) or ACT_Q8_K (cols / 256, n), what kind takes."""
        n, cols = x.shape
        op, layout, block = QUANTISE[kind.endswith("k")]
        out = np.zeros((cols // block, n), layout)
        raw = self.call(op, [cols, n], out, x)
        return np.frombuffer(raw, layout).reshape(cols // block, n)

    def rmsnorm(self, x: Floats, w: Floats, eps: float) -> Floats:
        bits = int(np.float32(eps).view(np.uint32))
        raw = self.call("rmsnorm", [x.shape[1], bits, x.shape[0]], np.zeros_like(x), x, w)
        return np.frombuffer(raw, np.float32).reshape(x.shape)

    def rope(self, x: Floats, table: Floats, pos: int) -> Floats:
        """x (n, heads, head_dim), table (positions, rope_dim / 2, 2)."""
        n, heads, head_dim = x.shape
        args = [pos, heads, head_dim, table.shape[1] * 2, n]
        return np.frombuffer(self.call("rope", args, x, table), np.float32).reshape(x.shape)

    def store_kv(self, cache: Cached, x: Floats, pos: int) -> NDArray[Any]:
        """x (n, kv_heads, head_dim)."""
        args = [cache.itemsize, *cache.shape[:2], x.shape[2], pos, len(x)]
        return np.frombuffer(self.call("store_kv", args, cache, x), cache.dtype).reshape(
            cache.shape
        )

    def attention(self, q: Floats, k: Cached, v: Cached, pos: int) -> Floats:
        """q (n, heads, head_dim)."""
        n, heads, head_dim = q.shape
        kv_heads, ctx, _ = k.shape
        args = [heads, kv_heads, head_dim, ctx, pos, n, k.itemsize]
        scratch = np.full((2, ATTENTION_BLOCK, head_dim), np.nan, np.float32)
        buffers = [np.zeros_like(q), q, k, v, scratch]
        return np.frombuffer(self.call("attention", args, *buffers), np.float32).reshape(q.shape)

    def swiglu(self, gate: Floats, up: Floats) -> Floats:
        return np.frombuffer(self.call("swiglu", [gate.size], gate, up), np.float32)

    def add(self, x: Floats, y: Floats) -> Floats:
        return np.frombuffer(self.call("add", [x.size], x, y), np.float32)
