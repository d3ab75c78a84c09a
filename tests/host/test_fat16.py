"""The FAT16 reader on images made by mkfs.vfat and mtools: contents, names, device errors."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from fat16_image import (
    FILES,
    LONG,
    PARTITION_LBA,
    SECTOR,
    SIZES,
    Contents,
    Reader,
    ReaderError,
    Volume,
    content,
    fill,
    standard_disk,
)


@pytest.fixture
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    reader = Reader(standard_disk(tmp_path_factory))
    reader.mount()
    yield reader
    reader.close()


def assert_same(reader: Reader, files: Contents, folder: Path) -> None:
    for name, expected in files.items():
        reader.ask("dump", name, str(folder / "out"))
        assert (folder / "out").read_bytes() == expected, name


@pytest.mark.parametrize("cluster", [1, 2, 8, 64, 128])
@pytest.mark.parametrize("fats", [1, 2])
def test_contents_at_each_cluster_size(tmp_path: Path, cluster: int, fats: int) -> None:
    volume = Volume(tmp_path / "fat.img", sectors=4600 * cluster, cluster=cluster, fats=fats)
    fill(volume)
    files = dict(FILES)
    if cluster == 128:  # several requests of 4 MiB
        files["BIG.BIN"] = content((9 << 20) + 12345, 6)
        volume.put(files["BIG.BIN"], "BIG.BIN")
    reader = Reader(volume.to_disk(tmp_path / "disk.img"))
    reader.mount()
    assert_same(reader, files, tmp_path)
    reader.close()


def test_lists_what_is_there(reader: Reader) -> None:
    root = reader.names()
    expected = {name: len(data) for name, data in FILES.items() if "/" not in name}
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


def test_a_buffer_that_is_too_small(reader: Reader) -> None:
    assert reader.outcome("read", "SIZE513.BIN", -1) == "E-FAT-20"


def test_neighbouring_clusters_are_one_request(tmp_path: Path) -> None:
    volume = Volume(tmp_path / "fat.img", sectors=40000, cluster=4)
    size = 10 << 20
    volume.put(content(size, 7), "MODEL.GGUF")
    reader = Reader(volume.to_disk(tmp_path / "disk.img"))
    reader.mount()
    reader.ask("requests")
    reader.ask("read", "MODEL.GGUF", 0)
    directory_sectors = 1
    assert int(reader.ask("requests")[0]) == directory_sectors + 3  # 4 + 4 + 2 MiB
    reader.close()


def test_device_errors_have_a_code(reader: Reader) -> None:
    entry = reader.layout.entry(b"SIZE513 BIN")
    first = struct.unpack_from("<H", reader.disk.read_bytes(), entry + 26)[0]
    data = (reader.layout.data + (first - 2) * reader.layout.cluster_bytes) // SECTOR
    reader.ask("fail", data + 1, 1)
    assert reader.outcome("read", "SIZE513.BIN", 0) == "E-DISK-01"
    assert reader.outcome("read", "SIZE512.BIN", 0).startswith("512 ")
    for sector in (
        PARTITION_LBA,
        reader.layout.fat // SECTOR,
        (reader.layout.fat + reader.layout.fat_bytes) // SECTOR,
    ):
        reader.ask("fail", sector, 1)
        with pytest.raises(ReaderError, match="E-DISK-01"):
            reader.mount()
    reader.ask("fail", reader.layout.root // SECTOR, 1)
    reader.mount()
    assert reader.outcome("list", "-") == "E-DISK-01"


# Long names: what is damaged is replaced by the short name.


def long_entries(reader: Reader, short: bytes) -> list[int]:
    """Offsets of the long-name entries of a file, the first on the disk first."""
    data = reader.disk.read_bytes()
    at = reader.layout.entry(short)
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
    part: int,
    offset: int,
    value: bytes,
) -> None:
    entries = long_entries(reader, b"ALONGN~1TXT")
    reader.poke(entries[part] + offset, value)
    names = reader.names()
    assert LONG not in names
    assert names["ALONGN~1.TXT"] == ("ALONGN~1.TXT", "f", 3000)
    assert reader.outcome("read", "ALONGN~1.TXT", 0).startswith("3000 ")
    assert len(names) == len({name for name in FILES if "/" not in name}) + 1


def test_long_name_of_another_file_is_not_taken(reader: Reader) -> None:
    reader.poke(reader.layout.entry(b"ALONGN~1TXT"), b"RENAMED ")
    assert reader.names()["RENAMED.TXT"][2] == 3000


def test_surrogate_pairs(reader: Reader) -> None:
    """mtools cuts such characters to 16 bits, so the pair is put in by hand."""
    first = long_entries(reader, b"ALONGN~1TXT")[-1]
    reader.poke(first + 1, "😀".encode("utf-16-le"))
    assert "😀" + LONG[2:] in reader.names()
    assert reader.outcome("read", "😀" + LONG[2:].upper(), 0).startswith("3000 ")


def test_longest_names(tmp_path: Path) -> None:
    names = ["n" * 255, "ä" * 127, "ä" * 128]  # 255, 254 and 256 bytes of UTF-8
    volume = Volume(tmp_path / "fat.img", sectors=16384, cluster=2)
    for name in names:
        volume.put(name.encode(), name)
    reader = Reader(volume.to_disk(tmp_path / "disk.img"))
    reader.mount()
    listed = list(reader.names())
    assert listed[:2] == names[:2]
    assert len(listed[2]) <= 12, "256 bytes do not fit: the short name is shown"
    reader.close()


def test_short_names_are_made_printable(reader: Reader) -> None:
    at = reader.layout.entry(b"SIZE1   BIN")
    reader.poke(at, b"\x05A\x1b/\x80 B")
    assert reader.names()["_A___ B.BIN"][0] == "_A___ B.BIN"
    reader.poke(at, b"SIZE1      \x20\x18")
    assert reader.names()["size1"][0] == "SIZE1"


def test_partition_entries_are_checked(reader: Reader) -> None:
    sectors = reader.disk.stat().st_size // SECTOR
    good = f"e {PARTITION_LBA} {sectors - PARTITION_LBA - 1}"
    assert reader.ask("mbr") == [good, *["0 0 0"] * 3, ""]
    for lba, count in ((0, 1), (sectors, 1), (sectors - 1, 2), (2**32 - 1, 2**32 - 1), (5, 0)):
        reader.poke(446 + 16, struct.pack("<4xB3xII", 6, lba, count))
        assert reader.ask("mbr")[1] == "0 0 0"
    reader.poke(446 + 16, struct.pack("<4xB3xII", 6, sectors - 1, 1))
    assert reader.ask("mbr")[1] == f"6 {sectors - 1} 1"
    reader.poke(511, b"\x00")
    assert reader.ask("mbr") == [*["0 0 0"] * 4, ""]
