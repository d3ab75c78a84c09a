"""The forward pass against numpy and recorded results of llama.cpp; batches, rewinding, sampling,
memory limits."""

import json
import math
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
from numpy.typing import NDArray

import models
from engine_driver import Engine, EngineError, program, recorded, shared
from fluid.random_blocks import K_TYPES
from numpy_llama import NumpyLlama

EXACT = 1e-3  # largest deviation of logits of F32 and F16 models
# Of quantised models: where a rounding error makes another integer of an activation, the
# difference is one step of it, for all tokens that follow. Without that they are as near as F32's.
QUANTISED = 0.077
QUANTISED_MEDIAN = 0.02
QUANTISED_KINDS = ["Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1"]
RECORDED_K = 0.077  # the same of "K" types
RECORDED = 0.067  # of recorded logits: llama.cpp rounds activations to 8 bits, or to F16

IDS = [1, *range(260, 300), 3, 17, 270, 301, 280, 300]


def all_logits(engine: Engine, ids: Iterable[int]) -> NDArray[np.float32]:
    rows = []
    for token in ids:
        engine.eval([token])
        rows.append(engine.logits())
    return np.array(rows, dtype=np.float32)


def check_logits(path: Path, ids: list[int], tolerance: float, memory: int | None = None) -> None:
    expected = NumpyLlama(path, memory is not None).logits(ids)
    with Engine(path, *([] if memory is None else ["memory", str(memory)])) as engine:
        found = all_logits(engine, ids)
    differences = np.abs(found - expected)
    assert differences.max() < tolerance and np.median(differences) < QUANTISED_MEDIAN
    if tolerance == EXACT:
        assert (found.argmax(axis=1) == expected.argmax(axis=1)).all()


@pytest.mark.parametrize(
    "shape",
    [
        {},
        {"heads": 8, "kv_heads": 1},
        {"heads": 4, "kv_heads": 4, "layers": 3},
        {"dim": 96, "ffn": 160, "heads": 6, "kv_heads": 3},
        {"dim": 60, "ffn": 100, "heads": 5, "kv_heads": 1},
    ],
)
def test_f32_equals_numpy(tmp_path: Path, shape: dict[str, int]) -> None:
    check_logits(models.make_tiny(tmp_path / "m.gguf", **shape), IDS, EXACT)  # type: ignore[arg-type]


@pytest.mark.parametrize("quant", [*QUANTISED_KINDS, "F16", "BF16"])
@pytest.mark.parametrize("tied", [False, True])
def test_quantised_equals_numpy(tmp_path: Path, quant: str, tied: bool) -> None:
    path = models.make_tiny(tmp_path / "m.gguf", quant=quant, tied=tied, tokenizer="bpe")
    check_logits(path, IDS, QUANTISED if quant in QUANTISED_KINDS else EXACT)


@pytest.mark.parametrize("quant", K_TYPES)
@pytest.mark.parametrize("tied", [False, True])
def test_super_blocks_equal_numpy(tmp_path: Path, quant: str, tied: bool) -> None:
    path = models.make_tiny(tmp_path / "m.gguf", quant=quant, tied=tied, dim=256, ffn=512)
    check_logits(path, IDS, QUANTISED)


def test_mixed_types_equal_numpy(tmp_path: Path) -> None:
    """Each tensor has its own, as in files that llama.cpp calls Q4_K_M, and further."""
    kinds = [*K_TYPES, *QUANTISED_KINDS, "F16", "BF16", "F32"]
    taken: dict[str, str] = {}

    def kind_of(name: str) -> str:
        return taken.setdefault(name, kinds[len(taken) % len(kinds)])

    path = models.make_tiny(tmp_path / "m.gguf", dim=256, ffn=512, kind_of=kind_of)
    assert set(taken.values()) == set(kinds)
    check_logits(path, IDS, QUANTISED)


@pytest.mark.parametrize("quant", ["F32", "BF16", "Q5_1"])
def test_rows_that_fill_no_group(tmp_path: Path, quant: str) -> None:
    """Rows that are no multiple of 4 or 8; a hidden layer of 172 as in stories260K."""

    def kind_of(name: str) -> str:
        return "F32" if "ffn_down" in name else quant

    shape = {"dim": 96, "ffn": 172, "heads": 3, "kv_heads": 1}
    path = models.make_tiny(tmp_path / "m.gguf", kind_of=kind_of, **shape)  # type: ignore[arg-type]
    check_logits(path, IDS, EXACT)


def test_partial_rotation(tmp_path: Path) -> None:
    """rope.dimension_count below the head size leaves the rest of each head unrotated."""
    path = models.make_tiny(tmp_path / "m.gguf")
    data = path.read_bytes()
    at = data.index(b"llama.rope.dimension_count") + len("llama.rope.dimension_count") + 4
    path.write_bytes(data[:at] + (8).to_bytes(4, "little") + data[at + 4 :])
    check_logits(path, IDS, EXACT)


def test_rope_base_defaults_to_10000() -> None:
    path = shared("models/stories260K.gguf")  # has no llama.rope.freq_base
    run = recorded("stories260K_greedy.json")["runs"][2]
    check_logits(path, run["ids"] + run["gen_ids"][:20], EXACT)


def test_stories_greedy_is_reproduced() -> None:
    runs = recorded("stories260K_greedy.json")["runs"]
    with Engine(shared("models/stories260K.gguf")) as engine:
        for run in runs:
            engine.ask("rewind", 0)
            assert engine.greedy(run["ids"], run["n_predict"]) == run["gen_ids"], run["name"]


def check_recorded_top(run: dict[str, Any], found: list[dict[str, Any]], tolerance: float) -> None:
    """The recorded top five of some positions: logits and logsumexp."""
    rows = [(entry["pos"], entry) for entry in run["prompt_logits"]]
    first = len(run["ids"]) - 1
    rows += [(first + entry["step"], entry) for entry in run["gen_logits"]]
    for position, entry in rows:
        ours = {token: micro / 1e6 for token, micro in found[position]["top"]}
        for token, logit in entry["top5"]:
            if token in ours:
                assert ours[token] == pytest.approx(logit, abs=tolerance)
        assert entry["top5"][0][0] in ours
        assert found[position]["logsumexp"] / 1e6 == pytest.approx(
            entry["logsumexp"], abs=tolerance
        )


@pytest.mark.parametrize(
    ("name", "tolerance", "recording"),
    [
        ("tiny-2x64-f32", EXACT, EXACT),
        ("tiny-2x64-f16", EXACT, RECORDED),
        ("tiny-2x64-q8_0", QUANTISED, RECORDED),
        ("tiny-2x64-q8_0-tied", QUANTISED, RECORDED),
        ("tiny-2x64-q4_0", QUANTISED, RECORDED),
        ("tiny-2x64-q4_1", QUANTISED, RECORDED),
        ("tiny-2x64-q5_0", QUANTISED, RECORDED),
        ("tiny-2x256-q4_k_m", QUANTISED, RECORDED_K),
        ("tiny-2x256-q6_k", QUANTISED, RECORDED_K),
    ],
)
def test_recorded_tiny(name: str, tolerance: float, recording: float) -> None:
    """llama.cpp differs from numpy as well; the engine must be near both."""
    path = shared(f"models/{name}.gguf")
    for run in recorded("tiny_greedy.json")["models"][name]["runs"]:
        ids = run["ids"] + run["gen_ids"][:-1]
        check_logits(path, ids, tolerance)
        with Engine(path) as engine:
            found = engine.predict(ids)
        check_recorded_top(run, found, recording)
        if recording == EXACT:
            made = [prediction["top"][0][0] for prediction in found[len(run["ids"]) - 1 :]]
            assert made == run["gen_ids"]


@pytest.mark.parametrize("quant", ["F32", "F16", "Q8_0", "Q4_0", "Q4_1"])
def test_batch_equals_single_tokens(tmp_path: Path, quant: str) -> None:
    """Bit for bit: what is in the KV cache must not depend on how the tokens were fed."""
    path = models.make_tiny(tmp_path / "m.gguf", quant=quant, ctx=128)
    ids = [1, *(260 + 7 * i % 50 for i in range(70))]
    with Engine(path) as engine:
        singly = engine.predict(ids, batch=1)
        last = engine.logits_hex()
        for batch in (2, 3, 8, 31, 32, 64):
            engine.ask("rewind", 0)
            assert engine.predict(ids, batch=batch) == singly
            assert engine.logits_hex() == last
        engine.ask("rewind", 40)
        engine.eval_all(ids[40:], batch=5)
        assert engine.logits_hex() == last


CHAINS: list[dict[str, Any]] = [
    {},
    {"penalty": 1.5},
    {"temperature": 1.5, "seed": 3},
    {"temperature": 0.9, "seed": 5, "draw": 2, "top_k": 40, "top_p": 0.9, "penalty": 1.2},
]


@pytest.mark.parametrize("chain", CHAINS, ids=lambda chain: "-".join(chain) or "greedy")
def test_sampling_behind_each_position_of_a_batch(tmp_path: Path, chain: dict[str, Any]) -> None:
    """The token that is picked when this position is the last one."""
    ids = [1, *(260 + 7 * i % 50 for i in range(20))]
    with Engine(models.make_tiny(tmp_path / "m.gguf", ctx=128)) as engine:
        alone = []
        for at, token in enumerate(ids):
            engine.eval([token])
            alone.append(engine.sample(**chain, recent=ids[: at + 1]))
        assert len(set(alone)) > 1
        for n in (1, 2, 5, 8):
            for batch in (n, n + 1, len(ids)):
                engine.ask("rewind", 0)
                if batch < len(ids):
                    engine.eval(ids[:-batch])
                engine.eval(ids[-batch:], n)
                for back in range(n):
                    recent = ids[: len(ids) - back]
                    assert engine.sample(**chain, recent=recent, back=back) == alone[-1 - back]
        for gone in range(1, 8):  # what is left after a rewind needs no evaluation
            engine.ask("rewind", len(ids) - gone)
            assert engine.sample(**chain, recent=ids[:-gone]) == alone[-1 - gone]
        assert engine.logits_hex()
        engine.ask("rewind", len(ids) - 8)
        assert engine.ask("logits")["hex"] is None


def test_logits_after_predictions(tmp_path: Path) -> None:
    """The last position's, in whatever groups they were computed."""
    ids = [1, *range(260, 290)]
    with Engine(models.make_tiny(tmp_path / "m.gguf")) as engine:
        for n in (1, 7, 8, 9, 16, 17, 31):
            engine.ask("rewind", 0)
            found = engine.predict(ids[:n])
            assert engine.sample() == found[-1]["top"][0][0]
            logits = engine.logits_hex()
            engine.ask("rewind", 0)
            engine.eval(ids[:n])
            assert engine.logits_hex() == logits


@pytest.mark.parametrize(("n", "logits"), [(1, 0), (1, 2), (4, 5), (20, 9)])
def test_more_logits_than_are_kept(tmp_path: Path, n: int, logits: int) -> None:
    with Engine(models.make_tiny(tmp_path / "m.gguf")) as engine:
        with pytest.raises(EngineError, match=f"of 1 to {min(n, 8)} positions expected") as caught:
            engine.eval([260] * n, logits)
        assert caught.value.code == "E-ENG-03"
        assert engine.ask("position")["position"] == 0


def test_predictions(tmp_path: Path) -> None:
    """top is sorted, logsumexp and next agree with the logits."""
    with Engine(models.make_tiny(tmp_path / "m.gguf")) as engine:
        found = engine.predict([1, 260, 270, 280], batch=3)
        logits = np.array(engine.logits(), dtype=np.float64)
        order = sorted(range(len(logits)), key=lambda token: (-logits[token], token))[:5]
        assert [token for token, _ in found[-1]["top"]] == order
        for token, micro in found[-1]["top"]:
            assert micro == pytest.approx(logits[token] * 1e6, abs=0.51)
        total = math.log(np.exp(logits - logits.max()).sum()) + logits.max()
        assert found[-1]["logsumexp"] == pytest.approx(total * 1e6, abs=1.01)
        engine.ask("rewind", 0)
        engine.eval([1, 260])
        assert found[1]["next"] == pytest.approx(engine.logits()[270] * 1e6, abs=1.01)


def test_stop_leaves_the_position(tmp_path: Path) -> None:
    """What if Ctrl-C arrives in the middle of a batch?"""
    with Engine(models.make_tiny(tmp_path / "m.gguf")) as engine:
        engine.eval([1, 260, 261])
        engine.eval([262, 263])
        expected = engine.logits_hex()
        engine.ask("rewind", 3)
        engine.ask("stop-after", 1)
        with pytest.raises(EngineError) as stopped:
            engine.eval([262, 263])
        assert stopped.value.code == "" and engine.ask("position")["position"] == 3
        engine.eval([262, 263])
        assert engine.logits_hex() == expected


def test_requests_are_checked(tmp_path: Path) -> None:
    with Engine(models.make_tiny(tmp_path / "m.gguf", ctx=72)) as engine:
        for ids, code in [([-1], "E-TOK-02"), ([100000], "E-TOK-02"), ([1] * 65, "E-ENG-02")]:
            with pytest.raises(EngineError, match=code):
                engine.eval(ids)
        engine.eval([1] * 64)
        with pytest.raises(EngineError, match="E-CTX-01"):
            engine.eval([1] * 9)
        engine.eval([1] * 8)
        with pytest.raises(EngineError, match="E-CTX-01"):
            engine.eval([1])
        assert engine.ask("position")["position"] == 72


def opened(path: Path, *options: object) -> dict[str, Any]:
    with Engine(path, *map(str, options)) as engine:
        return engine.ask("info")


def test_info(tmp_path: Path) -> None:
    info = opened(models.make_tiny(tmp_path / "tiny.gguf", quant="Q4_1", tokenizer="bpe"))
    expected = {"name": "tiny", "quant": "Q4_1", "tokenizer": "gpt2/smollm", "batch": 64}
    expected |= {"chat": "chatml-smollm2", "layers": 2, "dim": 64, "ffn": 192, "heads": 4}
    expected |= {
        "kv_heads": 2,
        "head_dim": 16,
        "rope_dim": 16,
        "ctx": 256,
        "add_bos": False,
        "eot": 2,
    }
    assert {key: info[key] for key in expected} == expected
    assert info["kv_bytes"] == 2 * 2 * 2 * 256 * 16 * 4


Edit = Callable[[gguf.GGUFWriter], None]


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (lambda w: w.add_rope_scaling_type(gguf.RopeScalingType.LONGROPE), "E-GGUF-18"),
        (lambda w: w.add_expert_count(8), "E-GGUF-18"),
        (lambda w: w.add_tensor("blk.0.attn_sinks", np.ones(8, np.float32)), "E-GGUF-18"),
        (lambda w: w.add_tensor("rope_freqs.weight", np.ones(7, np.float32)), "E-GGUF-16"),
        (lambda w: w.add_tensor("blk.0.attn_q.bias", np.ones(65, np.float32)), "E-GGUF-16"),
        (lambda w: w.add_tensor("blk.0.attn_q.bias", np.ones(64, np.float16)), "E-GGUF-16"),
        (lambda w: w.add_key_length(15), "E-GGUF-14"),
        (lambda w: w.add_value_length(8), "E-GGUF-14"),
    ],
)
def test_unsupported_models_are_refused(tmp_path: Path, edit: Edit, code: str) -> None:
    """A model that would be computed wrongly must not start."""
    with pytest.raises(EngineError, match=code):
        opened(models.make_tiny(tmp_path / "m.gguf", edit=edit))


@pytest.mark.parametrize(
    "edit",
    [
        lambda w: w.add_rope_scaling_type(gguf.RopeScalingType.NONE),
        lambda w: w.add_rope_scaling_factor(1.0),
        lambda w: w.add_expert_count(0),
    ],
)
def test_neutral_keys_are_accepted(tmp_path: Path, edit: Edit) -> None:
    assert opened(models.make_tiny(tmp_path / "m.gguf", edit=edit))["ctx"] == 256


def test_unsupported_types_are_named(tmp_path: Path) -> None:
    for quant in ("TQ1_0", "TQ2_0"):
        path = models.make_tiny(tmp_path / "m.gguf", quant=quant, dim=256, ffn=256)
        with pytest.raises(EngineError, match=f"E-GGUF-08.*{quant} "):
            opened(path)


@pytest.mark.parametrize("tokenizer", ["spm", "bpe"])
def test_every_allocation_may_fail(tmp_path: Path, tokenizer: str) -> None:
    """Opening a model then refuses, or does with less, and leaves nothing behind."""
    path = models.make_tiny(tmp_path / "m.gguf", "Q8_0", tokenizer)
    command = [str(program(False)), str(path), "starve", "ctx", "64"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
    found = json.loads(done.stdout)
    assert found["refused"] > 3
    assert found["in_pieces"] == 3  # the angles of positions, and two layers' K and V
