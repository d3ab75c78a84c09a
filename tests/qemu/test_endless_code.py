"""Code that a host's compiler has made and that comes to no end once it is published: given up
after ten seconds, on whatever processor, and the reply goes on with the same tokens."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fluid.compile_server import CompileServer
from fluid.event_types import Done, Tier, Token, Warn
from guests import Machines
from models import make_tiny
from tier_faults import NEVER, Row, bad_add, bad_matmul, fake_compiler, response
from tier_images import TARGET, modules, slow, tier_image

pytestmark = pytest.mark.of_target(TARGET)

ROUNDS = 120
CALLS = 832  # by then it has been compared, measured and published
# Of the boot processor the APIC id is 0 (CPUID leaf 1, EBX, bits 31 .. 24).
ELSEWHERE = """{
    unsigned a = 1, b, c = 0, d;
    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    while (b >> 24 != 0)
        __asm__ volatile("pause");
}"""


@pytest.mark.parametrize(
    ("build", "entry", "module", "hang"),
    [
        pytest.param(bad_add, "add", "tensor_act", NEVER, id="this"),
        pytest.param(bad_matmul, "matmul_q8_0", "tensor_q8_0", ELSEWHERE, id="other"),
    ],
)
def test_published_code_that_never_ends(
    machines: Machines,
    tmp_path: Path,
    build: Callable[..., bytes],
    entry: str,
    module: str,
    hang: str,
) -> None:
    model = make_tiny(tmp_path / "tiny.gguf", quant="Q8_0", tokenizer="bpe", ctx=1024)
    image = tier_image(tmp_path, model, modules([slow(tmp_path, module)]), None)
    mod = build(tmp_path, f"if (before >= {CALLS}) {hang}")
    compiler = fake_compiler(tmp_path, [Row(entry, answer=response(mod))])
    compiler.chmod(0o755)
    with CompileServer(compiler) as server:
        guest = machines.boot(TARGET, image, mem=256, smp=2, server=server)
        reference: list[int] = []
        for _ in range(ROUNDS):
            events = guest.command("/complete 300 once upon a time", 300)
            assert isinstance(events[-1], Done)
            tokens = [e.id for e in events if isinstance(e, Token)]
            reference = reference or tokens
            assert tokens == reference
            if any(isinstance(e, Warn) and e.code == "E-MOD-16" for e in guest.events):
                break
    decided = [e for e in guest.events if isinstance(e, Tier) and e.op == entry]
    assert [e.reason for e in decided if e.result == "rejected" and e.reason == "fault"]
    [warning, *_] = [e for e in guest.events if isinstance(e, Warn) and e.code == "E-MOD-16"]
    assert f"found time limit at {module}:" in warning.text
