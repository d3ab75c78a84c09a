"""llama.cpp as a peer: a program of its own, run by the interpreter that has llama-cpp-python
(peer_setup.py), which reads requests from standard input and answers with what they took.

    peer_llamacpp.py MODEL THREADS CONTEXT

JSON lines: {"ready": name, "version": ..., "vocab": n} first; then for each {"prompt": [ids],
"new": n} an answer {"ids": [the new ones], "prompt_ns": ..., "new_ns": ...}. As /speed does: from
an empty KV cache the prompt at once, then tokens one at a time, each the most probable. It imports
nothing of fluid.
"""

from __future__ import annotations

import ctypes
import json
import sys
import time
from typing import Any

import llama_cpp
import numpy as np

BATCH = 512  # tokens in one go


def _say(answer: dict[str, Any]) -> None:
    print(json.dumps(answer), flush=True)


class Model:
    """An open model with a context."""

    def __init__(self, path: str, threads: int, context: int) -> None:
        quiet = llama_cpp.llama_log_callback(lambda level, text, data: None)
        self._quiet = quiet  # kept alive: C calls it
        llama_cpp.llama_log_set(quiet, ctypes.c_void_p(0))
        llama_cpp.llama_backend_init()
        self.model = llama_cpp.llama_model_load_from_file(
            path.encode(), llama_cpp.llama_model_default_params()
        )
        if not self.model:
            raise ValueError(f"llama.cpp does not open {path}")
        options = llama_cpp.llama_context_default_params()
        options.n_ctx = context
        options.n_batch = options.n_ubatch = BATCH
        options.n_threads = options.n_threads_batch = threads
        self.context = llama_cpp.llama_init_from_model(self.model, options)
        if not self.context:
            raise ValueError(f"llama.cpp has no memory for a context of {context} tokens")
        vocabulary = llama_cpp.llama_model_get_vocab(self.model)
        self.vocab = llama_cpp.llama_vocab_n_tokens(vocabulary)
        self.batch = llama_cpp.llama_batch_init(BATCH, 0, 1)

    def evaluate(self, ids: list[int], position: int) -> None:
        """One batch; logits of its last token."""
        batch = self.batch
        batch.n_tokens = len(ids)
        for i, token in enumerate(ids):
            batch.token[i] = token
            batch.pos[i] = position + i
            batch.n_seq_id[i] = 1
            batch.seq_id[i][0] = 0
            batch.logits[i] = i == len(ids) - 1
        if llama_cpp.llama_decode(self.context, batch) != 0:
            raise ValueError(f"llama_decode of {len(ids)} tokens at {position} failed")
        llama_cpp.llama_synchronize(self.context)

    def best(self) -> int:
        """The most probable next token."""
        logits = llama_cpp.llama_get_logits_ith(self.context, -1)
        return int(np.ctypeslib.as_array(logits, shape=(self.vocab,)).argmax())

    def measure(self, prompt: list[int], new: int) -> dict[str, Any]:
        """The answer to a request."""
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(self.context), True)
        start = time.perf_counter_ns()
        for at in range(0, len(prompt), BATCH):
            self.evaluate(prompt[at : at + BATCH], at)
        middle = time.perf_counter_ns()
        made: list[int] = []
        for position in range(len(prompt), len(prompt) + new):
            made.append(self.best())
            self.evaluate(made[-1:], position)
        end = time.perf_counter_ns()
        return {"ids": made, "prompt_ns": middle - start, "new_ns": end - middle}


def main(path: str, threads: str, context: str) -> None:
    """Serves until standard input ends."""
    try:
        model = Model(path, int(threads), int(context))
        version = llama_cpp.__version__
        _say({"ready": "llama-cpp-python", "version": version, "vocab": model.vocab})
        for line in sys.stdin:
            request = json.loads(line)
            _say(model.measure(request["prompt"], request["new"]))
    except (ValueError, KeyError, OSError) as error:
        _say({"error": f"{type(error).__name__}: {error}"})


if __name__ == "__main__":
    main(*sys.argv[1:])
