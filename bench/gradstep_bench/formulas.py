"""Each schedule with its formula in plain Python and in NumPy."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

import gradstep as gs

__all__ = ["FORMULAS", "STEPS", "Formula"]

Array = npt.NDArray[Any]

STEPS = 100_000
POINTS = [(0, 0.01), (5_000, 0.1), (40_000, 0.05), (80_000, 0.001)]
MILESTONES = [30_000, 60_000, 80_000]
RANDOM = random.Random(7)
VALUES = np.linspace(0.1, 0.001, 80_000)


@dataclass(frozen=True)
class Formula:
    schedule: gs.Schedule
    python: Callable[[int], float]  # the value at a step
    numpy: Callable[[npt.NDArray[np.int64]], Array]  # the values at an array of steps
    random: bool = False  # the peers draw other numbers


def python_restarts(t: int) -> float:
    length = 1000
    while t >= length:
        t -= length
        length *= 2
    return 0.05 * (1 + math.cos(math.pi * t / length))


def numpy_restarts(t: npt.NDArray[np.int64]) -> Array:
    cycle = np.floor(np.log2(t / 1000 + 1))
    length = 1000 * 2**cycle
    values: Array = 0.05 * (1 + np.cos(np.pi * (t - length + 1000) / length))
    return values


def python_piecewise(t: int) -> float:
    return 0.1 if t < 30_000 else 0.05 if t < 60_000 else 0.02 if t < 80_000 else 0.01


def python_lines(t: int) -> float:
    for (t0, v0), (t1, v1) in itertools.pairwise(POINTS):
        if t < t1:
            return v0 + (v1 - v0) * (t - t0) / (t1 - t0)
    return v1


def python_periodic(t: int) -> float:
    return 0.3 if t % 100 == 0 else 0.2 if t % 10 == 0 else 0.1


def numpy_periodic(t: npt.NDArray[np.int64]) -> Array:
    return np.where(t % 100 == 0, 0.3, np.where(t % 10 == 0, 0.2, 0.1))


def python_triangle(t: int) -> float:
    phase = t % 3000
    return phase / 1000 if phase < 1000 else (3000 - phase) / 2000


def numpy_triangle(t: npt.NDArray[np.int64]) -> Array:
    phase = t % 3000
    return np.minimum(phase / 1000, (3000 - phase) / 2000)


def python_one_cycle(t: int) -> float:
    if t < 24_000:
        return 0.1 - 0.048 * (1 + math.cos(math.pi * t / 24_000))
    return 4e-7 + (0.1 - 4e-7) * (1 + math.cos(math.pi * (min(t, 80_000) - 24_000) / 56_000)) / 2


def numpy_one_cycle(t: npt.NDArray[np.int64]) -> Array:
    rise = 0.1 - 0.048 * (1 + np.cos(np.pi * t / 24_000))
    fall = 4e-7 + (0.1 - 4e-7) * (1 + np.cos(np.pi * (np.minimum(t, 80_000) - 24_000) / 56_000)) / 2
    return np.where(t < 24_000, rise, fall)


def python_wsd(t: int) -> float:
    if t < 2000:
        return 0.1 * (t + 1) / 2000
    return 0.1 if t < 60_000 else 0.1 * (1 - math.sqrt((min(t, 80_000) - 60_000) / 20_000))


def numpy_wsd(t: npt.NDArray[np.int64]) -> Array:
    decay = 0.1 * (1 - np.sqrt(np.clip(t - 60_000, 0, 20_000) / 20_000))
    return np.where(t < 2000, 0.1 * (t + 1) / 2000, decay)


def python_linear_cosine(t: int) -> float:
    p = min(t, 80_000) / 80_000
    return 0.1 * ((1 - p) * (1 + math.cos(math.pi * p)) / 2 + 0.001)


def numpy_linear_cosine(t: npt.NDArray[np.int64]) -> Array:
    p = np.minimum(t, 80_000) / 80_000
    values: Array = 0.1 * ((1 - p) * (1 + np.cos(np.pi * p)) / 2 + 0.001)
    return values


def python_rex(t: int) -> float:
    p = min(t, 80_000) / 80_000
    return 0.1 * (1 - p) / (1 - p / 2)


def numpy_rex(t: npt.NDArray[np.int64]) -> Array:
    p = np.minimum(t, 80_000) / 80_000
    return 0.1 * (1 - p) / (1 - p / 2)


FORMULAS = [
    Formula(
        gs.Linear(0.1, 0.01, 80_000),
        lambda t: 0.1 - 0.09 * min(t, 80_000) / 80_000,
        lambda t: 0.1 - 0.09 * np.minimum(t, 80_000) / 80_000,
    ),
    Formula(
        gs.PolynomialDecay(0.1, 80_000, 0.01, power=1.7),
        lambda t: 0.01 + 0.09 * (1 - min(t, 80_000) / 80_000) ** 1.7,
        lambda t: 0.01 + 0.09 * (1 - np.minimum(t, 80_000) / 80_000) ** 1.7,
    ),
    Formula(gs.ExponentialDecay(0.1, 0.9, 1000), lambda t: 0.1 * 0.9 ** (t / 1000), lambda t: 0.1 * 0.9 ** (t / 1000)),
    Formula(
        gs.NaturalExpDecay(0.1, 0.2, 1000),
        lambda t: 0.1 * math.exp(-0.2 * t / 1000),
        lambda t: 0.1 * np.exp(-0.2 * t / 1000),
    ),
    Formula(
        gs.InverseTimeDecay(0.1, 0.2, 1000), lambda t: 0.1 / (1 + 0.2 * t / 1000), lambda t: 0.1 / (1 + 0.2 * t / 1000)
    ),
    Formula(
        gs.InverseSqrtDecay(0.1, 1000), lambda t: 0.1 / math.sqrt(1 + t / 1000), lambda t: 0.1 / np.sqrt(1 + t / 1000)
    ),
    Formula(
        gs.PowerLaw(0.1, 1000, -0.7), lambda t: 0.1 * (1 + t / 1000) ** -0.7, lambda t: 0.1 * (1 + t / 1000) ** -0.7
    ),
    Formula(
        gs.Noam(512, 4000),
        lambda t: 512**-0.5 * min((t + 1) ** -0.5, (t + 1) * 4000**-1.5),
        lambda t: 512**-0.5 * np.minimum((t + 1.0) ** -0.5, (t + 1) * 4000**-1.5),
    ),
    Formula(
        gs.CosineDecay(0.1, 80_000),
        lambda t: 0.05 * (1 + math.cos(math.pi * min(t, 80_000) / 80_000)),
        lambda t: 0.05 * (1 + np.cos(np.pi * np.minimum(t, 80_000) / 80_000)),
    ),
    Formula(gs.CosineRestarts(0.1, 1000, mult=2), python_restarts, numpy_restarts),
    Formula(gs.LinearCosine(0.1, 80_000), python_linear_cosine, numpy_linear_cosine),
    Formula(gs.REX(0.1, 80_000), python_rex, numpy_rex),
    Formula(
        gs.TanhDecay(0.1, 80_000),
        lambda t: 0.05 * (1 - math.tanh(-7 + 10 * min(t, 80_000) / 80_000)),
        lambda t: 0.05 * (1 - np.tanh(-7 + 10 * np.minimum(t, 80_000) / 80_000)),
    ),
    Formula(
        gs.Sigmoid(0.1, -0.001, 40_000),
        lambda t: 0.1 / (1 + math.exp(0.001 * (t - 40_000))),
        lambda t: 0.1 / (1 + np.exp(0.001 * (t - 40_000))),
    ),
    Formula(gs.StepDecay(0.1, 10_000, 0.5), lambda t: 0.1 * 0.5 ** (t // 10_000), lambda t: 0.1 * 0.5 ** (t // 10_000)),
    Formula(
        gs.MultiStep(0.1, MILESTONES, 0.3),
        lambda t: 0.1 * 0.3 ** sum(t >= each for each in MILESTONES),
        lambda t: 0.1 * 0.3 ** np.searchsorted(MILESTONES, t, side="right"),
    ),
    Formula(
        gs.Piecewise(MILESTONES, [0.1, 0.05, 0.02, 0.01]),
        python_piecewise,
        lambda t: np.array([0.1, 0.05, 0.02, 0.01])[np.searchsorted(MILESTONES, t, side="right")],
    ),
    Formula(
        gs.PiecewiseLinear(POINTS), python_lines, lambda t: np.interp(t, [t for t, _ in POINTS], [v for _, v in POINTS])
    ),
    Formula(
        gs.Table(VALUES.tolist()), lambda t: float(VALUES[min(t, 79_999)]), lambda t: VALUES[np.minimum(t, 79_999)]
    ),
    Formula(gs.Periodic(0.1, [(10, 0.2), (100, 0.3)]), python_periodic, numpy_periodic),
    Formula(
        gs.Cyclic(0.01, 0.1, 1000, 2000),
        lambda t: 0.01 + 0.09 * python_triangle(t),
        lambda t: 0.01 + 0.09 * numpy_triangle(t),
    ),
    Formula(
        gs.Cyclic(0.01, 0.1, 1000, 2000, mode="exp_range", gamma=0.9999),
        lambda t: 0.01 + 0.09 * python_triangle(t) * 0.9999**t,
        lambda t: 0.01 + 0.09 * numpy_triangle(t) * 0.9999**t,
    ),
    Formula(gs.OneCycle(0.1, 80_000), python_one_cycle, numpy_one_cycle),
    Formula(gs.WSD(0.1, 2000, 58_000, 20_000, decay_kind="1-sqrt"), python_wsd, numpy_wsd),
    Formula(
        gs.Uniform(0.01, 0.1, seed=7),
        lambda t: RANDOM.uniform(0.01, 0.1),
        lambda t: np.random.Generator(np.random.Philox(7)).uniform(0.01, 0.1, t.size),
        random=True,
    ),
    Formula(
        gs.LogUniform(0.001, 0.1, seed=7),
        lambda t: 0.001 * 100 ** RANDOM.random(),
        lambda t: 0.001 * 100 ** np.random.Generator(np.random.Philox(7)).random(t.size),
        random=True,
    ),
]
