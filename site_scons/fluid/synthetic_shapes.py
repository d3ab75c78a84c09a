"""Shapes and types of synthetic models (synthetic.py), and where they lie; the command line knows
these without numpy."""

from __future__ import annotations

from dataclasses import dataclass

FOLDER = "build/models"  # below the tree


@dataclass(frozen=True)
class Shape:
    """Of a LLaMA; its output matrix is not the embedding."""

    layers: int
    dim: int
    ffn: int
    heads: int
    kv_heads: int
    vocab: int
    ctx: int


SHAPES = {
    "tinyllama": Shape(22, 2048, 5632, 32, 4, 32000, 2048),  # TinyLlama-1.1B
    "tiny": Shape(2, 256, 512, 4, 2, 512, 256),  # for tests
}

# By name in GGUF; what llama.cpp calls a file of them (gguf.LlamaFileType).
TYPES = {
    "F32": "ALL_F32",
    "F16": "MOSTLY_F16",
    "BF16": "MOSTLY_BF16",
    "Q4_0": "MOSTLY_Q4_0",
    "Q4_1": "MOSTLY_Q4_1",
    "Q5_0": "MOSTLY_Q5_0",
    "Q5_1": "MOSTLY_Q5_1",
    "Q8_0": "MOSTLY_Q8_0",
    "Q2_K": "MOSTLY_Q2_K",
    "Q3_K": "MOSTLY_Q3_K_S",
    "Q4_K": "MOSTLY_Q4_K_S",
    "Q5_K": "MOSTLY_Q5_K_S",
    "Q6_K": "MOSTLY_Q6_K",
}


def file_name(shape: str, kind: str) -> str:
    """tinyllama-q4_0.gguf."""
    return f"{shape}-{kind.lower()}.gguf"


def model_path(shape: str, kind: str) -> str:
    """Of the file, below the tree."""
    return f"{FOLDER}/{file_name(shape, kind)}"


def all_files() -> dict[str, tuple[str, str]]:
    """(shape, type) by path below the tree."""
    return {model_path(s, t): (s, t) for s in SHAPES for t in TYPES}
