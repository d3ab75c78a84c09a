"""A fault in a module costs fluid-host the call as it does the machine; Linux tells of it."""

from pathlib import Path

import pytest

from faulty_modules import CODE, faulty
from fluid.event_types import Done
from guests import TinyModel, codes
from host_machine import SECONDS, Hosts, image_of
from test_errors import artifact_registry, with_registry


@pytest.mark.parametrize(
    ("name", "export", "kind"),
    [
        *(("llama", "llama_tokenize", kind) for kind in CODE),
        ("tensor_norm", "rmsnorm", "page"),
        ("llama", "llama_position", "divide"),
    ],
)
def test_the_call_is_given_up(
    hosts: Hosts, tiny: TinyModel, tmp_path: Path, name: str, export: str, kind: str
) -> None:
    """As often as it is made; everything else goes on working, on the same stack."""
    good = image_of(hosts.build, tiny())
    registry = faulty(artifact_registry(good), name, export, CODE[kind])
    host = hosts.boot(with_registry(good, registry, tmp_path))
    line = "/complete 3 once" if export != "llama_tokenize" else "/score once"
    for _ in range(3):
        start = len(host.text)
        assert codes(host.command(line, SECONDS)) == ["E-MOD-16"]
        assert f"{name}:{export}+0x".encode() in host.text[start:]
    if export == "llama_tokenize":
        assert isinstance(host.command("hello", SECONDS)[-1], Done)
    assert codes(host.command("/selftest", SECONDS)) == []
