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
    """One candidate with one seed, handed to ``train(trial)`` each time that it is to be trained further.

    Candidates are trained in turns, so whatever is random belongs into `state` as a generator: the global random
    numbers would depend on who else is in training.

    Args:
        candidate: its values by name; ``trial["lr"]`` is ``trial.candidate["lr"]``.
        seed: for all that is random in its training, at its first call.
        start, stop: make the updates t = start ... stop - 1. start is 0 at the first call, then the stop of the last
            one.
        state: None at the first call; put there what the next call needs to go on, such as the model and the optimizer.
            It is dropped once the candidate is out.
    """

    candidate: Candidate
    seed: int
    start: int = 0
    stop: int = 0
    state: Any = None

    def __getitem__(self, name: str) -> Any:
        return self.candidate[name]


Train: TypeAlias = Callable[[Trial], Any]
"""Trains on and returns the metric: a number, or an array or tensor of one number."""


def advance(train: Train, trials: list[Trial], stop: int) -> list[float]:
    """Train a candidate's trials on to `stop` updates: the metric of each."""
    metrics = []
    for trial in trials:
        trial.start, trial.stop = trial.stop, stop
        metric = train(trial)
        metrics.append(read_float(metric.item() if hasattr(metric, "item") else metric, "metric"))
    return metrics


def cost(metrics: list[float], maximize: bool) -> float:
    """The mean metric as something to make small; infinite where a seed's is NaN or infinite."""
    if not all(map(math.isfinite, metrics)):
        return math.inf
    mean = sum(metrics) / len(metrics)
    return -mean if maximize else mean


def milestones(updates: int, rounds: int, factor: int) -> list[int]:
    """After how many updates the metrics are compared: `updates` at last, and a `factor` fewer each time before."""
    return [math.ceil(updates / factor**k) for k in reversed(range(rounds))]
