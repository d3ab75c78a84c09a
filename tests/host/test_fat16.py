"""The FAT16 reader on images made by mkfs.vfat and mtools, whole and damaged."""

from __future__ import annotations

import itertools
import random
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from fat16_image import PARTITION_LBA, SECTOR, Layout, Reader, ReaderError, Volume
from hostcc import ROOT, build

KERNEL = ROOT / "src/kernel"
SOURCES = [
    ROOT / "tests/host/fat16_host.c",
    *sorted((KERNEL / "fs").glob("fat16*.c")),
    KERNEL / "dev/block.c",
    KERNEL / "dev/mbr.c",
]
LONG = "A long name, with spaces & dots... and 64+ more characters in its tail.txt"
UNICODE = "größe-漢字-Ωя.bin"
SIZES = [0, 1, 511, 512, 513, 4096, 40000]
BOOT = PARTITION_LBA * SECTOR

Contents = dict[str, bytes]


def content(size: int, seed: int) -> bytes:
    return random.Random(seed).randbytes(size)


def fill(volume: Volume) -> Contents:
    """Files of every awkward size and kind of name, in directories, and fragmented ones."""
    files = {f"SIZE{size}.BIN": content(size, size) for size in SIZES}
    files |= {LONG: content(3000, 1), UNICODE: content(700, 2), "lower.txt": content(99, 3)}
    for name in ("MODULES", "MODULES/Deeper directory"):
        volume.mkdir(name)
    files |= {
        f"MODULES/tensor_{i}.mod": content(600 + i, i) for i in range(40)
    }  # 40 long names: more than one cluster of entries
    files["MODULES/Deeper directory/x"] = content(5, 4)
    gaps = [f"GAP{i}.BIN" for i in range(12)]
    for name in gaps:
        volume.put(content(5000, 5), name)
    for name, data in files.items():
        volume.put(data, name)
    for name in gaps[::2]:
        volume.delete(name)
    for name in ("FRAGMENT.BIN", "fragmented too.bin"):
        files[name] = content(28000, len(name))
        volume.put(files[name], name)
    files |= {name: content(5000, 5) for name in gaps[1::2]}
    return files


@pytest.fixture(scope="module")
def driver() -> Path:
    return build("fat16_host", SOURCES)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Contents]:
    folder = tmp_path_factory.mktemp("fat16")
    volume = Volume(folder / "fat.img", sectors=16384, cluster=2)
    files = fill(volume)
    return volume.to_disk(folder / "disk.img"), files


@pytest.fixture
def reader(driver: Path, image: tuple[Path, Contents]) -> Iterator[Reader]:
    reader = Reader(driver, image[0])
    reader.mount()
    yield reader
    reader.close()


@pytest.fixture
def layout(image: tuple[Path, Contents]) -> Layout:
    return Layout.of(image[0])


def assert_same(reader: Reader, files: Contents, folder: Path) -> None:
    for name, expected in files.items():
        reader.ask("dump", name, str(folder / "out"))
        assert (folder / "out").read_bytes() == expected, name


@pytest.mark.parametrize("cluster", [1, 2, 8, 64, 128])
@pytest.mark.parametrize("fats", [1, 2])
def test_contents_at_each_cluster_size(
    driver: Path, tmp_path: Path, cluster: int, fats: int
) -> None:
    volume = Volume(tmp_path / "fat.img", sectors=4600 * cluster, cluster=cluster, fats=fats)
    files = fill(volume)
    if cluster == 128:  # several requests of 4 MiB
        files["BIG.BIN"] = content((9 << 20) + 12345, 6)
        volume.put(files["BIG.BIN"], "BIG.BIN")
    reader = Reader(driver, volume.to_disk(tmp_path / "disk.img"))
    reader.mount()
    assert_same(reader, files, tmp_path)
    reader.close()


def test_lists_what_is_there(reader: Reader, image: tuple[Path, Contents]) -> None:
    files = image[1]
    root = reader.names()
    expected = {name: len(data) for name, data in files.items() if "/" not in name}
    assert {name: row[2] for name, row in root.items() if row[1] == "f"} == expected
    assert root["MODULES"] == ("MODULES", "d", 0)
    assert root["SIZE513.BIN"][0] == "SIZE513.BIN"
    modules = reader.names("MODULES/")
    assert set(modules) == {"Deeper directory"} | {f"tensor_{i}.mod" for i in range(40)}
    assert reader.names("/modules//deeper DIRECTORY/") == {"x": ("X", "f", 5)}


def test_case_and_short_names_do_not_matter(reader: Reader) -> None:
    expected = reader.ask("read", LONG, 0)
    assert reader.ask("read", LONG.upper(), 0) == expected
    assert reader.ask("read", "/ALONGN~1.TXT", 0) == expected
    assert reader.ask("read", "size513.bin", 0) == reader.ask("read", "SIZE513.BIN", 0)


def test_paths_that_lead_nowhere(reader: Reader) -> None:
    assert reader.outcome("read", "NOTHERE", 0) == "E-FAT-18"
    assert reader.outcome("read", "SIZE1.BI", 0) == "E-FAT-18"
    assert reader.outcome("read", "SIZE1.BINX", 0) == "E-FAT-18"
    assert reader.outcome("read", "LABEL", 0) == "E-FAT-18"
    assert reader.outcome("read", "GAP0.BIN", 0) == "E-FAT-18"
    assert reader.outcome("read", "MODULES/..", 0) == "E-FAT-18"
    assert reader.outcome("read", "SIZE1.BIN/x", 0) == "E-FAT-19"
    assert reader.outcome("read", "SIZE1.BIN/", 0) == "E-FAT-19"
    assert reader.outcome("list", "SIZE1.BIN") == "E-FAT-19"
    assert reader.outcome("read", "MODULES", 0) == "E-FAT-19"
    assert reader.outcome("read", "/", 0) == "E-FAT-19"


@pytest.mark.parametrize("extra", [0, 1, 2, 510, 511, 512, 513])
def test_never_writes_behind_the_buffer(reader: Reader, extra: int) -> None:
    for size in SIZES:
        name = f"SIZE{size}.BIN"
        assert reader.ask("read", name, extra) == reader.ask("read", name, 0)
    assert size == 0 or reader.outcome("read", "SIZE513.BIN", -1) == "E-FAT-20"


def test_neighbouring_clusters_are_one_request(driver: Path, tmp_path: Path) -> None:
    volume = Volume(tmp_path / "fat.img", sectors=40000, cluster=4)
    size = 10 << 20
    volume.put(content(size, 7), "MODEL.GGUF")
    reader = Reader(driver, volume.to_disk(tmp_path / "disk.img"))
    reader.mount()
    reader.ask("requests")
    reader.ask("read", "MODEL.GGUF", 0)
    directory_sectors = 1
    assert int(reader.ask("requests")[0]) == directory_sectors + 3  # 4 + 4 + 2 MiB
    reader.close()


def test_device_errors_have_a_code(
    reader: Reader, layout: Layout, image: tuple[Path, Contents]
) -> None:
    entry = layout.entry(image[0], b"SIZE513 BIN")
    first = struct.unpack_from("<H", image[0].read_bytes(), entry + 26)[0]
    data = (layout.data + (first - 2) * layout.cluster_bytes) // SECTOR
    reader.ask("fail", data + 1, 1)
    assert reader.outcome("read", "SIZE513.BIN", 0) == "E-DISK-01"
    assert reader.outcome("read", "SIZE512.BIN", 0).startswith("512 ")
    for sector in (PARTITION_LBA, layout.fat // SECTOR, (layout.fat + layout.fat_bytes) // SECTOR):
        reader.ask("fail", sector, 1)
        with pytest.raises(ReaderError, match="E-DISK-01"):
            reader.mount()
    reader.ask("fail", layout.root // SECTOR, 1)
    reader.mount()
    assert reader.outcome("list", "-") == "E-DISK-01"


# Long names: what is damaged is replaced by the short name.


def long_entries(image: Path, layout: Layout, short: bytes) -> list[int]:
    """Offsets of the long-name entries of a file, the first on the disk first."""
    data = image.read_bytes()
    at = layout.entry(image, short)
    found: list[int] = []
    while data[at - 32 + 11] == 0x0F:
        at -= 32
        found.insert(0, at)
    return found


@pytest.mark.parametrize(
    ("part", "offset", "value"),
    [
        (0, 0, b"\x01"),  # the mark of the last part is missing
        (0, 0, b"\x47"),  # one part more than there are
        (0, 0, b"\x40"),
        (0, 0, b"\x7f"),
        (1, 0, b"\x01"),  # out of order
        (0, 13, b"\x00"),  # another file's checksum
        (1, 13, b"\x00"),
        (0, 0, b"\xe5"),  # a part deleted
        (1, 0, b"\xe5"),
        (1, 12, b"\x01"),  # unknown type
        (1, 26, b"\x05"),  # a cluster where there is none
        (-1, 1, b"/\x00"),
        (-1, 1, b"\x1b\x00"),
        (-1, 1, b"\x00\x00"),  # empty
        (-1, 1, b"\x3d\xd8"),  # half a surrogate pair
        (-1, 1, b"\x00\xdc"),
        (-1, 30, b"\x3d\xd8"),
    ],
)
def test_damaged_long_names_fall_back(
    reader: Reader,
    layout: Layout,
    image: tuple[Path, Contents],
    part: int,
    offset: int,
    value: bytes,
) -> None:
    entries = long_entries(image[0], layout, b"ALONGN~1TXT")
    reader.poke(entries[part] + offset, value)
    names = reader.names()
    assert LONG not in names
    assert names["ALONGN~1.TXT"] == ("ALONGN~1.TXT", "f", 3000)
    assert reader.outcome("read", "ALONGN~1.TXT", 0).startswith("3000 ")
    assert len(names) == len({name for name in image[1] if "/" not in name}) + 1


def test_long_name_of_another_file_is_not_taken(
    reader: Reader, layout: Layout, image: tuple[Path, Contents]
) -> None:
    reader.poke(layout.entry(image[0], b"ALONGN~1TXT"), b"RENAMED ")
    assert reader.names()["RENAMED.TXT"][2] == 3000


def test_surrogate_pairs(reader: Reader, layout: Layout, image: tuple[Path, Contents]) -> None:
    """mtools cuts such characters to 16 bits, so the pair is put in by hand."""
    first = long_entries(image[0], layout, b"ALONGN~1TXT")[-1]
    reader.poke(first + 1, "😀".encode("utf-16-le"))
    assert "😀" + LONG[2:] in reader.names()
    assert reader.outcome("read", "😀" + LONG[2:].upper(), 0).startswith("3000 ")


def test_longest_names(driver: Path, tmp_path: Path) -> None:
    names = ["n" * 255, "ä" * 127, "ä" * 128]  # 255, 254 and 256 bytes of UTF-8
    volume = Volume(tmp_path / "fat.img", sectors=16384, cluster=2)
    for name in names:
        volume.put(name.encode(), name)
    reader = Reader(driver, volume.to_disk(tmp_path / "disk.img"))
    reader.mount()
    listed = list(reader.names())
    assert listed[:2] == names[:2]
    assert len(listed[2]) <= 12, "256 bytes do not fit: the short name is shown"
    reader.close()


def test_short_names_are_made_printable(
    reader: Reader, layout: Layout, image: tuple[Path, Contents]
) -> None:
    at = layout.entry(image[0], b"SIZE1   BIN")
    reader.poke(at, b"\x05A\x1b/\x80 B")
    assert reader.names()["_A___ B.BIN"][0] == "_A___ B.BIN"
    reader.poke(at, b"SIZE1      \x20\x18")
    assert reader.names()["size1"][0] == "SIZE1"


# Damage: a code or correct data, never anything else.


@pytest.mark.parametrize(
    ("links", "code"),
    [
        ([(0, 0)], "E-FAT-14"),  # to itself is a loop, to a free cluster not
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
    layout: Layout,
    image: tuple[Path, Contents],
    links: list[tuple[int, int | str]],
    code: str,
) -> None:
    disk = image[0].read_bytes()
    chain = [struct.unpack_from("<H", disk, layout.entry(image[0], b"FRAGMENTBIN") + 26)[0]]
    while (link := struct.unpack_from("<H", disk, layout.link(chain[-1]))[0]) < 0xFFF8:
        chain.append(link)
    assert len(chain) == 28
    assert any(b != a + 1 for a, b in itertools.pairwise(chain)), "not fragmented"
    for index, target in links:
        cluster = chain[index]
        named = {"self": cluster, "first": chain[0], "past": layout.clusters + 2}
        value = named[target] if isinstance(target, str) else target
        for copy in range(2):
            reader.poke(layout.link(cluster, copy), struct.pack("<H", value))
    reader.mount()
    assert reader.outcome("read", "FRAGMENT.BIN", 0) == code
    assert reader.outcome("read", "SIZE40000.BIN", 0).startswith("40000 ")


def test_damaged_start_of_a_chain(
    reader: Reader, layout: Layout, image: tuple[Path, Contents]
) -> None:
    at = layout.entry(image[0], b"SIZE513 BIN") + 26
    for cluster in (0, 1, layout.clusters + 2, 0xFFF7, 0xFFFF):
        reader.poke(at, struct.pack("<H", cluster))
        assert reader.outcome("read", "SIZE513.BIN", 0) == "E-FAT-14"
    at = layout.entry(image[0], b"MODULES    ") + 26
    for cluster, code in ((0, "E-FAT-14"), (0xFFFF, "E-FAT-14"), (9, "E-FAT-21")):
        reader.poke(at, struct.pack("<H", cluster))
        assert reader.outcome("list", "MODULES") == code


def test_size_larger_than_the_chain(
    reader: Reader, layout: Layout, image: tuple[Path, Contents]
) -> None:
    at = layout.entry(image[0], b"SIZE513 BIN") + 28
    for size in (1025, 1 << 24):
        reader.poke(at, struct.pack("<I", size))
        assert reader.outcome("read", "SIZE513.BIN", 0) == "E-FAT-16"


def test_directory_that_contains_itself(
    reader: Reader, layout: Layout, image: tuple[Path, Contents]
) -> None:
    disk = image[0].read_bytes()
    first = struct.unpack_from("<H", disk, layout.entry(image[0], b"MODULES    ") + 26)[0]
    for copy in range(2):
        reader.poke(layout.link(first, copy), struct.pack("<H", first))
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


def test_random_damage_to_one_fat(
    reader: Reader, layout: Layout, image: tuple[Path, Contents]
) -> None:
    """Either copy of the FAT may be hit: the other one shows it."""
    good = outcomes(reader, image[1])
    rng = random.Random(8)
    used = 512  # clusters from the start that hold files
    for _ in range(300):
        copy = rng.randrange(2)
        for _ in range(rng.choice((1, 3, 20))):
            value = rng.choice((rng.randbytes(2), struct.pack("<H", rng.randrange(used))))
            reader.poke(layout.link(rng.randrange(used), copy), value)
        if mounts(reader):
            for name, outcome in outcomes(reader, image[1]).items():
                assert outcome == good[name] or outcome.startswith("E-FAT-"), name
        reader.ask("restore")


# The number of root entries (a multiple of 16) is written nowhere else: damage that gives another
# multiple shifts the data area unnoticed, until a sub-directory is read (E-FAT-21).
UNPROTECTED = {17, 18}


def test_every_byte_of_the_boot_sector(reader: Reader, image: tuple[Path, Contents]) -> None:
    boot = image[0].read_bytes()[BOOT : BOOT + SECTOR]
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
def test_random_damage_anywhere(reader: Reader, layout: Layout, seed: int) -> None:
    """No crash, no endless loop: the sanitizers watch."""
    rng = random.Random(seed)
    areas = [
        (BOOT, 64),
        (layout.fat, 1024),
        (layout.fat + layout.fat_bytes, 1024),
        (layout.root, 4096),
        (layout.data, 16 * layout.cluster_bytes),
    ]
    for _ in range(100):
        for _ in range(rng.choice((1, 4, 32))):
            start, size = rng.choice(areas)
            reader.poke(start + rng.randrange(size), rng.randbytes(1))
        if mounts(reader):
            reader.ask("walk")
        reader.ask("restore")


def test_partition_entries_are_checked(reader: Reader, image: tuple[Path, Contents]) -> None:
    sectors = image[0].stat().st_size // SECTOR
    good = f"e {PARTITION_LBA} {sectors - PARTITION_LBA - 1}"
    assert reader.ask("mbr") == [good, *["0 0 0"] * 3, ""]
    for lba, count in ((0, 1), (sectors, 1), (sectors - 1, 2), (2**32 - 1, 2**32 - 1), (5, 0)):
        reader.poke(446 + 16, struct.pack("<4xB3xII", 6, lba, count))
        assert reader.ask("mbr")[1] == "0 0 0"
    reader.poke(446 + 16, struct.pack("<4xB3xII", 6, sectors - 1, 1))
    assert reader.ask("mbr")[1] == f"6 {sectors - 1} 1"
    reader.poke(511, b"\x00")
    assert reader.outcome("mbr") == "E-MBR"
