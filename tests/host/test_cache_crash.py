"""The kernel's cache under power cuts, and proof that these would find a log that is wrong."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from cache_driver import BELOW, HERE, LOG
from hostcc import build

UNUSED = ["-Wno-unused-parameter", "-Wno-unused-variable"]
DRIVER = HERE / "cache_crash.c"


def run(program: Path, seed: int, images: int) -> subprocess.CompletedProcess[str]:
    command = [str(program), str(seed), str(images)]
    return subprocess.run(command, capture_output=True, text=True, timeout=1800)


@pytest.mark.parametrize("seed", [1, 2])
def test_power_cuts(seed: int) -> None:
    done = run(build("cache_crash", [DRIVER, *LOG, *BELOW]), seed, 4000)
    assert done.returncode == 0 and done.stdout.startswith("ok 4"), done.stdout + done.stderr
    assert int(done.stdout.split()[3]) > 20, "arenas hardly ever change"


@pytest.mark.full
@pytest.mark.parametrize("seed", range(100, 110))
def test_many_power_cuts(seed: int) -> None:
    done = run(build("cache_crash", [DRIVER, *LOG, *BELOW]), seed, 50_000)
    assert done.returncode == 0, done.stdout + done.stderr


# What is wrong: the file, what stands there, what stands there instead.
WRONG = {
    "no_flush": (
        "cache_write.c",
        "> sectors, err) ||\n        cache_io_flush(c, err))",
        "> sectors, err))",
    ),
    "counts_before_flush": (
        "cache_io.c",
        "    if (block_flush(c->device, err) == 0)\n        return 0;",
        "    static unsigned late;\n"
        "    if (++late < 2)\n        return 0;\n"
        "    late = 0;\n"
        "    if (block_flush(c->device, err) == 0)\n        return 0;",
    ),
    "switches_before_flush": (
        "cache_compact.c",
        "    if (cache_io_flush(c, err))\n        return -1;\n",
        "",
    ),
    "any_life": (
        "cache_walk.c",
        "cache_record_of_life(r, &c->chain, w->at) &&\n"
        "           memcmp(r->link, w->link, sizeof r->link) == 0 &&",
        "r->lba == w->at &&",
    ),
    "any_payload": (
        "cache_io.c",
        "    return memcmp(found, digest, SHA256_SIZE) == 0 ? CACHE_SOUND : CACHE_WRONG;",
        "    return CACHE_SOUND;",
    ),
    "any_superblock": (
        "cache_superblock.c",
        "memcmp(s->sha256, digest, sizeof digest) == 0",
        "true",
    ),
    "one_superblock": (
        "cache_superblock.c",
        "    unsigned older = c->slots[1].generation < c->slots[0].generation;\n"
        "    if (write_slot(c, older, chain, err))\n        return -1;\n"
        "    return write_slot(c, 1 - older, chain, err);",
        "    return write_slot(c, 0, chain, err);",
    ),
    "damaged_last_stays": (
        "cache_mount.c",
        "    } else if (any) {\n",
        "    } else if (any) {\n        c->chain.at += 1;\n",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_log_is_found(tmp_path: Path, name: str) -> None:
    file, right, wrong = WRONG[name]
    sources = []
    for path in LOG:
        if path.name != file:
            sources.append(path)
            continue
        text = path.read_text()
        assert text.count(right) == 1, "the source has changed: change the mutation"
        changed = tmp_path / file
        changed.write_text(text.replace(right, wrong))
        sources.append(changed)
    program = build(f"cache_crash_{name}", [DRIVER, *sources, *BELOW], flags=UNUSED)
    done = run(program, 1, 30_000)
    assert done.returncode == 1 and done.stdout.startswith("violation"), done.stdout + done.stderr
