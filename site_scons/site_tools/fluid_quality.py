"""SCons tool: `quality`, perplexity and agreement with a float oracle in each format.

build/models/quality/<format>.gguf, .json   the model converted
$OUT/quality/texts.json                     what is predicted
$OUT/quality/<format>.json                  what engine and oracle predict
$OUT/quality-host.json, quality.txt         what follows from it
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from fluid import quality_formats
from fluid.quality_formats import FORMATS, RESULT, model_path

TEXTS = "$OUT/quality/texts.json"
TABLE = "$OUT/quality.txt"
ONE_AT_A_TIME = "#build/.quality"  # never made; each measurement takes all processors


def _convert_step(target: list[str], source: list[str], env: Any) -> None:
    from fluid import convert
    from fluid.progress import show_progress

    about = convert.convert(source[0], env["FLUID_FORMAT"], target[0], show_progress)
    convert.write_about(about, target[1])
    print(file=sys.stderr)


def _texts_step(target: list[str], source: list[str], env: Any) -> None:
    from fluid import quality_texts

    quality_texts.write_pieces(source, target[0])


def _scores_step(target: list[str], source: list[str], env: Any) -> None:
    from fluid import convert, quality_scores, quality_texts
    from fluid.hosted import usable_cores
    from fluid.progress import show_progress

    model, about, boot, host, texts = map(Path, source)
    found = quality_scores.measure(
        model,
        convert.read_about(about),
        boot,
        quality_texts.read_pieces(texts),
        Path(target[0]).parent,
        show_progress,
        target=env["FLUID_TARGET"].emulated,
        threads=usable_cores(),
        program=str(host.absolute()),
    )
    quality_scores.write_scores(found, target[0])
    print(file=sys.stderr)


def _result_step(target: list[str], source: list[str], env: Any) -> None:
    from fluid import quality_results, quality_scores
    from fluid.emulator import HOST

    scores = [quality_scores.read_scores(path) for path in source]
    found = quality_results.collect(scores, env["FLUID_TAG"], HOST)
    quality_results.write_quality(found, target[0])
    Path(target[1]).write_text(quality_results.table(found), encoding="utf-8")


def _show(target: Any, source: Any, env: Any) -> None:
    print(Path(source[0].abspath).read_text(encoding="utf-8"), end="")


def _models(env: Any) -> dict[str, Any]:
    """(model, about) by format; the same nodes for all targets."""
    given = env.File(str(env["FLUID_MODEL"]).replace("$", "$$"))
    made = {}
    for kind in FORMATS:
        paths = [f"#{model_path(kind)}", f"#{Path(model_path(kind)).with_suffix('.json')}"]
        if not env.File(paths[0]).has_builder():
            env.FluidNotShared(env.ConvertedModel(paths, given, FLUID_FORMAT=kind))
        made[kind] = [env.File(path) for path in paths]
    return made


def _quality(env: Any, alias: str, boot: Any, host: list[Any]) -> None:
    """Alias of the table, which it shows."""
    if not quality_formats.wanted(env["FLUID_GOALS"]):
        return
    if env["FLUID_MODEL"] is None:
        env.Alias(alias, env.NoModel(f"$OUT/{RESULT}", []))
        return
    models = _models(env)
    texts = env.QualityTexts(TEXTS, [f"#{path}" for path in _documents()])
    scores = []
    for kind, model in models.items():
        path = f"$OUT/quality/{kind.lower()}.json"
        scores += env.QualityScores(path, [*model, boot, host[0], texts])
    env.SideEffect(ONE_AT_A_TIME, scores)
    env.Requires(scores, list(models.values()))  # nothing else works beside a measurement
    result = env.QualityResult([f"$OUT/{RESULT}", TABLE], scores)
    env.FluidNotShared([scores, result])  # of this machine
    shown = env.Alias(alias, result[1], env.Action(_show, None))
    env.Depends(shown, result)
    env.AlwaysBuild(shown)


def _documents() -> tuple[str, ...]:
    from fluid.quality_texts import DOCUMENTS

    return DOCUMENTS


def generate(env: Any) -> None:
    """Adds env.FluidQuality."""
    about = ["FLUID_TAG"]
    env.PythonBuilder(
        "ConvertedModel", "CONVERT", ["progress", "convert"], _convert_step, ["FLUID_FORMAT"]
    )
    env.PythonBuilder("QualityTexts", None, ["quality_texts"], _texts_step)
    env.PythonBuilder("QualityScores", "SCORE", ["progress", "quality_scores"], _scores_step, about)
    env.PythonBuilder("QualityResult", "QUALITY", ["quality_results"], _result_step, about)
    env.AddMethod(_quality, "FluidQuality")


def exists(env: Any) -> bool:
    """numpy and gguf are installed."""
    import importlib.util

    return all(importlib.util.find_spec(name) is not None for name in ("numpy", "gguf"))
