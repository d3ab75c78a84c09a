"""The C library's elementary functions on the machine itself, on every CPU tag: bit for bit what
the same code gives in a Linux process, where tests/host measures how exact it is."""

from pathlib import Path

import numpy as np
import pytest

from guests import Machines
from libc_accuracy import FUNCTIONS, Function, arguments
from libc_driver import Array, evaluate
from libc_machine import agreement, answer, differing, job, math_image, stand_in
from matrix import ROWS, Row, rows

EACH = 3000  # arguments for each function, besides special ones

ONE_PER_TAG = list({row.tag: row for row in ROWS}.values())


def _some(function: Function) -> Array:
    """Special values and a part of what tests/host calculates with."""
    special, *rest = arguments(function, "quick")
    values = np.concatenate(rest)
    return np.concatenate([special, values[:: max(1, len(values) // EACH)]])


def _answer(machines: Machines, row: Row, jobs: list[bytes], folder: Path) -> str:
    image = math_image(row.tag, jobs, folder)
    return answer(machines.boot(row.tag, image, **row.cpu.options()))


@pytest.mark.parametrize("row", rows(ONE_PER_TAG))
def test_results_are_those_of_the_linux_process(
    machines: Machines, row: Row, tmp_path: Path
) -> None:
    given = {function.name: _some(function) for function in FUNCTIONS}
    jobs = [job(n, x, evaluate(stand_in(row.tag), n, x)) for n, x in given.items()]
    count = sum(len(x) for x in given.values())
    assert _answer(machines, row, jobs, tmp_path) == agreement(len(FUNCTIONS), count)


@pytest.mark.parametrize("row", rows(ONE_PER_TAG[:1]))
def test_a_wrong_result_is_noticed(machines: Machines, row: Row, tmp_path: Path) -> None:
    given = np.array([0.5, 1.5], np.float32)
    right = evaluate(row.tag, "sinf", given)
    wrong = np.nextafter(right, np.float32(2), where=[False, True], out=right.copy())
    jobs = [job("sinf", given, right), job("sinf", given, wrong)]
    found = _answer(machines, row, jobs, tmp_path)
    assert found.startswith("2 functions, 4 results, 1 differ sinf:1:")
    assert differing(found) == [("sinf", 1, float(right[1]))]
