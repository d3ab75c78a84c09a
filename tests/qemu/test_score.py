"""/score and /complete against a float32 forward pass in numpy and against recorded results."""

import base64
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fluid.event_types import Done, Event, Score, Token
from fluid.machine import Machine
from guests import Machines, TinyModel, codes
from numpy_llama import NumpyLlama
from qemu_images import image_of
from qemu_models import recorded_golden, recorded_model

EXACT = 1e-3  # logits of F32 and F16 models
QUANTISED = 0.077  # of quantised models: a rounding error may make another integer of an activation
RECORDED = 0.067  # of recorded logits: llama.cpp rounds activations to 8 bits, or to F16
RECORDED_K = 0.077  # the same of "K" types
TOP = 5

TEXTS = [
    "once upon a time there was a little girl named lily",
    "The quick brown fox, it said: 42!",
    " she  saw\ta grün 你好 🙂 dog ",
    "one day the big cat and the dog went on and on " * 4,  # more than one batch
]


def base64_of(text: str | bytes) -> str:
    data = text.encode() if isinstance(text, str) else text
    return "base64:" + base64.b64encode(data).decode()


def score(guest: Machine, text: str, timeout: float = 600.0) -> Score:
    """The one event of /score."""
    events = guest.command(f"/score {text}", timeout)
    assert [event.ev for event in events] == ["score"], events
    assert isinstance(events[0], Score)
    return events[0]


def complete(guest: Machine, count: int, text: str) -> tuple[list[Token], Done]:
    """Tokens and end of /complete."""
    return reply(guest.command(f"/complete {count} {text}", 600))


def reply(events: list[Event]) -> tuple[list[Token], Done]:
    """Splits what a reply consists of."""
    tokens = [event for event in events if isinstance(event, Token)]
    assert [event.ev for event in events] == ["token"] * len(tokens) + ["done"], events
    done = events[-1]
    assert isinstance(done, Done)
    assert done.n_gen == len(tokens)
    return tokens, done


def log_sum_exp(logits: NDArray[Any]) -> NDArray[Any]:
    top = logits.max(-1)
    return np.asarray(top + np.log(np.exp(logits - top[..., None]).sum(-1)))


def check_against_oracle(found: Score, logits: NDArray[Any], tolerance: float) -> None:
    """Every number of the event; logits are (n, vocab)."""
    n = len(found.ids)
    assert [len(v) for v in (found.argmax, found.margin, found.top, found.logsumexp)] == [n] * 4
    ordered = np.sort(logits, axis=-1)
    expected = logits.argmax(-1)
    for i in range(n):
        if ordered[i, -1] - ordered[i, -2] > 2 * tolerance:
            assert found.argmax[i] == expected[i], f"position {i}"
        assert len(found.top[i]) == TOP
        for token, logit in found.top[i]:
            assert abs(logit - logits[i, token]) <= tolerance, f"position {i}, token {token}"
        values = [logit for _, logit in found.top[i]]
        assert values == sorted(values, reverse=True)
        assert values[-1] >= ordered[i, -TOP] - tolerance
        assert found.argmax[i] == found.top[i][0][0]
        assert abs(found.margin[i] - (values[0] - values[1])) < 2e-6
    sums = log_sum_exp(logits)
    assert np.abs(np.array(found.logsumexp) - sums).max() <= tolerance
    if n == 1:
        assert found.nll is None
    else:
        losses = [sums[i] - logits[i, found.ids[i + 1]] for i in range(n - 1)]
        assert found.nll is not None
        assert abs(found.nll - np.mean(losses)) <= 2 * tolerance


MODELS: list[tuple[str, str, dict[str, Any]]] = [
    ("F32", "spm", {}),
    ("F32", "bpe", {}),
    ("F16", "spm", {}),
    ("Q8_0", "bpe", {}),
    ("Q8_0", "spm", {"tied": True}),
    ("Q4_0", "spm", {}),
    ("Q4_1", "bpe", {"kv_heads": 1}),
]


@pytest.mark.parametrize(
    ("quant", "tokenizer", "options"),
    MODELS,
    ids=lambda v: "-".join(v) if isinstance(v, dict) else v,
)
def test_scores_equal_the_oracle(
    machines: Machines,
    target: str,
    tiny: TinyModel,
    quant: str,
    tokenizer: str,
    options: dict[str, Any],
) -> None:
    model = tiny(quant, tokenizer, **options)
    guest = machines.boot(target, image_of(target, model), mem=256)
    oracle = NumpyLlama(model)
    for text in TEXTS:
        found = score(guest, base64_of(text))
        tolerance = QUANTISED if quant.startswith("Q") else EXACT
        check_against_oracle(found, oracle.logits(found.ids), tolerance)


def greedy(oracle: NumpyLlama, ids: list[int], count: int) -> tuple[list[int], float]:
    """Ids that the oracle generates, and the smallest margin on the way."""
    ids, start, margin = list(ids), len(ids), float("inf")
    for _ in range(count):
        last = oracle.logits(ids)[-1]
        second, first = np.sort(last)[-2:]
        margin = min(margin, float(first - second))
        ids.append(int(last.argmax()))
    return ids[start:], margin


def test_completions_equal_the_oracle(guest: Machine, tiny: TinyModel) -> None:
    oracle = NumpyLlama(tiny())
    prompt = score(guest, TEXTS[0]).ids
    tokens, done = complete(guest, 24, TEXTS[0])
    expected, margin = greedy(oracle, prompt, len(tokens))
    assert margin > 2 * EXACT, "this prompt decides nothing"
    assert [token.id for token in tokens] == expected
    assert done.reason == ("eog" if len(tokens) < 24 else "length")
    assert done.n_prompt == len(prompt)


def test_text_forms_mean_the_same(guest: Machine) -> None:
    assert score(guest, "once upon").ids == score(guest, base64_of("once upon")).ids
    assert score(guest, " two").ids == score(guest, base64_of(" two")).ids
    assert score(guest, " two").ids != score(guest, "two").ids
    assert score(guest, "two ").ids == score(guest, base64_of("two ")).ids
    assert score(guest, base64_of(b"a\nb\r\x00\x03\xff")).ids != score(guest, "ab").ids
    assert score(guest, "</s>").ids != [1, 2]  # special tokens are not parsed
    assert codes(guest.command("/score base64:!")) == ["E-CON-04"]
    assert codes(guest.command("/score base64:YQ")) == ["E-CON-04"]


def test_empty_text(machines: Machines, target: str, guest: Machine, tiny: TinyModel) -> None:
    for line in ("/score ", "/score", "/score base64:"):
        found = guest.command(line)[0]
        assert isinstance(found, Score)
        assert found.ids == [1]
        assert found.nll is None
    bpe = machines.boot(target, image_of(target, tiny("F32", "bpe")), mem=256)
    assert codes(bpe.command("/score ")) == ["E-CON-06"]
    assert codes(bpe.command("/complete 3 ")) == ["E-CON-06"]


def test_bad_counts_are_errors(guest: Machine) -> None:
    for line in ("/complete 0 a", "/complete", "/complete x a", "/complete -1 a", "/complete  a"):
        assert codes(guest.command(line)) == ["E-CON-03"], line
    assert len(complete(guest, 1, "a")[0]) == 1
    assert len(complete(guest, 1, "")[0]) == 1


def test_the_context_is_a_limit(guest: Machine) -> None:
    assert codes(guest.command("/score " + "once upon a time " * 1000, 240)) == ["E-CTX-01"]
    ids = score(guest, "a").ids
    tokens, done = complete(guest, 100000, "a")
    assert done.reason in ("context", "eog")
    assert len(ids) + len(tokens) <= 256
    if done.reason == "context":
        assert len(ids) + len(tokens) == 256


def test_settings_do_not_touch_completions(guest: Machine) -> None:
    before = complete(guest, 12, "there was")[0]
    guest.command("/set temperature 3")
    guest.command("/set max_tokens 2")
    assert complete(guest, 12, "there was")[0] == before
    guest.command("/set temperature 0")
    guest.command("/set max_tokens 512")


def test_results_do_not_depend_on_what_was_before(guest: Machine) -> None:
    first = score(guest, TEXTS[0])
    score(guest, base64_of(TEXTS[2]))
    complete(guest, 5, "dog")
    assert score(guest, TEXTS[0]).data == first.data


@pytest.fixture
def stories(machines: Machines, target: str) -> Machine:
    image = image_of(target, recorded_model("stories260K.gguf"))
    return machines.shared(target, image)


def test_stories_equal_the_oracle(stories: Machine) -> None:
    oracle = NumpyLlama(recorded_model("stories260K.gguf"))
    for text in TEXTS:
        found = score(stories, base64_of(text))
        check_against_oracle(found, oracle.logits(found.ids), EXACT)


def test_stories_equal_the_recorded_tokens(stories: Machine) -> None:
    for run in recorded_golden("stories260K_greedy.json")["runs"]:
        assert score(stories, base64_of(run["text"])).ids == run["ids"]
        tokens, _ = complete(stories, run["n_predict"], base64_of(run["text"]))
        assert [token.id for token in tokens] == run["gen_ids"], run["name"]
        text = b"".join(token.piece for token in tokens)
        if run["text"]:  # recorded as a text of its own, which drops the space between the two
            text = text.removeprefix(b" ")
        assert text == bytes.fromhex(run["gen_text_hex"]), run["name"]


RECORDED_TINY = ["tiny-2x64-f32", "tiny-2x64-f16", "tiny-2x64-q8_0", "tiny-2x64-q4_0"]
RECORDED_TINY += ["tiny-2x64-q4_1", "tiny-2x64-q8_0-tied", "tiny-2x64-q5_0"]
RECORDED_TINY += ["tiny-2x256-q4_k_m", "tiny-2x256-q6_k"]


@pytest.mark.parametrize("name", RECORDED_TINY)
def test_recorded_tiny_models(machines: Machines, target: str, name: str) -> None:
    model = recorded_model(f"{name}.gguf")
    runs = recorded_golden("tiny_greedy.json")["models"][name]["runs"]
    guest = machines.boot(target, image_of(target, model), mem=256)
    exact = name.endswith(("f32", "f16"))
    oracle = NumpyLlama(model)
    tolerance = EXACT if exact else QUANTISED
    recorded = RECORDED_K if "_k" in name else RECORDED
    recorded = EXACT if name.endswith("f32") else recorded
    for run in runs:
        found = score(guest, base64_of(run["text"]))
        assert found.ids == run["ids"]
        check_against_oracle(found, oracle.logits(found.ids), tolerance)
        for entry in run["prompt_logits"]:
            ours = dict(found.top[entry["pos"]])
            for token, logit in entry["top5"]:
                assert abs(ours.get(token, logit) - logit) <= recorded, run["name"]
        if name.endswith("f32"):
            tokens, _ = complete(guest, run["n_predict"], base64_of(run["text"]))
            assert [token.id for token in tokens] == run["gen_ids"], run["name"]


@pytest.mark.parametrize("quant", ["BF16", "Q5_1", "Q2_K", "Q3_K", "Q5_K"])
def test_other_types(machines: Machines, target: str, tiny: TinyModel, quant: str) -> None:
    """Those that no recorded model has."""
    model = tiny(quant, "spm", dim=256, ffn=256, layers=1)
    guest = machines.boot(target, image_of(target, model), mem=256)
    found = score(guest, base64_of("the dog went"))
    check_against_oracle(found, NumpyLlama(model).logits(found.ids), EXACT)


def test_pieces_make_valid_text(stories: Machine) -> None:
    """Text for people never splits a character, whatever the tokens do."""
    start = len(stories.text)
    complete(stories, 64, base64_of("你好 🙂 grün"))
    stories.wait_text(b"\n> ", 20, start)
    bytes(stories.text[start:]).decode()
