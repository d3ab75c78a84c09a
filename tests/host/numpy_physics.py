"""The benchmark physics_step in numpy: the same operations in float, in the same order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bench_mix import Draws, mix_reals

BALLS, COLUMNS, CHAIN = 64, 8, 8
F = np.float32
STEP, BOX, RADIUS = F(1 / 1024), F(16), F(0.25)
GRAVITY, STIFFNESS, REST = F(9.8125), F(64), F(0.75)
CONTACT = F(4) * RADIUS * RADIUS

Vectors = NDArray[np.float32]  # (BALLS, 2)

FIRST = np.array([i for i in range(BALLS - 1) if i % CHAIN != CHAIN - 1])  # of each spring


def _start() -> tuple[Vectors, Vectors]:
    i = np.arange(BALLS)
    position = np.stack([i % COLUMNS, i // COLUMNS], axis=1).astype(F) + F(4.5)
    return position, Draws().reals(BALLS, 2) * F(4)


def _accelerations(position: Vectors) -> Vectors:
    """Gravity, then one spring after the other: no ball's sum is in another order."""
    found = np.zeros((BALLS, 2), F)
    found[:, 1] -= GRAVITY
    between = position[FIRST + 1] - position[FIRST]
    length = np.sqrt(between[:, 0] * between[:, 0] + between[:, 1] * between[:, 1])
    pull = (STIFFNESS * (length - REST) / length)[:, None] * between
    for n, i in enumerate(FIRST):
        found[i] += pull[n]
        found[i + 1] -= pull[n]
    return found


def _collide(position: Vectors, velocity: Vectors) -> None:
    between = position[None, :, :] - position[:, None, :]
    distance = between[:, :, 0] * between[:, :, 0] + between[:, :, 1] * between[:, :, 1]
    touching = np.triu((distance < CONTACT) & (distance != 0), 1)
    for i, j in zip(*np.nonzero(touching), strict=True):
        x, y = between[i, j]
        apart = velocity[i] - velocity[j]
        closing = apart[0] * x + apart[1] * y
        if closing > 0:
            change = closing / distance[i, j] * between[i, j]
            velocity[i] -= change
            velocity[j] += change


def checksum(steps: int) -> int:
    """What the benchmark returns for so many steps."""
    position, velocity = _start()
    acceleration = _accelerations(position)
    half = STEP / F(2)
    for _ in range(steps):
        velocity += acceleration * half
        position += velocity * STEP
        acceleration = _accelerations(position)
        velocity += acceleration * half
        outside = (position < RADIUS) & (velocity < 0) | (position > BOX - RADIUS) & (velocity > 0)
        velocity[outside] *= F(-1)
        _collide(position, velocity)
    return mix_reals(np.concatenate([position, velocity], axis=1))
