"""The benchmarks in C as Linux processes, compiled in several ways, against bench_oracles.py.

The one in C++ needs a module's runtime: test_physics_step.py runs it in fluid-host.
"""

import functools
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from bench_oracles import CATALOGUE, transform, twiddles, windows
from hostcc import FAIL, ROOT, build

SOURCES = {path.stem: path for path in (ROOT / "src/modules/bench").glob("*.c")}
# The module's own flags that matter to results; without the second sqrt is a call.
FLAGS = ["-D_GNU_SOURCE", "-Itests/host", "-ffp-contract=off", "-fno-math-errno"]
LEVELS = ("O0", "O1", "O2", "O3", "sanitized")
MEMORY = 1 << 30


@functools.cache
def checksum(name: str, size: int) -> str:
    return f"{CATALOGUE[name].checksum(size):08x}"


def said(
    name: str,
    level: str,
    *arguments: object,
    source: Path | None = None,
    flags: tuple[str, ...] = (),
) -> list[str]:
    """The lines of bench_host.c with this benchmark."""
    sources = [ROOT / "tests/host/bench_host.c", ROOT / "tests/host/kapi_host.c", FAIL]
    sources.append(source or SOURCES[name])
    sanitize = level == "sanitized"
    program = build(
        f"bench_host_{sources[-1].stem}_{level}",
        sources,
        flags=[*FLAGS, f"-DBENCH={name}", *([] if sanitize else [f"-{level}"]), *flags],
        sanitize=sanitize,
    )
    command = [str(program), *map(str, arguments)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    return done.stdout.splitlines()


def test_the_catalogue_is_complete() -> None:
    modules = {path.stem for path in (ROOT / "src/modules/bench").glob("*.c*")}
    assert set(CATALOGUE) == modules
    text = (ROOT / "docs/benchmarks.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \|.*\| ([\d, *]+) \| (\w+)", text, re.MULTILINE)
    told = {name: (sizes, unit) for name, sizes, unit in rows}
    for name, b in CATALOGUE.items():
        sizes = ", ".join(f"**{size}**" if size == b.default else str(size) for size in b.sizes)
        assert told.pop(name) == (sizes, b.unit)
    assert told == {}


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", SOURCES)
def test_golden_checksums(name: str, level: str) -> None:
    """Every call gives what the module says it must, which is what the oracle finds."""
    for size in CATALOGUE[name].sizes:
        units, expected = CATALOGUE[name].units(size), checksum(name, size)
        first = f"{size}: {units} {CATALOGUE[name].unit}, {expected} expected"
        assert said(name, level, size, 2) == [first, expected, expected]


@pytest.mark.parametrize("name", SOURCES)
def test_sizes_and_memory(name: str) -> None:
    """0 is the default size; sizes that are none, and those that memory does not suffice for."""
    sizes = CATALOGUE[name].sizes
    assert said(name, "sanitized", 0, 0)[0].startswith(f"{CATALOGUE[name].default}: ")
    listed = ", ".join(map(str, sizes[:-1])) + f" or {sizes[-1]}"
    for wrong in (1, sizes[0] + 1, sizes[-1] + 1, sizes[0] + 2**32, 2**64 - 1):
        refusal = f"E-BENCH-02 a size of {listed} expected, found {wrong}"
        assert said(name, "sanitized", wrong, 1) == [refusal]
    if name not in ("compute", "fibonacci"):  # these work in registers
        [refusal] = said(name, "sanitized", sizes[-1], 1, 1000)
        assert re.fullmatch(r"E-BENCH-04 \d{4,} bytes of memory expected .*", refusal)


@pytest.mark.parametrize("name", SOURCES)
def test_stopping(name: str) -> None:
    """A call ends soon after somebody wants it to; no memory is left behind."""
    size = CATALOGUE[name].sizes[-1]
    [_, stopped, again] = said(name, "sanitized", size, 2, MEMORY, 1)
    assert stopped == "00000000" and again == checksum(name, size)


def test_a_wrong_hash_is_an_error(tmp_path: Path) -> None:
    """sha256_stream looks at the standard's examples first; here one of its constants is wrong."""
    table = (ROOT / "src/include/fluid/sha256_table.h").read_text()
    assert table.count("0x428a2f98") == 1
    (tmp_path / "wrong.h").write_text(table.replace("0x428a2f98", "0x428a2f99"))
    source = tmp_path / "wrong_sha256.c"
    text = SOURCES["sha256_stream"].read_text()
    source.write_text(text.replace('"fluid/sha256_table.h"', '"wrong.h"'))
    flags = ("-Isrc/modules/bench",)
    [refusal] = said("sha256_stream", "O1", 4096, 1, source=source, flags=flags)
    assert refusal.startswith("E-BENCH-03 SHA-256 of abc: ba7816bf at the beginning expected, ")


@pytest.mark.parametrize("n", CATALOGUE["fft_1d"].sizes)
def test_the_transform_is_fourier_s(n: int) -> None:
    """The oracle defines the order of operations; this says that the result is what it should."""
    cosine, sine = twiddles(n)
    angle = 2 * np.pi * np.arange(n // 2) / n
    assert np.abs(cosine - np.cos(angle)).max() < 6e-8 > np.abs(sine - np.sin(angle)).max()
    re, im = windows(n)
    found_re, found_im = transform(re, im, cosine, sine)
    expected = np.fft.fft(re.astype(np.float64) + 1j * im)
    assert np.abs(found_re + 1j * found_im - expected).max() < 1e-6 * n
