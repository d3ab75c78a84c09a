"""How exact the image's elementary functions are, as docs/libc.md tells it, and that they are
llvm-libc's."""

from pathlib import Path

import numpy as np
import pytest

from fluid.errors import FluidError
from fluid.libc_report import linked_sources, markdown
from fluid.targets import TARGETS
from libc_accuracy import FUNCTIONS, Function, measure
from libc_campaign import DOCUMENT, links
from libc_driver import MANIFEST, unfit
from libc_table import read_table, section_of

ROUNDED = 0.0005  # in the document's numbers
OBJECTS = 25  # of llvm-libc, at least, in each kernel


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
def test_no_worse_than_documented(target: str, function: Function) -> None:
    """What is measured here is among what the document's numbers were measured with."""
    if unfit(target):
        pytest.skip(unfit(target))
    documented = read_table(DOCUMENT.read_text(encoding="utf-8"))[function.name]
    worst = measure(function, [target], "quick")[target]
    limit = 0.0 if function.exact else 1.0
    assert worst.ulp <= documented[target] + ROUNDED <= limit + ROUNDED, worst


def test_the_document_is_complete() -> None:
    """Each function on each target."""
    table = read_table(DOCUMENT.read_text(encoding="utf-8"))
    assert list(table) == [function.name for function in FUNCTIONS]
    assert all(list(row) == list(TARGETS) for row in table.values())


def test_every_function_of_the_library_is_measured() -> None:
    with_f = {"tanf", "erff", "exp2f", "log2f"}  # there in float only
    names = {function.name.partition(".")[0] for function in FUNCTIONS}
    offered = {one.name for one in MANIFEST.taken if one.header == "math.h" and one.public}
    assert names == offered | {one.name for one in MANIFEST.supplied if one.header == "math.h"}
    assert names >= with_f | {"exp", "log", "sin", "cos", "pow", "tanh", "sqrt", "expf", "powf"}


@pytest.mark.parametrize("target", TARGETS)
def test_linked_objects_are_llvm_libcs(target: str) -> None:
    """The link maps say so, and the document says what they say."""
    found = links(target)
    assert len(found["kernel"] & set(MANIFEST.sources("kernel"))) >= OBJECTS
    assert found["llama"] & set(MANIFEST.sources("llama"))
    document = DOCUMENT.read_text(encoding="utf-8")
    assert document == markdown(MANIFEST, found, section_of(document)), "run: ./sconsw libc-report"


def test_a_link_without_the_library(tmp_path: Path) -> None:
    """An earlier attempt linked none of it and did not notice."""
    path = tmp_path / "kernel.map"
    path.write_text("  1000  1000  10  16  build/obj/kernel/lib/panic.c.o:(.text)\n")
    with pytest.raises(FluidError, match="E-LIBC-05"):
        linked_sources(path, "kernel")


def test_errors_are_noticed() -> None:
    """The measure itself: one unit in the last place more is one more."""
    from libc_accuracy import errors, exact

    function = next(f for f in FUNCTIONS if f.name == "expf")
    given = np.array([0.5, 1.0, -3.25], np.float32)
    right = exact(function, given)
    up = np.nextafter(right.near, np.float32(np.inf))
    assert np.all(errors(right.near, right) <= 0.5)
    assert np.all((errors(up, right) >= 0.5) & (errors(up, right) <= 1.5))
    assert errors(np.full(3, np.nan, np.float32), right).tolist() == [np.inf] * 3
    assert errors(-right.near, right).min() > 1e6
