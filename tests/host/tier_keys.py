"""Keys of the cache's entries for tiers, and their payloads, as src/kernel/jit/entry.c has them."""

from __future__ import annotations

import functools
import hashlib
import struct
import subprocess
from dataclasses import dataclass, replace

from fluid.cachekey import KeyFields
from fluid.cpufeatures import feature_bits
from fluid.event_types import Boot
from fluid.modlayout import KERNEL_ABI
from hostcc import ROOT, build
from tier_images import BETTER, TARGET, Run, better_works, bitcode

KIND = 1
VERSION = 2
HEAD = struct.Struct("<IIIIQQQ")
FLAGS = "no-red-zone frame-pointer"
HEAD_DIM = "0.52.4"  # argument, offset and size of struct attention_args' field
XCR0_USED = 0xE7  # as control.h has it
MODULE_OF = {"add": "tensor_act", "swiglu": "tensor_act", "attention": "tensor_attention"}


@functools.cache
def processor() -> tuple[int, str]:
    """XCR0 as far as the kernel uses it, and the model."""
    source = ROOT / "tests/host/processor_host.c"
    program = build("processor", [source], flags=["-mxsave"], sanitize=False)
    said = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    xcr0, model = said.split()
    return int(xcr0) & XCR0_USED, model


def entry(mod: bytes, level_before: int = 0, version: int = VERSION) -> bytes:
    """A payload."""
    return HEAD.pack(version, len(mod), level_before, 0, 2000, 1000, 5) + mod


@dataclass(frozen=True)
class Machine:
    """What a key depends on besides the slot."""

    features: list[str]
    toolchain: str
    better: bool = better_works()  # bitcode is that of BETTER

    def fields(self, op: str, shape: str, level: str) -> KeyFields:
        rows, cols = map(int, shape.split("x"))
        name = MODULE_OF.get(op) or f"tensor_{op.partition('_')[2]}"
        known = f" {HEAD_DIM}={cols}" if op == "attention" and level == "O3" else ""
        xcr0, model = processor()
        plan = f"{op} {level} on {model} for {TARGET}{known}"
        code = bitcode(name, BETTER if self.better else TARGET)
        return KeyFields(
            kernel_abi=KERNEL_ABI,
            cpu_mask=feature_bits(self.features),
            xcr0=xcr0,
            toolchain=self.toolchain,
            flags=FLAGS,
            bitcode=hashlib.sha256(code).digest(),
            plan=plan,
            rows=rows,
            cols=cols,
            quant=op.partition("_")[2],
        )


def machine_of(run: Run) -> Machine:
    (boot,) = [e for e in run.events if isinstance(e, Boot)]
    return Machine(boot.features, run.before.partition("build ")[2].split()[0])


def others(fields: KeyFields) -> list[KeyFields]:
    """The same but for one field each."""
    return [
        replace(fields, cpu_mask=fields.cpu_mask ^ 1 << 2),
        replace(fields, xcr0=fields.xcr0 ^ 4),
        replace(fields, kernel_abi=fields.kernel_abi + 1),
        replace(fields, toolchain=fields.toolchain[::-1]),
        replace(fields, flags=""),
        replace(fields, bitcode=fields.bitcode[::-1]),
        replace(fields, plan=fields.plan + " "),
        replace(fields, rows=fields.rows + 1),
        replace(fields, cols=fields.cols + 8),
        replace(fields, quant="q4_9"),
        replace(fields, format=fields.format + 1),
    ]
