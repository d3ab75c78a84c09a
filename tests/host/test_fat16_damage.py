"""The FAT16 reader on damaged images: a code or correct data, never anything else."""

from __future__ import annotations

import itertools
import random
import struct
from collections.abc import Callable, Iterable, Iterator

import pytest

from fat16_damage import BPB_DAMAGES, Bpb, Patch
from fat16_image import (
    FILES,
    LONG,
    PARTITION_LBA,
    SECTOR,
    STANDARD_SECTORS,
    Reader,
    ReaderError,
    standard_disk,
)

BOOT = PARTITION_LBA * SECTOR


@pytest.fixture
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    reader = Reader(standard_disk(tmp_path_factory))
    reader.mount()
    yield reader
    reader.close()


@pytest.mark.parametrize(
    ("links", "code"),
    [
        ([(0, 0)], "E-FAT-14"),
        ([(0, "self")], "E-FAT-15"),
        ([(1, "first")], "E-FAT-15"),
        ([(-1, "first")], "E-FAT-15"),
        ([(-1, 0xFFF7)], "E-FAT-14"),
        ([(-1, 0xFFF0)], "E-FAT-14"),
        ([(2, "past")], "E-FAT-14"),
        ([(0, 0xFFFF)], "E-FAT-16"),
        ([(-2, 0xFFF8)], "E-FAT-16"),
        ([(3, 1)], "E-FAT-17"),
    ],
)
def test_broken_chains(
    reader: Reader,
    links: list[tuple[int, int | str]],
    code: str,
) -> None:
    disk = reader.disk.read_bytes()
    chain = [struct.unpack_from("<H", disk, reader.layout.entry(b"FRAGMENTBIN") + 26)[0]]
    while (link := struct.unpack_from("<H", disk, reader.layout.link(chain[-1]))[0]) < 0xFFF8:
        chain.append(link)
    assert len(chain) == 28
    assert any(b != a + 1 for a, b in itertools.pairwise(chain)), "not fragmented"
    for index, target in links:
        cluster = chain[index]
        named = {"self": cluster, "first": chain[0], "past": reader.layout.clusters + 2}
        value = named[target] if isinstance(target, str) else target
        for copy in range(2):
            reader.poke(reader.layout.link(cluster, copy), struct.pack("<H", value))
    reader.mount()
    assert reader.outcome("read", "FRAGMENT.BIN", 0) == code
    assert reader.outcome("read", "SIZE40000.BIN", 0).startswith("40000 ")


def test_damaged_start_of_a_chain(reader: Reader) -> None:
    at = reader.layout.entry(b"SIZE513 BIN") + 26
    for cluster in (0, 1, reader.layout.clusters + 2, 0xFFF7, 0xFFFF):
        reader.poke(at, struct.pack("<H", cluster))
        assert reader.outcome("read", "SIZE513.BIN", 0) == "E-FAT-14"
    at = reader.layout.entry(b"MODULES    ") + 26
    for cluster, code in ((0, "E-FAT-14"), (0xFFFF, "E-FAT-14"), (9, "E-FAT-21")):
        reader.poke(at, struct.pack("<H", cluster))
        assert reader.outcome("list", "MODULES") == code


def test_size_larger_than_the_chain(reader: Reader) -> None:
    at = reader.layout.entry(b"SIZE513 BIN") + 28
    for size in (1025, 1 << 24):
        reader.poke(at, struct.pack("<I", size))
        assert reader.outcome("read", "SIZE513.BIN", 0) == "E-FAT-16"


def test_directory_that_contains_itself(reader: Reader) -> None:
    disk = reader.disk.read_bytes()
    first = struct.unpack_from("<H", disk, reader.layout.entry(b"MODULES    ") + 26)[0]
    for copy in range(2):
        reader.poke(reader.layout.link(first, copy), struct.pack("<H", first))
    reader.mount()
    assert reader.outcome("list", "MODULES") == "E-FAT-15"
    assert reader.outcome("read", "MODULES/tensor_0.mod", 0) == "E-FAT-15"


def mounts(reader: Reader) -> bool:
    try:
        reader.mount()
    except ReaderError as error:
        assert error.code.startswith("E-FAT-")
        return False
    return True


def outcomes(reader: Reader, names: Iterable[str]) -> dict[str, str]:
    return {name: reader.outcome("read", name, 0) for name in names}


def test_random_damage_to_one_fat(reader: Reader) -> None:
    """Either copy of the FAT may be hit: the other one shows it."""
    good = outcomes(reader, FILES)
    rng = random.Random(8)
    used = 512  # clusters from the start that hold files
    for _ in range(300):
        copy = rng.randrange(2)
        for _ in range(rng.choice((1, 3, 20))):
            value = rng.choice((rng.randbytes(2), struct.pack("<H", rng.randrange(used))))
            reader.poke(reader.layout.link(rng.randrange(used), copy), value)
        if mounts(reader):
            for name, outcome in outcomes(reader, FILES).items():
                assert outcome == good[name] or outcome.startswith("E-FAT-"), name
        reader.ask("restore")


@pytest.mark.parametrize(("name", "damage", "code"), BPB_DAMAGES)
def test_fields_of_the_boot_sector(
    reader: Reader, name: str, damage: Callable[[Bpb], Patch], code: str
) -> None:
    boot = reader.disk.read_bytes()[BOOT : BOOT + SECTOR]
    offset, value = damage(Bpb.of(boot, STANDARD_SECTORS))
    reader.poke(BOOT + offset, value)
    with pytest.raises(ReaderError) as raised:
        reader.mount()
    assert raised.value.code == code, name


def test_no_memory_for_the_fats(reader: Reader) -> None:
    """What if memory runs out at the first FAT, or at the copy that is compared with it?"""
    for allocations in (0, 1):
        reader.ask("allocations", allocations)
        with pytest.raises(ReaderError) as raised:
            reader.mount()
        assert raised.value.code == "E-FAT-13"
    reader.ask("allocations", 1000)
    reader.mount()


# The number of root entries (a multiple of 16) is written nowhere else: damage that gives another
# multiple shifts the data area unnoticed, until a sub-directory is read (E-FAT-21).
UNPROTECTED = {17, 18}


def test_every_byte_of_the_boot_sector(reader: Reader) -> None:
    boot = reader.disk.read_bytes()[BOOT : BOOT + SECTOR]
    names = ("SIZE513.BIN", LONG, "FRAGMENT.BIN", "MODULES/tensor_7.mod")
    good = outcomes(reader, names)
    wrong: set[int] = set()
    for offset in [*range(64), 510, 511]:
        old = boot[offset]
        for value in {0, 1, 2, 3, 0x7F, 0x80, 0xF0, 0xFF, old ^ 1, (old + 1) % 256, old // 2}:
            reader.poke(BOOT + offset, bytes([value]))
            if mounts(reader):
                reader.ask("walk")
                for name, outcome in outcomes(reader, names).items():
                    if outcome != good[name] and not outcome.startswith("E-"):
                        wrong.add(offset)
                        assert "/" not in name
            reader.ask("restore")
    assert wrong <= UNPROTECTED


@pytest.mark.parametrize("seed", range(4))
def test_random_damage_anywhere(reader: Reader, seed: int) -> None:
    """No crash, no endless loop: the sanitizers watch."""
    rng = random.Random(seed)
    areas = [
        (BOOT, 64),
        (reader.layout.fat, 1024),
        (reader.layout.fat + reader.layout.fat_bytes, 1024),
        (reader.layout.root, 4096),
        (reader.layout.data, 16 * reader.layout.cluster_bytes),
    ]
    for _ in range(100):
        for _ in range(rng.choice((1, 4, 32))):
            start, size = rng.choice(areas)
            reader.poke(start + rng.randrange(size), rng.randbytes(1))
        if mounts(reader):
            reader.ask("walk")
        reader.ask("restore")
