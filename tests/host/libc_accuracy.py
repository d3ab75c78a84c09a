"""How exact the elementary functions of the image are, on every target.

Errors are in units in the last place (ulp) of the exact result. Of functions in float the exact
result is numpy's in double, good to a few 2^-30 ulp of a float; of those in double it is mpmath's,
to 150 bits. Results that are not numbers have no error when they are what C17 Annex F wants, an
infinite one otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np

from libc_driver import Array, evaluate

CHUNK = 1 << 20  # arguments at a time
STRIDE = {"quick": 157 * 257, "full": 257}  # of all 2^32 floats, every so many
FOCUS = {"quick": 20_000, "full": 4_000_000}  # floats in the range where results are finite
EXACT = {"quick": 400, "full": 20_000}  # arguments in double for mpmath
SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 3.0, math.inf, -math.inf, math.nan]

mpmath.mp.prec = 150


@dataclass(frozen=True)
class Function:
    """One function of math.h; `focus` is the range that is searched densely besides all numbers."""

    name: str
    reference: Callable[..., Any]  # of numpy in double, or of mpmath
    focus: tuple[float, float]
    second: tuple[float, float] | None = None  # the range of the second argument
    exact: bool = False  # results need no rounding, or IEEE 754 wants them rounded correctly

    @property
    def dtype(self) -> type[np.floating[Any]]:
        return np.float32 if self.name.endswith("f") else np.float64


def _round(x: Array) -> Array:
    """Halves away from zero, as C wants it."""
    whole = np.floor(np.abs(x))
    result: Array = np.copysign(whole + (np.abs(x) - whole >= 0.5), x)
    return result


def _c_pow(x: float, y: float) -> float:
    """C17 F.10.4.4 where Python raises an exception instead."""
    odd = y == math.floor(y) and y % 2 == 1 if math.isfinite(y) else False
    sign = -1.0 if math.copysign(1, x) < 0 and odd else 1.0
    try:
        return math.pow(x, y)
    except OverflowError:
        return sign * math.inf
    except ValueError:
        return sign * math.inf if x == 0 else math.nan


def _pow(x: Array, y: Array) -> Array:
    """numpy's gives -0 for the square root of -0."""
    result = np.power(x, y)
    special = (x == 0) | ~np.isfinite(x) | ~np.isfinite(y)
    result[special] = [_c_pow(*row) for row in zip(x[special], y[special], strict=True)]
    return result


def _erf(x: Array) -> Array:
    return np.array([math.erf(one) for one in x.tolist()])


_BOTH: dict[str, Callable[..., Any]] = {  # in float and double, with one reference
    "ceil": np.ceil, "fabs": np.abs, "floor": np.floor, "round": _round, "sqrt": np.sqrt,
}  # fmt: skip

FUNCTIONS = (
    *(Function(f"{n}f", reference, (-100, 100), exact=True) for n, reference in _BOTH.items()),
    Function("fmodf", np.fmod, (-1000, 1000), (-50, 50), exact=True),
    Function("cosf", np.cos, (-100, 100)),
    Function("erff", _erf, (-4, 4)),
    Function("exp2f", np.exp2, (-150, 128)),
    Function("expf", np.exp, (-104, 89)),
    Function("log2f", np.log2, (0, 4)),
    Function("logf", np.log, (0, 4)),
    Function("powf", _pow, (0, 20), (-30, 30)),
    Function("sinf", np.sin, (-100, 100)),
    Function("tanf", np.tan, (-100, 100)),
    Function("tanhf", np.tanh, (-10, 10)),
    *(Function(n, reference, (-100, 100), exact=True) for n, reference in _BOTH.items()),
    Function("fmod", np.fmod, (-1000, 1000), (-50, 50), exact=True),
    Function("cos", mpmath.cos, (-100, 100)),
    Function("exp", mpmath.exp, (-745, 710)),
    Function("log", mpmath.log, (0, 4)),
    Function("pow", mpmath.power, (0, 20), (-230, 230)),
    Function("sin", mpmath.sin, (-100, 100)),
    Function("sincos.cos", mpmath.cos, (-10_000, 10_000)),
    Function("sincos.sin", mpmath.sin, (-10_000, 10_000)),
    Function("tanh", mpmath.tanh, (-20, 20)),
)


def _uniform(rng: np.random.Generator, bounds: Sequence[tuple[float, float]], n: int) -> Array:
    """Shape (n, len(bounds))."""
    low, high = np.array(bounds).T
    drawn: Array = rng.uniform(low, high, (n, len(bounds)))
    return drawn


def _any_doubles(rng: np.random.Generator, n: int) -> Array:
    """Of every exponent and both signs."""
    return rng.integers(0, 1 << 64, n, dtype=np.uint64).view(np.float64)


def _every_float(step: int) -> Iterator[Array]:
    for start in range(0, 1 << 32, CHUNK * step):
        bits = np.arange(start, min(start + CHUNK * step, 1 << 32), step)
        yield bits.astype(np.uint32).view(np.float32)


def arguments(function: Function, extent: str) -> Iterator[Array]:
    """Chunks of shape (n,) or (n, 2), the same in every run; the first are special values. Those of
    "quick" are among those of "full"."""
    dtype, rng = function.dtype, np.random.default_rng(1)
    special = np.array(SPECIAL, dtype)
    count = (FOCUS if dtype is np.float32 or function.exact else EXACT)[extent]
    bounds = [function.focus]
    if function.second is not None:
        bounds.append(function.second)
        yield np.stack(np.meshgrid(special, special), axis=-1).reshape(-1, 2)
    else:
        yield special
        if dtype is np.float32:
            yield from _every_float(STRIDE[extent])
        else:
            yield _any_doubles(np.random.default_rng(2), count)
    for left in range(count, 0, -CHUNK):
        drawn = _uniform(rng, bounds, min(left, CHUNK)).astype(dtype)
        yield drawn if function.second is not None else drawn[:, 0]


@dataclass(frozen=True)
class Exact:
    """Exact results: `near` is each in the function's type, `rest` what it lacks in ulps."""

    near: Array
    rest: Array


def _spacing(x: Array) -> Array:
    """The last place of each; of infinities and NaN 1."""
    with np.errstate(invalid="ignore"):
        spacing = np.spacing(np.abs(x))
    return np.where(np.isfinite(spacing), spacing, 1)


def _of_numpy(function: Function, given: Array) -> Exact:
    columns = (given,) if given.ndim == 1 else (given[:, 0], given[:, 1])
    with np.errstate(all="ignore"):
        if function.exact:
            near = function.reference(*columns)
            return Exact(near.astype(function.dtype), np.zeros(len(near)))
        wide = function.reference(*(column.astype(np.float64) for column in columns))
        near = wide.astype(np.float32)
        rest = (wide - near.astype(np.float64)) / _spacing(near).astype(np.float64)
    return Exact(near, np.where(np.isfinite(rest), rest, 0))


def _one_of_mpmath(function: Function, given: Sequence[float]) -> tuple[float, float]:
    """Special cases are those of this machine's C library, which follows C17 Annex F."""
    name = function.name.rpartition(".")[2]
    with np.errstate(all="ignore"):
        usual = _c_pow(*given) if name == "pow" else float(getattr(np, name)(*given))
    if not math.isfinite(usual) and (any(not math.isfinite(x) for x in given) or given[0] <= 0):
        return usual, 0.0
    if any(not math.isfinite(x) for x in given) or (usual == 0 and given[0] == 0):
        return usual, 0.0
    exact = function.reference(*map(mpmath.mpf, given))
    if abs(exact) >= mpmath.ldexp(2 - mpmath.ldexp(1, -53), 1023):
        return math.copysign(math.inf, exact), 0.0
    near = float(exact)
    near = math.copysign(near, usual) if near == 0 else near
    return near, float((exact - mpmath.mpf(near)) / mpmath.mpf(math.ulp(near)))


def exact(function: Function, given: Array) -> Exact:
    """Exact results of arguments of shape (n,) or (n, 2)."""
    if function.dtype is np.float32 or function.exact:
        return _of_numpy(function, given)
    rows = given.reshape(len(given), -1).tolist()
    results = [_one_of_mpmath(function, row) for row in rows]
    near, rest = (np.array(column) for column in zip(*results, strict=True))
    return Exact(near, rest)


def errors(found: Array, right: Exact) -> Array:
    """In ulps; infinite where one is no number and the other is, or the sign of a zero differs."""
    with np.errstate(all="ignore"):
        apart = (found.astype(np.float64) - right.near) / _spacing(right.near).astype(np.float64)
    error = np.abs(apart - right.rest)
    alike = (found == right.near) | (np.isnan(found) & np.isnan(right.near))
    zero = (right.near == 0) & (right.rest == 0)
    wrong_zero = zero & (np.signbit(found) != np.signbit(right.near))
    special = ~np.isfinite(right.near) | ~np.isfinite(found)
    error = np.where(special, np.where(alike, 0, np.inf), error)
    return np.where(wrong_zero & ~np.isnan(found), np.inf, error)


# What llvm-libc 19 does against C17: function and arguments to the result, measured apart.
DEVIATIONS: dict[tuple[str, tuple[float, ...]], float] = {
    ("powf", (-0.0, 0.5)): -0.0,  # F.10.4.4: +0; it takes the square root
    ("powf", (-math.inf, 0.5)): math.nan,  # F.10.4.4: +infinity
}


def _deviates(name: str, given: Array) -> Array:
    """Which rows of shape (n,) or (n, 2) are known deviations, signs of zeros regarded."""
    rows = np.ascontiguousarray(given).reshape(len(given), -1).view(f"u{given.itemsize}")
    found = np.zeros(len(given), bool)
    for function, arguments in DEVIATIONS:
        if function == name:
            known = np.array(arguments, given.dtype).view(rows.dtype)
            found |= (rows == known).all(axis=1)
    return found


@dataclass(frozen=True)
class Worst:
    """The largest error of a function on one target, and the argument that shows it."""

    ulp: float
    argument: tuple[float, ...]


NOWHERE = Worst(0.0, ())


def worst_of(function: Function, given: Array, found: Array, right: Exact) -> Worst:
    """The worst of results `found`, known deviations left out."""
    error = np.where(_deviates(function.name, given), 0, errors(found, right))
    at = int(np.argmax(error))
    return Worst(float(error[at]), tuple(np.atleast_1d(given[at]).tolist()))


def measure(function: Function, targets: Sequence[str], extent: str) -> Mapping[str, Worst]:
    """The worst case on each target; `extent` is "quick" or "full"."""
    worst = dict.fromkeys(targets, NOWHERE)
    for given in arguments(function, extent):
        right = exact(function, given)
        for target in targets:
            found = worst_of(function, given, evaluate(target, function.name, given), right)
            worst[target] = max(worst[target], found, key=lambda one: one.ulp)
    return worst
