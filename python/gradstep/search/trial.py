"""A candidate in training."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from gradstep.interop.scalars import read_float
from gradstep.search.space import Candidate

__all__ = ["Train", "Trial"]


@dataclass
class Trial:
    """One candidate with one seed, which ``train(trial)`` is given each time that it should train further.

    Candidates are trained in turns, so keep random generators in `state`: global random numbers would depend on the
    other candidates.

    Args:
        candidate: the values by name; ``trial["lr"]`` is ``trial.candidate["lr"]``.
        seed: the seed for the training.
        start, stop: make the updates t = start ... stop - 1. In the first call start is 0, then the previous stop.
        state: None in the first call; store here what the next call needs, such as the model and the optimizer. It is
            dropped when the candidate is.
    """

    candidate: Candidate
    seed: int
    start: int = 0
    stop: int = 0
    state: Any = None

    def __getitem__(self, name: str) -> Any:
        return self.candidate[name]


Train: TypeAlias = Callable[[Trial], Any]
"""Trains further and returns the metric: a number, or an array or tensor of one number."""


def advance(train: Train, trials: list[Trial], stop: int) -> list[float]:
    """Train a candidate's trials until `stop` updates; returns the metric of each."""
    metrics = []
    for trial in trials:
        trial.start, trial.stop = trial.stop, stop
        metric = train(trial)
        metrics.append(read_float(metric.item() if hasattr(metric, "item") else metric, "metric"))
    return metrics


def cost(metrics: list[float], maximize: bool) -> float:
    """The mean metric as a loss; infinite if that of a seed is NaN or infinite."""
    if not all(map(math.isfinite, metrics)):
        return math.inf
    mean = sum(metrics) / len(metrics)
    return -mean if maximize else mean


def milestones(updates: int, rounds: int, factor: int) -> list[int]:
    """The updates at which metrics are compared: `updates`, `updates / factor` and so on, in rising order."""
    return [math.ceil(updates / factor**k) for k in reversed(range(rounds))]
