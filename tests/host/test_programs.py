"""Programs for ring 3 as files, and their memory: hostile files are refused, and the bookkeeping of
addresses and pages agrees with a model of it. With sanitizers."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import user_programs
from hostcc import FAIL, ROOT, build

LINUX = ROOT / "src/kernel/abi/linux"
ROUNDS = 100_000
PAGE = 4096

# Of the file's header and of each program header: (offset, bytes).
HEADER = {"entry": (24, 8), "headers": (32, 8), "size": (52, 2), "entry size": (54, 2)}
TYPE, FLAGS, OFFSET, ADDRESS, FILE_SIZE, MEMORY_SIZE, ALIGN = (
    *((0, 4), (4, 4), (8, 8), (16, 8), (32, 8), (40, 8)),
    (48, 8),
)
COUNT = (56, 2)
HEADERS_AT, HEADER_SIZE = 64, 56
LOAD, INTERPRETER, GNU_STACK = 1, 3, 0x6474E551


@pytest.fixture(scope="module")
def checker() -> Path:
    return build(
        "elf_host",
        [ROOT / "tests/host/elf_host.c", LINUX / "elf.c", FAIL],
        flags=["-Itests/host"],
    )


@pytest.fixture(scope="module", params=["moves", "placed"])
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A sound file, position-independent or not."""
    kind = user_programs.PLACED if request.param == "placed" else user_programs.MOVES
    folder = tmp_path_factory.mktemp(request.param)
    return user_programs.build("nx", folder, (), kind).read_bytes()


def judged(checker: Path, content: bytes, folder: Path) -> str:
    file = folder / "program.elf"
    file.write_bytes(content)
    done = subprocess.run([checker, file], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def put(content: bytes, field: tuple[int, int], value: int, base: int = 0) -> bytes:
    offset, size = field[0] + base, field[1]
    return content[:offset] + value.to_bytes(size, "little") + content[offset + size :]


def get(content: bytes, field: tuple[int, int], base: int = 0) -> int:
    offset, size = field[0] + base, field[1]
    return int.from_bytes(content[offset : offset + size], "little")


def of_type(content: bytes, wanted: int) -> list[int]:
    """Offsets of the program headers of a type."""
    all_of_them = [HEADERS_AT + i * HEADER_SIZE for i in range(get(content, COUNT))]
    return [base for base in all_of_them if get(content, TYPE, base) == wanted]


def test_sound_files(checker: Path, program: bytes, tmp_path: Path) -> None:
    assert judged(checker, program, tmp_path) == "good"


@pytest.mark.parametrize(
    ("offset", "value"),
    [(0, 0), (4, 1), (5, 2), (6, 0), (7, 9), (16, 1), (16, 4), (18, 3), (20, 2)],
)
def test_another_kind_of_file(
    checker: Path, program: bytes, tmp_path: Path, offset: int, value: int
) -> None:
    assert judged(checker, put(program, (offset, 1), value), tmp_path) == "E-ELF-01"


def broken(good: bytes) -> dict[str, bytes]:
    """What cannot be."""
    first, *_, last = of_type(good, LOAD)
    [code] = [b for b in of_type(good, LOAD) if get(good, FLAGS, b) == 5]
    [stack] = of_type(good, GNU_STACK)
    huge = (1 << 64) - PAGE
    return {
        **{f"no {name}": put(good, field, 0) for name, field in HEADER.items()},
        "entry in data": put(good, HEADER["entry"], get(good, ADDRESS, last)),
        "no program headers": put(good, COUNT, 0),
        "many program headers": put(good, COUNT, 33),
        "headers behind the file": put(good, HEADER["headers"], len(good)),
        "headers odd": put(good, HEADER["headers"], HEADERS_AT + 1),
        "interpreter": put(good, TYPE, INTERPRETER, stack),
        "executable stack": put(good, FLAGS, 7, stack),
        "writable code": put(good, FLAGS, 7, code),
        "unreadable": put(good, FLAGS, 1, code),
        "behind the file": put(good, OFFSET, huge, code),
        "longer than the file": put(good, FILE_SIZE, len(good) + PAGE, code),
        "larger in the file": put(good, FILE_SIZE, get(good, MEMORY_SIZE, code) + 1, code),
        "too large": put(good, MEMORY_SIZE, 1 << 47, last),
        "around the end": put(good, MEMORY_SIZE, huge, last),
        "kernel address": put(good, ADDRESS, get(good, ADDRESS, last) | 1 << 63, last),
        "between pages": put(good, ADDRESS, get(good, ADDRESS, last) + 8, last),
        "overlap": put(good, ADDRESS, get(good, ADDRESS, first), last),
        "alignment": put(good, ALIGN, 3, code),
        "large alignment": put(good, ALIGN, 1 << 30, code),
        "no segment": put(good, FLAGS, 4, code),
    }


def test_what_cannot_be(checker: Path, program: bytes, tmp_path: Path) -> None:
    for name, content in broken(program).items():
        assert content != program, name
        assert judged(checker, content, tmp_path) == "E-ELF-02", name


def test_every_length(checker: Path, program: bytes, tmp_path: Path) -> None:
    loads = of_type(program, LOAD)
    end = max(get(program, OFFSET, base) + get(program, FILE_SIZE, base) for base in loads)
    for length in (*range(0, min(end, 700), 7), end - 1):
        assert judged(checker, program[:length], tmp_path).startswith("E-ELF-0"), length


def test_random_damage(checker: Path, program: bytes, tmp_path: Path) -> None:
    """What is accepted all the same keeps the checker's promises."""
    file = tmp_path / "program.elf"
    file.write_bytes(program)
    command = [str(checker), str(file), str(ROUNDS), "20261130"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    counts = [int(number) for number in done.stdout.split()]
    assert sum(counts) == ROUNDS and all(count > ROUNDS // 100 for count in counts), counts


def test_memory_against_a_model() -> None:
    sources = [ROOT / "tests/host/space_host.c", LINUX / "regions.c", LINUX / "tables.c", FAIL]
    program = build("space_host", sources, flags=["-Itests/host"])
    for seed in ("1", "20261130"):
        done = subprocess.run([program, "3000", seed], capture_output=True, text=True, timeout=300)
        assert (done.returncode, done.stdout) == (0, "good\n"), done.stdout + done.stderr
