"""Talks to cache_host.c: the kernel's cache on a disk in memory, with the model's interface where
that serves."""

from __future__ import annotations

import struct
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import pytest

from cache_crash import FLUSH, Event, RecordingDisk
from fluid.cachedisk import DiskFault
from fluid.cachefile import WRITE_LIMIT, Cache
from fluid.cachekey import KeyFields
from fluid.cachelayout import SECTOR
from fluid.cachelog import Findings, Name, Row
from fluid.errors import FluidError
from hostcc import FAIL, ROOT, build

HERE = Path(__file__).parent
KERNEL = ROOT / "src/kernel"
CACHE = sorted((KERNEL / "cache").glob("cache_*.c"))
LOG = [path for path in CACHE if path.name != "cache_partition.c"]  # no console, no processor
BELOW = [KERNEL / "dev/block.c", KERNEL / "load/sha256.c", FAIL, HERE / "cache_device.c"]
SOURCES = [HERE / "cache_host.c", HERE / "cache_flips.c"]
GNU = ["-D_GNU_SOURCE"]
EMPTY = ("", "blank", "damaged", "version")
READ_ONLY = ("", "disk", "read error", "write error")
EVENT = struct.Struct(f"<I{SECTOR}s")
FLUSH_LBA = 0xFFFFFFFF


class SplitMix:
    """64 random bits a call; the same in cache_device.c."""

    def __init__(self, seed: int) -> None:
        self.state = seed

    def __call__(self) -> int:
        mask = (1 << 64) - 1
        self.state = self.state + 0x9E3779B97F4A7C15 & mask
        z = self.state
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & mask
        z = (z ^ z >> 27) * 0x94D049BB133111EB & mask
        return z ^ z >> 31


class CacheHost:
    """One process; `partition` is what the disk holds at first."""

    def __init__(self, partition: bytes) -> None:
        program = build("cache_host", [*SOURCES, *LOG, *BELOW], flags=GNU)
        self.folder = tempfile.TemporaryDirectory()
        self.file = Path(self.folder.name) / "partition"
        self.process = subprocess.Popen(
            [str(program), str(len(partition) // SECTOR)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.load(partition)

    def __enter__(self) -> CacheHost:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        out, _ = self.process.communicate()
        self.folder.cleanup()
        assert self.process.returncode == 0 or error, out

    def ask(self, *words: object) -> list[str]:
        """The lines of the answer, the last without its "ok"; FluidError for "error"."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write("\t".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        lines: list[str] = []
        while True:
            line = self.process.stdout.readline()
            assert line, f"cache_host died at {words[0]}: status {self.process.wait()}"
            lines.append(line.rstrip("\n"))
            if lines[-1].startswith("error "):
                _, code, text = lines[-1].split(" ", 2)
                raise FluidError(code, text)
            if lines[-1] == "ok" or lines[-1].startswith("ok "):
                return [*lines[:-1], lines[-1][3:]]

    def load(self, partition: bytes) -> None:
        self.file.write_bytes(partition)
        self.ask("load", self.file)

    def save(self) -> bytes:
        self.ask("save", self.file)
        return self.file.read_bytes()

    def events(self) -> list[Event]:
        """Since the last time."""
        self.ask("events", self.file)
        found = EVENT.iter_unpack(self.file.read_bytes())
        return [FLUSH if lba == FLUSH_LBA else (lba, data) for lba, data in found]

    def mount(self, seed: int = 0, write_limit: int = WRITE_LIMIT) -> None:
        self.ask("mount", write_limit, seed)

    def put(self, kind: int, key: bytes, payload: bytes, benefit: int) -> None:
        self.ask("put", kind, key.hex(), benefit, payload.hex())

    def get(self, kind: int, key: bytes) -> bytes:
        return bytes.fromhex(self.ask("get", kind, key.hex())[-1])

    def note(self, kind: int, key: bytes, benefit: int) -> None:
        self.ask("note", kind, key.hex(), benefit)

    def remove(self, kind: int, key: bytes) -> None:
        self.ask("remove", kind, key.hex())

    def quarantine(self, kind: int, key: bytes) -> None:
        self.ask("quarantine", kind, key.hex())

    def sync(self) -> None:
        self.ask("sync")

    def clear(self) -> None:
        self.ask("clear")

    def rows(self) -> dict[Name, Row]:
        found = {}
        for line in self.ask("list")[:-1]:
            kind, key, *numbers, quarantined, dirty = line.split()
            lba, size, last_use, benefit = map(int, numbers)
            found[int(kind), bytes.fromhex(key)] = Row(
                *(int(kind), bytes.fromhex(key), lba, size, last_use, benefit),
                quarantined == "1",
                dirty == "1",
            )
        return found

    def state(self) -> dict[str, str | int]:
        words = self.ask("state")[-1].split()
        names = ("skipped", "rejected", "evicted", "compactions", "clock", "written")
        return {
            "why_empty": EMPTY[int(words[0])],
            "read_only": READ_ONLY[int(words[1])],
            **{name: int(word) for name, word in zip(names, words[2:], strict=True)},
        }

    def verify(self) -> Findings:
        records, superblocks, bad, end = map(int, self.ask("verify")[-1].split())
        return Findings(records, superblocks, bad, end != 0)

    def fail(self, writes: int = -1, flush: bool = False) -> None:
        """After so many more sectors all writes fail; all flushes."""
        self.ask("fail", writes, int(flush))

    def bad(self, lba: int, count: int) -> None:
        """Sectors that cannot be read."""
        self.ask("bad", lba, count)

    def writable(self, yes: bool) -> None:
        """From the next mount on."""
        self.ask("writable", int(yes))

    def key(self, f: KeyFields) -> bytes:
        words = (f.toolchain, f.flags, f.bitcode.hex(), f.plan, f.rows, f.cols, f.quant)
        answer = self.ask("key", f.kernel_abi, f.cpu_mask, f.xcr0, *words)
        return bytes.fromhex(answer[-1])


STATE = ("why_empty", "read_only", "skipped", "rejected", "evicted", "compactions", "clock")


class CacheModel:
    """The model, with the interface of CacheHost."""

    def __init__(self, partition: bytes) -> None:
        self.disk = RecordingDisk(partition)

    def __enter__(self) -> CacheModel:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def load(self, partition: bytes) -> None:
        self.disk.data[:] = partition

    def save(self) -> bytes:
        return bytes(self.disk.data)

    def mount(self, seed: int = 0, write_limit: int = WRITE_LIMIT) -> None:
        self.cache = Cache(self.disk, SplitMix(seed), write_limit)

    def rows(self) -> dict[Name, Row]:
        return self.cache.rows

    def state(self) -> dict[str, str | int]:
        return {name: getattr(self.cache, name) for name in (*STATE, "written")}

    def verify(self) -> Findings:
        return self.cache.verify()

    def get(self, kind: int, key: bytes) -> bytes:
        return self.cache.get(kind, key)

    def note(self, kind: int, key: bytes, benefit: int) -> None:
        self.cache.note(kind, key, benefit)

    def put(self, kind: int, key: bytes, payload: bytes, benefit: int) -> None:
        with faults_as_errors():
            self.cache.put(kind, key, payload, benefit)

    def remove(self, kind: int, key: bytes) -> None:
        with faults_as_errors():
            self.cache.remove(kind, key)

    def quarantine(self, kind: int, key: bytes) -> None:
        with faults_as_errors():
            self.cache.quarantine(kind, key)

    def sync(self) -> None:
        with faults_as_errors():
            self.cache.sync()

    def clear(self) -> None:
        with faults_as_errors():
            self.cache.clear()

    def fail(self, writes: int = -1, flush: bool = False) -> None:
        self.disk.write_faults, self.disk.flush_fails = writes, flush

    def bad(self, lba: int, count: int) -> None:
        self.disk.bad = range(lba, lba + count)

    def writable(self, yes: bool) -> None:
        self.disk.writable = yes


@contextmanager
def faults_as_errors() -> Iterator[None]:
    """The kernel has codes for errors of the disk."""
    try:
        yield
    except DiskFault as fault:
        raise FluidError(str(fault), "the disk reports an error") from fault


Make = Callable[[bytes], CacheHost | CacheModel]
SECTORS = 96


def refused(code: str, operation: Callable[..., object], *arguments: object) -> None:
    with pytest.raises(FluidError) as error:
        operation(*arguments)
    assert error.value.code == code


def blank(sectors: int = SECTORS) -> bytes:
    return bytes(sectors * SECTOR)
