"""bench peers=1 with a peer and a machine that compute nothing: the order of the measurements, the
arithmetic of the roofline, and what is said when a peer lies, dies or cannot be made."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import gguf
import pytest

from fluid import peer_setup, peers
from fluid.canonical import canonical_json
from fluid.errors import FluidError
from fluid.event_types import Error, Event, Prompt, Ready, Speed
from fluid.peer_process import Bandwidth, LineProcess, Peer, Read, Started
from fluid.peer_results import Model, Peers, Work, quartiles, read_peers, table, write_peers
from fluid.synthetic import write_synthetic
from models import make_tiny

FAKE = [sys.executable, str(Path(__file__).with_name("fake_peer.py"))]
WORKS = (peers.Asked("decode", 4, 2, "new"), peers.Asked("prompt 8", 8, 0, "prompt"))
TARGET = "x86-64-v2"


def fake(how: str, seconds: float = 60.0) -> Peer:
    return Peer("fake", [*FAKE, how, "m.gguf", "1", "64"], seconds)


class FakeMachine:
    """Answers /speed: 2 us for a token of a prompt, 4 us for a new one."""

    def __init__(self, model: str | None = "tiny", deaf: bool = False) -> None:
        self.model = model
        self.deaf = deaf
        self.asked: list[str] = []

    def wait_for(self, kind: type[Event], seconds: float) -> list[Event]:
        if kind is Prompt:
            return [Prompt()]
        ready = Ready(
            ms=1, model=self.model, mem_total=1, mem_used=1, variant=None if not self.model else "v"
        )
        return [Error(code="E-GGUF-01", text="no model"), ready] if not self.model else [ready]

    def command(self, line: str, seconds: float) -> list[Event]:
        self.asked.append(line)
        if self.deaf:
            return [Error(code="E-CTX-01", text="too long")]
        prompt, new = map(int, line.split()[1:])
        ids = list(range(prompt + new))
        return [
            Speed(ids=ids, n_prompt=prompt, n_new=new, prompt_ns=prompt * 2000, new_ns=new * 4000)
        ]


def measured(tmp_path: Path, machine: Any) -> Model:
    path = tmp_path / "tiny.gguf"
    write_synthetic(path, "tiny", "Q4_0", lambda step: None)
    with fake("honest") as peer, Bandwidth("bandwidth", [*FAKE, "bandwidth"]) as bandwidth:
        return peers.measure_model(
            "tiny", path, machine, peer, bandwidth, lambda step: None, WORKS, 3
        )


def a_file(tmp_path: Path) -> Peers:
    model = measured(tmp_path, FakeMachine())
    about = {"target": TARGET, "runner": "host", "cpu": "any", "build": "00"}
    return Peers(schema=1, **about, threads=1, peer="fake 1", models=[model])


def test_each_round_asks_both_for_each_work(tmp_path: Path) -> None:
    """The first round is not counted; what is counted is the part that the work is about."""
    machine = FakeMachine()
    model = measured(tmp_path, machine)
    assert machine.asked == ["/speed 4 2", "/speed 8 0"] * 4
    decode, prompt = model.works
    assert (decode.ours, decode.peer) == ([8000] * 3, [10000] * 3)
    assert prompt.ours == [16000] * 3
    assert prompt.peer == [8003, 8005, 8007]  # the fake adds the number of the request
    assert len(model.bandwidth) == 3
    assert decode.ratios == [1.25] * 3
    assert decode.rates(decode.ours) == [250_000.0] * 3
    assert prompt.ratios[0] == pytest.approx(0.5, rel=1e-3)


def test_roofline(tmp_path: Path) -> None:
    """Bandwidth over what a token reads; a part of it is reached."""
    work = Work(name="decode", prompt=1, new=10, counted="new", ours=[10**9], peer=[2 * 10**9])
    model = Model(name="m", file_bytes=9, token_bytes=500_000_000, bandwidth=[10**10], works=[work])
    assert model.rooflines == [20.0]
    assert model.fractions(work.rates(work.ours)) == [0.5]
    assert model.fractions(work.rates(work.peer)) == [0.25]
    assert Read(bytes=3 * 10**9, ns=2 * 10**9).per_second == 1_500_000_000
    both = replace(work, counted="both", new=3)
    assert both.rates([2 * 10**9]) == [2.0]


@pytest.mark.parametrize("tied", [False, True])
def test_bytes_of_a_token(tmp_path: Path, tied: bool) -> None:
    """Every tensor once, but of an embedding that is nothing else one row."""
    path = make_tiny(tmp_path / "m.gguf", "Q8_0", tied=tied)
    tensors = {t.name: t for t in gguf.GGUFReader(path).tensors}
    every = sum(int(t.n_bytes) for t in tensors.values())
    embedding = tensors["token_embd.weight"]
    row = int(embedding.n_bytes) // int(embedding.shape[1])
    wanted = every if tied else every - int(embedding.n_bytes) + row
    assert peers.token_bytes(path) == wanted
    assert row == 64 // 32 * 34


def test_quartiles() -> None:
    assert quartiles([3.0]) == (3.0, 3.0, 3.0)
    assert quartiles([5.0, 1.0, 3.0, 2.0, 4.0]) == (2.0, 3.0, 4.0)


def test_file_and_table(tmp_path: Path) -> None:
    found = a_file(tmp_path)
    write_peers(found, tmp_path / "peers.json")
    assert read_peers(tmp_path / "peers.json", TARGET) == found
    text = table(found)
    assert "against fake 1" in text
    assert "250000.0" in text and "1.25 (1.25 to 1.25)" in text
    with pytest.raises(FluidError, match=r"E-RPT-03 .*i686 expected"):
        read_peers(tmp_path / "peers.json", "i686")


@pytest.mark.parametrize(
    "damage",
    [
        {"schema": 2},
        {"threads": 0},
        {"models": []},
        {"peer": None},
        *({"works": [{"peer": []}]}, {"works": [{"ours": [0, 1, 1]}]}, {"works": [{"new": 0}]}),
        *({"bandwidth": [1, 1]}, {"bandwidth": [0, 1, 1]}, {"token_bytes": 0}),
    ],
)
def test_damaged_file(tmp_path: Path, damage: dict[str, Any]) -> None:
    data = asdict(a_file(tmp_path))
    model = data["models"][0]
    if "works" in damage:
        model["works"][0].update(damage["works"][0])
    else:
        (data if damage.keys() <= data.keys() else model).update(damage)
    path = tmp_path / "peers.json"
    path.write_bytes(canonical_json(data))
    with pytest.raises(FluidError, match=r"E-RPT-03 .*remove it"):
        read_peers(path, TARGET)


@pytest.mark.parametrize(
    ("how", "code", "said"),
    [
        ("dies", "E-PEER-02", "out of breath"),
        ("gives-up", "E-PEER-02", "no memory"),
        ("few", "E-PEER-03", "2 tokens below 512 expected, found 0"),
        ("alien", "E-PEER-03", "2 tokens below 512"),
        ("negative", "E-PEER-03", "2 tokens below 512"),
        ("instant", "E-PEER-03", "time for 2 new tokens"),
        ("timeless", "E-PEER-03", "at least 1"),
        ("text", "E-PEER-03", "fast!"),
        ("list", "E-PEER-03", "JSON object"),
        ("part", "E-PEER-03", "prompt_ns"),
    ],
)
def test_a_peer_that_dies_or_lies(how: str, code: str, said: str) -> None:
    with pytest.raises(FluidError, match=code) as error:
        with fake(how) as peer:
            peer.measure([1, 2, 3], 2)
    assert said in str(error.value)


def test_a_peer_that_does_not_start_or_answer() -> None:
    with pytest.raises(FluidError, match=r"E-PEER-02 .*no library"):
        with fake("stillborn"):
            pass
    with pytest.raises(FluidError, match=r"E-PEER-02 .*expected to start"):
        with LineProcess("none", ["/nowhere/python"]):
            pass
    with pytest.raises(FluidError, match=r"E-PEER-02 .*within 0\.05 s"):
        with fake("silent", 0.05) as peer:
            assert peer.started == Started(ready="fake", version="1", vocab=512)
            peer.measure([1], 1)


def test_a_machine_without_model_or_speed(tmp_path: Path) -> None:
    with pytest.raises(FluidError, match=r"E-PEER-05 .*no model"):
        measured(tmp_path, FakeMachine(model=None))
    with pytest.raises(FluidError, match=r"E-PEER-06 .*E-CTX-01 too long"):
        measured(tmp_path, FakeMachine(deaf=True))
    (tmp_path / "no.gguf").write_bytes(b"nothing like that")
    with pytest.raises(FluidError, match="E-PEER-05"):
        peers.token_bytes(tmp_path / "no.gguf")


def test_too_little_memory() -> None:
    peers.check_memory(1 << 20)
    with pytest.raises(FluidError, match=r"E-PEER-04 .*smaller model"):
        peers.check_memory(1 << 50)


class Steps:
    """Instead of subprocess.run: makes the interpreter; fails at the step of that number."""

    def __init__(self, folder: Path, fails: int = -1) -> None:
        self.folder, self.fails = folder, fails
        self.commands: list[list[str]] = []
        self.variables: dict[str, str] = {}

    def __call__(
        self, command: list[str], env: dict[str, str], **options: Any
    ) -> subprocess.CompletedProcess[str]:
        self.commands.append(command)
        self.variables = env
        python = peer_setup.interpreter(self.folder)
        python.parent.mkdir(parents=True, exist_ok=True)
        python.touch()
        status = int(len(self.commands) - 1 == self.fails)
        return subprocess.CompletedProcess(command, status, "", "no index" if status else "")


def test_environment_is_made_once(tmp_path: Path) -> None:
    folder, said = tmp_path / "peers", list[str]()
    steps = Steps(folder)
    assert peer_setup.set_up(folder, said.append, steps) == folder / "bin" / "python"
    assert steps.variables["CMAKE_ARGS"] == "-DGGML_NATIVE=ON"
    assert set(peer_setup.PACKAGES) <= set(steps.commands[1])
    assert "--no-binary" in steps.commands[1]
    assert "10 minutes" in said[0]
    again = Steps(folder)
    peer_setup.set_up(folder, said.append, again)
    assert (again.commands, len(said)) == ([], 1)
    (folder / peer_setup.STAMP).write_text("another version", "utf-8")
    peer_setup.set_up(folder, said.append, again)
    assert len(again.commands) == 2


@pytest.mark.parametrize("step", [0, 1])
def test_environment_that_cannot_be_made(tmp_path: Path, step: int) -> None:
    """It says what pip said, and is tried again next time."""
    folder = tmp_path / "peers"
    with pytest.raises(FluidError, match=r"E-PEER-01 .*no index"):
        peer_setup.set_up(folder, lambda text: None, Steps(folder, step))
    assert not peer_setup.ready(folder)


def test_no_compiler(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FluidError, match=r"E-PEER-01 .*compiler"):
        peer_setup.set_up(tmp_path / "peers", lambda text: None, Steps(tmp_path))
