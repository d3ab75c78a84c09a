"""Error codes are stable names: one meaning each, all in the catalogue, each named by a test."""

from __future__ import annotations

from pathlib import Path

from error_codes import CODE, ROOT, named_in_tests, of_build, of_machine
from fluid.error_docs import WHO, load, markdown

CATALOGUE = load()
# modread.py refuses what the kernel's loader refuses, under the same codes.
# cachefile.py and cachelog.py are models of the kernel's cache; jit.py asks jit.elf as the kernel
# does.
SHARED = {f"E-MOD-{number:02}" for number in range(1, 5)}
SHARED |= {f"E-JIT-{number:02}" for number in (30, 31)}
SHARED |= {f"E-CACHE-{number:02}" for number in (2, *range(5, 11))}
SHARED |= {"E-JIT-30", "E-JIT-31"}
ADD = "site_scons/fluid/error_catalogue.toml: add E-AREA-nn = [who, cause, remedy] for each"
REMOVE = "site_scons/fluid/error_catalogue.toml: nothing says these any more; remove their lines"


def test_one_meaning_each() -> None:
    """The build and the machine number their errors apart."""
    machine, build = of_machine(), of_build()
    assert len(machine) > 90 and len(build) > 40
    assert machine & build == SHARED


def test_the_catalogue_has_every_code() -> None:
    used = of_machine() | of_build()
    assert used - CATALOGUE.errors.keys() == set(), ADD
    assert CATALOGUE.errors.keys() - used == set(), REMOVE


def test_rows_are_sound() -> None:
    machine, build = of_machine(), of_build()
    order = [(list(CATALOGUE.areas).index(e.area), e.code) for e in CATALOGUE.errors.values()]
    assert order == sorted(order), "sort the lines by area and number"
    for e in CATALOGUE.errors.values():
        assert CODE.fullmatch(e.code) and e.area in CATALOGUE.areas
        assert e.who in WHO and (e.code in machine) == (e.who != "build"), e.code
        assert (e.code in build) == (e.who != "machine"), e.code
        for text in (e.cause, e.remedy):
            assert text and not text.endswith(".") and text[0] == text[0].strip(), e.code
    assert set(CATALOGUE.areas) == {e.area for e in CATALOGUE.errors.values()}


def test_the_document_is_generated() -> None:
    committed = Path(ROOT / "docs/errors.md").read_text(encoding="utf-8")
    assert committed == markdown(CATALOGUE), "run: scons docs"


def test_no_other_document_explains_codes() -> None:
    """The catalogue is the only table: a second one would go out of date."""
    for path in sorted((ROOT / "docs").glob("*.md")):
        lines = path.read_text(encoding="utf-8").splitlines()
        rows = [line for line in lines if line.startswith("| E-")]
        assert path.name == "errors.md" or rows == []


def test_every_code_is_named_by_a_test() -> None:
    """tests/conftest.py checks that it is also said while all tests run."""
    unnamed = CATALOGUE.errors.keys() - named_in_tests()
    assert unnamed == set(), "write a test that provokes each of these and names its code"
