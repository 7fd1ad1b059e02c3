"""A schedule at many steps, against its formula in a Python loop and in NumPy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from gradstep_bench.accuracy import CheckFailed
from gradstep_bench.formulas import FORMULAS, STEPS, Formula
from gradstep_bench.timing import Pace, Race, run_race

__all__ = ["TIMES_NUMPY", "TIMES_PYTHON", "Comparison", "measure_schedules"]

#: the goal for vectorised evaluation
TIMES_PYTHON, TIMES_NUMPY = 20, 1


@dataclass(frozen=True)
class Comparison:
    schedule: str
    seconds: float  # for one step of many
    times_numpy: float  # NumPy's time as a multiple of gradstep's
    times_python: float

    @property
    def reached(self) -> bool:
        return self.times_numpy >= TIMES_NUMPY and self.times_python >= TIMES_PYTHON


def measure_schedules(pace: Pace) -> list[Comparison]:
    """Check, then time every formula over STEPS steps."""
    return [compare(formula, pace) for formula in FORMULAS]


def compare(formula: Formula, pace: Pace) -> Comparison:
    t = np.arange(STEPS)
    steps = t.tolist()
    check(formula, t)
    contestants: dict[str, Callable[[], object]] = {
        "gradstep": lambda: formula.schedule(t),
        "numpy": lambda: formula.numpy(t),
        "python": lambda: [formula.python(each) for each in steps],
    }
    race = run_race(contestants, pace)
    return Comparison(
        type(formula.schedule).__name__, median(race["gradstep"]) / STEPS, ratio(race, "numpy"), ratio(race, "python")
    )


def ratio(race: Race, other: str) -> float:
    return median(b / a for a, b in zip(race["gradstep"], race[other], strict=True))


def check(formula: Formula, t: np.ndarray) -> None:
    """Check that all three compute the same curve, up to rounding of intermediate results."""
    if formula.random:
        return
    ours = formula.schedule(t)
    others: dict[int, Any] = {97: [formula.python(each) for each in t[::97].tolist()], 1: formula.numpy(t)}
    if not all(np.allclose(ours[::stride], each, rtol=1e-11, atol=1e-14) for stride, each in others.items()):
        raise CheckFailed(f"{formula.schedule!r} is not the formula that it is timed against")
