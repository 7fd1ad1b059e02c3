"""Suggestions of a range test: three rates read from the curve, and how certain each is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gradstep.lr_finder.curve import Curve, smooth, without_gaps

__all__ = ["Suggestions", "suggest"]

STRENGTHS = (0.5, 0.7, 1.0, 1.4, 2.0)
"""The smoothings that give a suggestion's spread, as multiples of the requested one."""

DESCENT = 4.0
"""The smallest descent, in standard errors: pure noise has one as deep in less than 2 of 100 tests."""

FEWEST = 6
"""The fewest finite losses that give suggestions."""

Reading = Mapping[str, float | None]

NOTHING: Reading = dict.fromkeys(("steepest", "valley", "tenth_of_minimum"))


@dataclass(frozen=True)
class Suggestions:
    """Rates that a range test suggests; None where the curve shows none.

    All are read from the deepest descent of the smooth loss over log10(rate), and rounded to three digits. All are None
    if noise alone could cause that descent.

    Args:
        steepest: the rate at which the loss falls fastest per decade.
        valley: the middle, in log10(rate), between one tenth and nine tenths of the descent.
        tenth_of_minimum: a tenth of the rate at the lowest loss; None if the loss still fell at the end of the ramp
            (raise `high`).
        spread: the lowest and highest value of each suggestion, by name, for half to twice the smoothing, or None. If
            it spans more than a factor of about 3, look at the plot.
    """

    steepest: float | None
    valley: float | None
    tenth_of_minimum: float | None
    spread: Mapping[str, tuple[float, float] | None]

    def rates(self) -> dict[str, float | None]:
        """The suggestions by name."""
        return {name: getattr(self, name) for name in self.spread}


def suggest(rates: NDArray[np.float64], losses: NDArray[np.float64], width: float, ended_high: bool) -> Suggestions:
    """The suggestions of a test, which ended because the rate was too high or because the ramp was complete."""
    x, y = without_gaps(np.log10(rates), losses)
    if len(x) < FEWEST:
        return Suggestions(**NOTHING, spread=dict.fromkeys(NOTHING))
    readings = [read(smooth(x, y, width, strength), ended_high) for strength in STRENGTHS]
    middle = readings[STRENGTHS.index(1.0)]
    return Suggestions(**middle, spread={name: _spread(name, readings) for name in middle})


def read(curve: Curve, ended_high: bool) -> Reading:
    descent = deepest_descent(curve)
    if descent is None:
        return NOTHING
    x, loss, slope = curve.x[descent], curve.loss[descent], curve.slope[descent]
    done = (loss[0] - loss) / (loss[0] - loss[-1])
    begun, nearly_done = np.flatnonzero(done < 0.1)[-1], np.argmax(done > 0.9)
    turned = ended_high or x[-1] < curve.x[-1]
    return {
        "steepest": rate_at(x[np.argmin(slope)]),
        "valley": rate_at((x[begun] + x[nearly_done]) / 2),
        "tenth_of_minimum": rate_at(x[-1] - 1) if turned else None,
    }


def rate_at(x: float) -> float:
    """The rate, rounded to three digits: more would be noise."""
    return float(f"{10**x:.3g}")


def deepest_descent(curve: Curve) -> slice | None:
    """The range with the largest drop of the loss; None if noise alone could cause it."""
    drops = np.maximum.accumulate(curve.loss) - curve.loss
    bottom = int(np.argmax(drops))
    start = int(np.argmax(curve.loss[: bottom + 1]))
    counts = drops[bottom] > DESCENT * np.hypot(curve.error[start], curve.error[bottom])
    return slice(start, bottom + 1) if counts else None


def _spread(name: str, readings: list[Reading]) -> tuple[float, float] | None:
    found = [rate for reading in readings if (rate := reading[name]) is not None]
    return (min(found), max(found)) if found else None
