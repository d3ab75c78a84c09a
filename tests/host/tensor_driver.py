"""Runs tensor operations in the process of tensor_host.c, once per variant, and compares variants.

Each operation goes to every variant that this machine can run, with sanitizers and as modules are
compiled. Integer sums are exact and float operations have one order, so all must agree bit for bit.
"""

import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fluid.targets import LONG_MODE
from host_features import features, lacking
from hostcc import ROOT, build

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

SOURCES = sorted((ROOT / "src" / "modules" / "tensor").glob("*.c"))
# Without contraction, as modules are compiled: a fused multiply-add would round differently.
COMMON = ["-ffp-contract=off", "-fno-math-errno"]

MAX_ARGS = 8
MAX_BUFFERS = 5
ACT_Q16 = np.dtype([("d", "<f4"), ("sum", "<f4"), ("q", "<i2", (32,))])
# Value i of a block stands at q[ACT_ORDER[i]].
ACT_ORDER = [i // 16 * 16 + i % 2 * 8 + i % 16 // 2 for i in range(32)]


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

    def __init__(self, variant: Variant) -> None:
        program = build(
            f"tensor_host.{variant.name}",
            [Path(__file__).with_name("tensor_host.c"), *SOURCES],
            flags=[*COMMON, *variant.flags],
            sanitize=variant.sanitize,
        )
        self.variant = variant
        self.process = subprocess.Popen(
            [str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
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


class Tensor:
    """The operations of tensor.h on numpy arrays."""

    def __init__(self) -> None:
        self.processes = [TensorProcess(variant) for variant in VARIANTS]

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
        self, kind: str, weights: Bytes, x: NDArray[np.generic], rows: int, cols: int
    ) -> Floats:
        """out (n, rows); x (n, cols) floats or (n, cols / 32) ACT_Q16."""
        n, stride = x.shape[0], rows + 3
        out = np.full(n * stride - 3, 12345.0, np.float32)  # the last row has no padding
        raw = self.call(f"matmul_{kind}", [stride, rows, cols, n], out, weights, x)
        full = np.append(np.frombuffer(raw, np.float32), [np.float32(12345)] * 3)
        result = full.reshape(n, stride)
        assert (result[:, rows:] == 12345.0).all(), "wrote between the rows of out"
        return result[:, :rows]

    def row(self, kind: str, weights: Bytes, r: int, cols: int) -> Floats:
        out = np.zeros(cols, np.float32)
        return np.frombuffer(self.call(f"row_{kind}", [r, cols], out, weights), np.float32)

    def quantize_q16(self, x: Floats) -> NDArray[np.void]:
        n, cols = x.shape
        out = np.zeros((n, cols // 32), ACT_Q16)
        raw = self.call("quantize_q16", [cols, n], out, x)
        return np.frombuffer(raw, ACT_Q16).reshape(n, cols // 32)

    def rmsnorm(self, x: Floats, w: Floats, eps: float) -> Floats:
        bits = int(np.float32(eps).view(np.uint32))
        raw = self.call("rmsnorm", [x.shape[1], bits, x.shape[0]], np.zeros_like(x), x, w)
        return np.frombuffer(raw, np.float32).reshape(x.shape)

    def rope(self, x: Floats, table: Floats, pos: int) -> Floats:
        """x (n, heads, head_dim), table (positions, rope_dim / 2, 2)."""
        n, heads, head_dim = x.shape
        args = [pos, heads, head_dim, table.shape[1] * 2, n]
        return np.frombuffer(self.call("rope", args, x, table), np.float32).reshape(x.shape)

    def attention(self, q: Floats, k: Floats, v: Floats, pos: int) -> Floats:
        """q (n, heads, head_dim), k and v (kv_heads, ctx, head_dim)."""
        n, heads, head_dim = q.shape
        kv_heads, ctx, _ = k.shape
        args = [heads, kv_heads, head_dim, ctx, pos, n]
        buffers = [np.zeros_like(q), q, k, v, np.zeros(ctx, np.float32)]
        return np.frombuffer(self.call("attention", args, *buffers), np.float32).reshape(q.shape)

    def swiglu(self, gate: Floats, up: Floats) -> Floats:
        return np.frombuffer(self.call("swiglu", [gate.size], gate, up), np.float32)

    def add(self, x: Floats, y: Floats) -> Floats:
        return np.frombuffer(self.call("add", [x.size], x, y), np.float32)
