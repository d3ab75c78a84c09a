"""The benchmark physics_step in numpy: the same operations in float, in the same order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BALLS, COLUMNS, CHAIN = 64, 8, 8
F = np.float32
STEP, BOX, RADIUS = F(1 / 1024), F(16), F(0.25)
GRAVITY, STIFFNESS, REST = F(9.8125), F(64), F(0.75)
CONTACT = F(4) * RADIUS * RADIUS
WORD = 0xFFFFFFFF

Vectors = NDArray[np.float32]  # (BALLS, 2)

FIRST = np.array([i for i in range(BALLS - 1) if i % CHAIN != CHAIN - 1])  # of each spring


def _start() -> tuple[Vectors, Vectors]:
    position, velocity, random = np.zeros((BALLS, 2), F), np.zeros((BALLS, 2), F), 0x2545F491
    for i in range(BALLS):
        position[i] = F(4.5) + F(i % COLUMNS), F(4.5) + F(i // COLUMNS)
        for axis in range(2):
            random ^= random << 13 & WORD
            random ^= random >> 17
            random ^= random << 5 & WORD
            velocity[i, axis] = F(random >> 16) / F(8192) - F(4)
    return position, velocity


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
    state = 0x811C9DC5
    for word in np.concatenate([position, velocity], axis=1).view(np.uint32).ravel().tolist():
        state = (state ^ word) * 0x01000193 & WORD
    return state
