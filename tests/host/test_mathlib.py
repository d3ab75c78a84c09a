"""The engine's elementary functions against the C library, within the errors of mathlib.h."""

import math
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

import models
from engine_driver import Engine

ULP = 2.0**-52


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    path: Path = models.make_tiny(tmp_path_factory.mktemp("m") / "m.gguf", layers=1)
    with Engine(path, "vocabulary") as running:
        yield running


def value(engine: Engine, name: str, x: float, y: float = 0.0) -> float:
    found: float = engine.ask("math", name, repr(x), repr(y))["value"]
    return found


def test_exp_and_log(engine: Engine) -> None:
    rng = random.Random(1)
    for _ in range(1500):
        x = rng.uniform(-700, 700)
        assert value(engine, "exp", x) == pytest.approx(math.exp(x), rel=2 * ULP, abs=0)
        x = math.exp(x)
        assert value(engine, "log", x) == pytest.approx(math.log(x), rel=2 * ULP, abs=0)
    assert value(engine, "exp", -800) == 0 and value(engine, "exp", 0) == 1
    assert value(engine, "exp", -math.inf) == 0
    assert value(engine, "log", 1) == 0


def test_pow(engine: Engine) -> None:
    rng = random.Random(2)
    for base in (10000.0, 100000.0, 500000.0, 1.5):
        for _ in range(200):
            y = rng.uniform(-1, 1)
            assert value(engine, "pow", base, y) == pytest.approx(base**y, rel=1e-13)


def test_sin_and_cos(engine: Engine) -> None:
    rng = random.Random(3)
    for _ in range(1500):
        x = rng.uniform(0, 2.0 ** rng.randrange(-10, 20))
        assert value(engine, "sin", x) == pytest.approx(math.sin(x), abs=1e-15)
        assert value(engine, "cos", x) == pytest.approx(math.cos(x), abs=1e-15)
