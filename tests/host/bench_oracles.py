"""What each benchmark must return, calculated by other means: Python's integers, numpy's float32
(each operation rounded once, in the order that the benchmark's source defines), hashlib, `re`.

    CATALOGUE["primes"].checksum(10000)
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

import numpy as np

import numpy_physics
import regex_log
from bench_mix import Draws, Floats, mix, mix_reals

F = np.float32


@dataclass(frozen=True)
class Benchmark:
    """A module of src/modules/bench."""

    checksum: Callable[[int], int]  # of a size
    sizes: tuple[int, ...]
    default: int
    unit: str
    units: Callable[[int], int] = lambda size: size  # of work in one call


def fibonacci(terms: int) -> int:
    draws, modulus = Draws(), 2**31 - 19
    before, last = next(draws) % modulus, next(draws) % modulus
    for _ in range(terms):
        before, last = last, (before + last) % modulus
    return last


def total(words: int) -> int:
    return sum(islice(Draws(), words)) % 2**32


def primes(limit: int) -> int:
    """What no smaller number divides."""
    found: list[int] = []
    left = np.arange(2, limit)
    while left[0] ** 2 < limit:
        found.append(int(left[0]))
        left = left[left % left[0] != 0]
    return mix(found + left.tolist())


def divisions(a: int, b: int) -> int:
    """How many Euclid's algorithm needs."""
    return 0 if b == 0 else 1 + divisions(b, a % b)


def compute(points: int) -> int:
    """All points at once; the greatest common divisor is Python's."""
    draws = Draws()
    rows = [(draws.reals(2), next(draws), next(draws)) for _ in range(points)]
    re, im = np.array([point for point, _, _ in rows]).T * F(2)
    z = np.zeros((points, 2), F)
    count, inside = np.zeros(points, int), np.ones(points, bool)
    for _ in range(64):
        x, y = z[:, 0], z[:, 1]
        inside &= x * x + y * y <= F(4)
        after = np.stack([x * x - y * y + re, F(2) * x * y + im], axis=1)
        z[inside] = after[inside]
        count += inside
    bits = z.view(np.uint32).tolist()
    return mix(
        word
        for n, (_, a, b) in enumerate(rows)
        for word in (int(count[n]), *bits[n], divisions(a, b), math.gcd(a, b))
    )


def product(a: Floats, b: Floats) -> Floats:
    """a b, each element summed in the order of k."""
    c = np.zeros((len(a), b.shape[1]), F)
    for k in range(len(b)):
        c += a[:, k : k + 1] * b[k]
    return c


def matrix_mul(n: int) -> int:
    draws = Draws()
    last, factor = draws.reals(n, n), draws.reals(n, n)
    factor *= F({16: 1 / 2, 64: 1 / 4, 128: 1 / 8}[n])
    for _ in range(32768 // n**2):
        last = product(last, factor)
    return mix_reals(last)


def gemm_tile(size: int) -> int:
    draws, n = Draws(), size // 1000
    return mix_reals(product(draws.reals(n, n), draws.reals(n, n)))


def twiddles(n: int) -> tuple[Floats, Floats]:
    """cos and sin of 2 pi k / n for k < n / 2; Python's floats are doubles."""
    step, sine = 0.0, 1.0
    for _ in range(n.bit_length() - 3):
        step = math.sqrt((1 + step) / 2)
        sine = sine / (2 * step)
    rows = [(1.0, 0.0)]
    for _ in range(n // 2 - 1):
        c, s = rows[-1]
        rows.append((c * step - s * sine, c * sine + s * step))
    cosines, sines = np.array(rows).T.astype(F)
    return cosines, sines


def transform(re: Floats, im: Floats, cosine: Floats, sine: Floats) -> tuple[Floats, Floats]:
    """The discrete Fourier transform of each row, by that of even and that of odd samples."""
    if re.shape[-1] == 1:
        return re, im
    halves = cosine[::2], sine[::2]
    even_re, even_im = transform(re[..., ::2], im[..., ::2], *halves)
    odd_re, odd_im = transform(re[..., 1::2], im[..., 1::2], *halves)
    turned_re, turned_im = odd_re * cosine + odd_im * sine, odd_im * cosine - odd_re * sine
    return (
        np.concatenate([even_re + turned_re, even_re - turned_re], axis=-1),
        np.concatenate([even_im + turned_im, even_im - turned_im], axis=-1),
    )


def windows(n: int) -> tuple[Floats, Floats]:
    """Real and imaginary parts of the signal, a row for each transform."""
    draws, count = Draws(), 16384 // n
    signals = [draws.reals(n + count) for _ in range(2)]
    re, im = (np.stack([signal[i : i + n] for i in range(count)]) for signal in signals)
    return re, im


def fft_1d(n: int) -> int:
    re, im = transform(*windows(n), *twiddles(n))
    power = np.zeros(n, F)
    for row in re * re + im * im:
        power += row
    return mix_reals(power)


def sha256_stream(size: int) -> int:
    data = bytes(word & 0xFF for word in islice(Draws(), size))
    return mix(np.frombuffer(hashlib.sha256(data).digest(), ">u4").tolist())


CATALOGUE = {
    "compute": Benchmark(compute, (256, 4096, 65536), 4096, "points"),
    "fft_1d": Benchmark(fft_1d, (32, 1024), 1024, "transforms", lambda n: 16384 // n),
    "fibonacci": Benchmark(fibonacci, (4096, 65536, 1048576), 65536, "terms"),
    "gemm_tile": Benchmark(
        gemm_tile,
        (64000, 128000, 128008, 128016, 128032, 128064),
        64000,
        "multiplications",
        lambda size: 1 if size % 1000 else 4,
    ),
    "matrix_mul": Benchmark(
        matrix_mul, (16, 64, 128), 64, "multiplications", lambda n: 32768 // n**2
    ),
    "physics_step": Benchmark(numpy_physics.checksum, (16, 128, 1024), 128, "steps"),
    "primes": Benchmark(primes, (10000, 100000, 1000000), 100000, "numbers"),
    "regex_dfa": Benchmark(regex_log.checksum, (4096, 65536, 1048576), 65536, "characters"),
    "sha256_stream": Benchmark(
        sha256_stream, (4096, 65536, 1048576), 65536, "blocks", lambda size: size // 64 + 1
    ),
    "sum": Benchmark(total, (4096, 65536, 1048576), 65536, "words"),
}
