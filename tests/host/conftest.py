"""Fixtures of the tests that run fluid-host."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from host_machine import BUILDS, Hosts, hosts_of
from models import make_tiny


@pytest.fixture(params=BUILDS, ids="-".join)
def hosts(request: pytest.FixtureRequest) -> Iterator[Hosts]:
    """fluid-host of each width, and the one with sanitizers."""
    with hosts_of(request.param) as made:
        yield made


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """tiny(quant, tokenizer, ...): the path of a small random model (tests/models.py)."""
    folder = tmp_path_factory.mktemp("models")

    @cache
    def make(quant: str = "F32", tokenizer: str = "spm", **options: Any) -> Path:
        marks = [f"{key}{value}" for key, value in sorted(options.items())]
        name = "-".join(["tiny", quant.lower(), tokenizer, *marks])
        return Path(make_tiny(folder / f"{name}.gguf", quant=quant, tokenizer=tokenizer, **options))

    return make
