"""Fixtures of the tests that run fluid-host."""

from collections.abc import Iterator

import pytest

from cache_driver import CacheHost, CacheModel, Make
from fluid.targets import DEFAULT_TARGET
from guests import TinyModel
from host_machine import BUILDS, Hosts, hosts_of
from models import tiny_maker
from tensor_driver import Tensor


@pytest.fixture(params=BUILDS, ids="-".join)
def hosts(request: pytest.FixtureRequest) -> Iterator[Hosts]:
    """fluid-host of each width, and the one with sanitizers."""
    with hosts_of(request.param) as made:
        yield made


@pytest.fixture(scope="module")
def machines() -> Iterator[Hosts]:
    """fluid-host of the default target."""
    with hosts_of((DEFAULT_TARGET, "none")) as made:
        yield made


@pytest.fixture(params=[CacheHost, CacheModel], ids=["kernel", "model"])
def make(request: pytest.FixtureRequest) -> Make:
    """make(partition): the kernel's cache on it, or the cache's model."""
    chosen: Make = request.param
    return chosen


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> TinyModel:
    """tiny(quant, tokenizer, ...): the path of a small random model (tests/models.py)."""
    return tiny_maker(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def tensor() -> Iterator[Tensor]:
    """The tensor operations of every variant."""
    tensor = Tensor()
    yield tensor
    tensor.close()
