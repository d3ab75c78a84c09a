"""The manifest of what is taken of llvm-libc."""

from pathlib import Path

import pytest

from fluid import libc_manifest
from fluid.errors import FluidError

ROOT = Path(__file__).resolve().parents[2]
SOUND = (
    '[[take]]\nheader = "string.h"\nfolder = "string"\nunits = ["kernel"]\nfunctions = ["memcpy"]\n'
)


def test_the_manifest_in_the_tree() -> None:
    manifest = libc_manifest.load(ROOT / libc_manifest.MANIFEST)
    kernel = manifest.sources("kernel")
    assert "string/memcpy.cpp" in kernel and not any("math/" in source for source in kernel)
    assert manifest.entry_points("modules") >= {
        "exp",
        "expf",
        "log",
        "sin",
        "pow",
        "tanh",
        "strtod",
    }
    assert manifest.entry_points("kernel") >= {"memcpy", "strtol", "qsort", "vsnprintf", "strrchr"}
    assert manifest.entry_points("llama") < manifest.entry_points("modules")
    assert manifest.entry_points("host") == set()  # the C library of its system has these names
    for supplied in manifest.supplied:
        assert all((ROOT / libc_manifest.SUBSET / source).is_file() for source in supplied.sources)
        assert supplied.why


def test_entry_points_and_other_files(tmp_path: Path) -> None:
    path = tmp_path / "m.toml"
    path.write_text(SOUND + 'internal = ["table"]\n')
    manifest = libc_manifest.load(path)
    assert [(t.source, t.public) for t in manifest.taken] == [
        ("string/memcpy.cpp", True),
        ("string/table.cpp", False),
    ]
    assert manifest.sources("llama") == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "take = 1",
        "[[take]]",
        SOUND.replace('["kernel"]', '["kernal"]'),
        SOUND.replace('["kernel"]', "[]"),
        SOUND.replace('["memcpy"]', "[]"),
        SOUND.replace('["memcpy"]', '"memcpy"'),
        SOUND + SOUND,
        SOUND + '[[note]]\nkind = "odd"\nwhat = "a"\nwhy = "b"\n',
        SOUND + '[[note]]\nkind = "left"\n',
        "not toml",
    ],
)
def test_a_bad_manifest_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "m.toml"
    path.write_text(text)
    with pytest.raises(FluidError, match="E-LIBC-04"):
        libc_manifest.load(path)
