"""The formats whose quality is measured, which type each tensor has in them, and where the files
lie; the command line knows these without numpy.

Types are those that llama.cpp's quantizer takes with --pure: one for all matrices but the output
matrix (Q6_K; an embedding that is also the output matrix counts as one), and others where rows are
no multiple of a block (tensor_type_fallback in llama-quant.cpp).
"""

from __future__ import annotations

from fluid.synthetic_shapes import FOLDER as MODELS
from fluid.synthetic_shapes import TYPES

FOLDER = f"{MODELS}/quality"  # below the tree
RESULT = "quality-host.json"  # in the target's folder
EXACT = "F32"  # the format that changes no weight

PLAIN = ("F32", "F16", "BF16", "Q8_0")  # whose output matrix is of the type, too
FORMATS = (*PLAIN, *(kind for kind in TYPES if kind not in PLAIN))

# Of rows that are no multiple of 256. llama.cpp takes IQ4_NL for the first two, which the engine
# does not know; Q4_0 is of the same size, and what llama.cpp took before there was IQ4_NL.
FALLBACKS = {"Q2_K": "Q4_0", "Q3_K": "Q4_0", "Q4_K": "Q5_0", "Q5_K": "Q5_1", "Q6_K": "Q8_0"}
BLOCK, K_BLOCK = 32, 256  # weights

OUTPUT = "output.weight"
EMBEDDING = "token_embd.weight"


def type_of(name: str, cols: int, kind: str, tied: bool) -> str:
    """Of the matrix of that name, with rows of `cols`; tied: the model has no output matrix."""
    if name == (EMBEDDING if tied else OUTPUT) and kind not in PLAIN:
        kind = "Q6_K"
    if kind in FALLBACKS and cols % K_BLOCK:
        kind = FALLBACKS[kind]
    return "F16" if kind not in PLAIN[:3] and cols % BLOCK else kind


def model_path(kind: str) -> str:
    """Of the model in this format, below the tree; about it: the same with .json."""
    return f"{FOLDER}/{kind.lower()}.gguf"


def wanted(goals: list[str]) -> bool:
    """Whether the measurement or a part of it by its path is asked for."""
    return any(
        goal == "quality"
        or goal.startswith(FOLDER)
        or (goal.startswith("build/") and "/quality" in goal)
        for goal in goals
    )
