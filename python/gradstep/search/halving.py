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
    """Train all candidates briefly, the best of them further, and so on until fewer than `factor` are left.

    With n candidates there are ``R = 1 + floor(log(n) / log(factor))`` rounds. Round k = 0 ... R - 1 trains on until
    ``ceil(updates / factor**(R - 1 - k))`` updates; then the best ``max(1, number // factor)`` go on. They
    continue their training, see `Trial`. A candidate with a NaN or infinite metric is dropped. An error of `train` ends
    the search.

    Args:
        train: ``train(trial)`` makes the updates that the trial asks for and returns the metric after them, such as a
            validation loss.
        candidates: dicts of values by name, such as `sample` makes.
        updates: the updates of the candidates in the last round, in total.
        factor: one of so many candidates goes on; 2 or more. Default 3.
        seeds: each candidate is trained once with each seed and judged by the mean metric. Default (0,).
        maximize: whether a higher metric is better. Default False.

    Returns:
        The table of all candidates, see `Result`.

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
        raise ValueError(f"factor is {factor}: it must be 2 or more, because one candidate of so many goes on")
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
