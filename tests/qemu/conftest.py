"""Fixtures of the tests that boot images. Every event that any machine sends is checked against its
schema after the test in which it came."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fluid.machine import Machine
from fluid.targets import DEFAULT_TARGET
from guests import Machines, TinyModel
from matrix import WANTED, of_wanted
from models import tiny_maker
from qemu_images import BUILD, image_of

FAILED = pytest.StashKey[bool]()


HERE = Path(__file__).parent


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out the tests of targets that FLUID_TARGETS does not name."""
    _, left_out = of_wanted(item for item in items if item.path.is_relative_to(HERE))
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        gone = set(left_out)
        items[:] = [item for item in items if item not in gone]


def pytest_report_header() -> str:
    """Of which targets the tests are."""
    return f"targets: {' '.join(WANTED)}"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Tells fixtures whether their test failed."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.failed:
        item.stash[FAILED] = True


@pytest.fixture(scope="session")
def _all_machines() -> Iterator[Machines]:
    machines = Machines()
    yield machines
    machines.close()


@pytest.fixture(autouse=True)
def machines(_all_machines: Machines, request: pytest.FixtureRequest) -> Iterator[Machines]:
    """Starts machines for one test."""
    yield _all_machines
    failed = request.node.stash.get(FAILED, False)
    try:
        _all_machines.check()
    finally:
        _all_machines.end_unshared()
        if failed:
            _all_machines.discard_shared()


@pytest.fixture(scope="session", params=["i686", DEFAULT_TARGET])
def target(request: pytest.FixtureRequest) -> str:
    """One target of each architecture; test_targets.py looks at what sets the others apart."""
    return str(request.param)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> TinyModel:
    """tiny(quant, tokenizer, ...): the path of a small random model (tests/models.py)."""
    return tiny_maker(tmp_path_factory.mktemp("models"))


@pytest.fixture
def guest(machines: Machines, target: str, tiny: TinyModel) -> Machine:
    """A machine of each target with a tiny F32 model, at its prompt; shared between tests."""
    return machines.shared(target, image_of(target, tiny()))


@pytest.fixture(scope="session")
def pictures() -> Path:
    """Where screenshots go."""
    BUILD.mkdir(exist_ok=True)
    return BUILD
