"""The loss as a smooth function of log10(rate), estimated from noisy points without lag."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

GRID = 256
SPACINGS = 1.5
"""The smallest width, in spacings of the points: two points can't show noise."""

GAP = 1.0
"""The widest gap between points, in decades; wider ones were not tested."""

ROUNDING = 1e-12
"""An upper bound of the rounding error of the sums, relative to the loss."""

NORMAL_QUARTILE = 0.6745
"""Half of all normal numbers lie within this many standard deviations."""


@dataclass(frozen=True)
class Curve:
    """The smooth loss on an even grid of x = log10(rate), its slope per decade, and its standard error."""

    x: Vector
    loss: Vector
    slope: Vector
    error: Vector


def smooth(x: Vector, y: Vector, width: float, strength: float = 1.0) -> Curve:
    """Fit a straight line around each point of the grid, with normal weights of standard deviation width * strength.

    A line, because a mean would lag behind a fall and flatten at the ends; on a grid, because the curve must not depend
    on the points of the ramp. Source: Cleveland 1979, "Robust locally
    weighted regression and smoothing scatterplots" (without its robust passes). Points are weighted by their
    spacing; otherwise the denser side would determine the slope.
    """
    grid = np.linspace(x[0], x[-1], GRID)
    d = x - grid[:, None]
    spacing = np.gradient(x)
    window = strength * np.maximum(width, SPACINGS * np.interp(grid, x, spacing))[:, None]
    weight = spacing * np.exp(-0.5 * (d / window) ** 2)
    s0, s1, s2 = (np.sum(weight * d**power, axis=1, keepdims=True) for power in range(3))
    area = s0 * s2 - s1**2
    level = weight * (s2 - s1 * d) / area
    slope = weight * (s0 * d - s1) / area
    shown = without_divergence(y)
    return Curve(grid, level @ shown, slope @ shown, noise(y) * np.sqrt(np.sum(level**2, axis=1)))


def without_gaps(x: Vector, y: Vector) -> tuple[Vector, Vector]:
    """The points after the last gap wider than GAP: a linear ramp begins with such gaps."""
    leaps = np.flatnonzero(np.diff(x) > GAP)
    first = leaps[-1] + 1 if len(leaps) else 0
    return x[first:], y[first:]


def without_divergence(y: Vector) -> Vector:
    """The losses, capped after the lowest one at the highest one before: divergence must not outweigh neighbours."""
    capped: Vector = np.minimum(y, y[: np.argmin(y) + 1].max())
    return capped


def noise(y: Vector) -> float:
    """The standard deviation of the noise, from differences of neighbours; robust against outliers."""
    deviation = float(np.median(np.abs(np.diff(y)))) / (NORMAL_QUARTILE * math.sqrt(2))
    return max(deviation, ROUNDING * float(np.median(np.abs(y))))
