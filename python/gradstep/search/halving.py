"""Successive halving."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gradstep.schedules.fields import count
from gradstep.search.result import Result, Row
from gradstep.search.space import Candidate
from gradstep.search.trial import Train, Trial, advance, cost, milestones

__all__ = ["successive_halving"]


def successive_halving(
    train: Train,
    candidates: Sequence[Candidate],
    updates: int,
    *,
    factor: int = 3,
    seeds: Sequence[int] = (0,),
    maximize: bool = False,
) -> Result:
    """Train all candidates a little, the best of them on, and so forth until fewer than `factor` are left.

    With n candidates there are ``R = 1 + floor(log(n) / log(factor))`` rounds. Round k = 0 ... R - 1 trains on until
    ``ceil(updates / factor**(R - 1 - k))`` updates; then the best ``max(1, number // factor)`` go on. Those who do
    continue, they do not start again: see `Trial`. A candidate whose metric is NaN or infinite is out.

    What `train` raises ends the search.

    Args:
        train: ``train(trial)`` makes the updates that the trial asks for and returns the metric after them, such as a
            validation loss.
        candidates: dicts of values by name, at hand or from `sample`.
        updates: of those in the last round, in all.
        factor: 2 or more: 1 of so many goes on. Default 3.
        seeds: each candidate is trained once with each, and judged by the mean metric. Default one, 0.
        maximize: the metric is better when it is higher. Default False.

    Raises:
        TypeError, ValueError: an argument is out of range; nothing has been trained.

    Source: Jamieson and Talwalkar 2016, arXiv:1502.07943.

    >>> from gradstep.search import successive_halving
    >>> def train(trial):
    ...     trial.state = (trial.state or 0) + trial.stop - trial.start
    ...     return abs(trial["lr"] - 0.2) + 1 / trial.state
    >>> print(successive_halving(train, [{"lr": 0.1 * k} for k in range(1, 5)], updates=100, factor=2))
    lr   updates  metric
    0.2  100      0.01
    0.1  50       0.12
    0.3  25       0.14
    0.4  25       0.24
    """
    count("updates", updates)
    if count("factor", factor) < 2:
        raise ValueError(f"factor is {factor}: it must be 2 or more, since 1 candidate of so many goes on")
    if not candidates:
        raise ValueError("there are no candidates: pass a list of dicts, or sample(space, n)")
    if not seeds:
        raise ValueError("there are no seeds: pass one or more, such as seeds=(0, 1, 2)")
    rounds = 1
    while factor**rounds <= len(candidates):
        rounds += 1
    running = [[Trial(candidate, seed) for seed in seeds] for candidate in candidates]
    rows: list[Row] = []
    for stop in milestones(updates, rounds, factor):
        metrics = [advance(train, trials, stop) for trials in running]
        costs = [cost(each, maximize) for each in metrics]
        order = sorted(range(len(running)), key=costs.__getitem__)
        ahead = [i for i in order[: max(1, len(running) // factor)] if costs[i] < math.inf and stop < updates]
        rows += [Row(running[i][0].candidate, stop, metrics[i]) for i in order if i not in ahead]
        running = [running[i] for i in ahead]
    return Result.ranked(rows, maximize)
