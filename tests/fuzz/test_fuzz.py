"""Each fuzz target for a while: no finding, and it did look at something."""

from pathlib import Path

import pytest

from fuzz_campaign import RUNS, Finding, run
from fuzz_targets import TARGETS, Target
from hostcc import ROOT

SECONDS = 20
MIN_RUNS = 2000  # the slowest target does a hundred times as many on an idle machine
COMMITTED_BYTES = 300_000

each_target = pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)


@each_target
def test_target_finds_nothing(target: Target, tmp_path: Path) -> None:
    result = run(target, tmp_path, seconds=SECONDS)
    assert result.seeds == len(list(target.corpus.iterdir()))
    assert result.runs > MIN_RUNS
    assert result.corpus > result.seeds // 2  # mutations reach code that no seed reaches
    assert result.coverage > 100


@pytest.mark.full
@each_target
def test_long_campaign(target: Target, tmp_path: Path) -> None:
    assert run(target, tmp_path, runs=RUNS).runs >= RUNS


class Broken(Target):
    """A target that breaks at the input "bug"."""

    @property
    def corpus(self) -> Path:
        return self.sources[0].parent


BROKEN = """#include "fuzz.h"
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    REQUIRE(size < 3 || memcmp(data, "bug", 3) != 0);
    return 0;
}
"""


def test_a_finding_is_told(tmp_path: Path) -> None:
    """The input is kept, and the command that shows it again is said."""
    source = tmp_path / "source" / "broken.c"
    source.parent.mkdir()
    source.write_text(BROKEN)
    target = Broken("broken", "finds something", [source], [], max_len=8, words=False)
    with pytest.raises(Finding, match=r"target broken(.|\n)*broken: size < 3") as raised:
        run(target, tmp_path / "out", seconds=60)
    [kept] = (tmp_path / "out").glob("finding-*")
    assert kept.read_bytes().startswith(b"bug") and str(kept) in str(raised.value)


def test_seeds_are_small() -> None:
    """Everything that make_corpus.py wrote, together."""
    files = [path for path in (ROOT / "tests/fuzz/corpus").rglob("*") if path.is_file()]
    assert 0 < sum(path.stat().st_size for path in files) < COMMITTED_BYTES
