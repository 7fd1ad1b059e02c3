"""Search with optuna, which proposes candidates from earlier results and ends bad trials early."""

from __future__ import annotations

import math
from typing import Any, Literal

from gradstep.schedules.fields import count, one_of
from gradstep.search.result import Result, Row
from gradstep.search.space import Choice, LogRange, Range, Space, dimensions
from gradstep.search.trial import Train, Trial, advance, cost, milestones

__all__ = ["optuna_search"]

REPORTS, FACTOR = 4, 3
"""A trial reports its metric after 1/27, 1/9, 1/3 and all of its updates."""

check_pruner = one_of("median", "hyperband")


def optuna_search(
    train: Train,
    space: Space,
    updates: int,
    *,
    trials: int = 30,
    pruner: Literal["median", "hyperband"] = "median",
    seed: int = 0,
    maximize: bool = False,
) -> Result:
    """Search a space with optuna's tree-structured Parzen estimator. It needs optuna (``pip install optuna``).

    An error of `train` ends the search.

    Args:
        train: as for `successive_halving`. Each trial is trained until 1/27, 1/9, 1/3 and all of its updates, and may
            be ended after any of them.
        space: as for `sample`.
        updates: the updates of a trial that is not ended early.
        trials: the number of candidates. Default 30.
        pruner: the rule that ends trials: "median" (the default), which ends a trial that is worse than half of those
            before, or "hyperband".
        seed: the seed of the proposals and of every trial: the same seed gives the same search. Default 0.
        maximize: whether a higher metric is better. Default False.

    Returns:
        The table of all trials, see `Result`.

    Raises:
        TypeError, ValueError: an argument is out of range; nothing has been trained.
        ImportError: optuna is not installed.

    Source: Akiba et al. 2019, arXiv:1907.10902.

    >>> from gradstep.search import LogRange, optuna_search
    >>> result = optuna_search(lambda trial: abs(trial["lr"] - 0.1), {"lr": LogRange(1e-3, 1)}, updates=27)
    >>> 0.05 < result.best["lr"] < 0.2
    True
    """
    count("updates", updates)
    count("trials", trials)
    check_pruner("pruner", pruner)
    searched = dimensions(space)
    optuna = _optuna()
    stops = milestones(updates, REPORTS, FACTOR)
    rows: list[Row] = []

    def objective(proposal: Any) -> float:
        candidate = {name: _propose(proposal, name, dimension) for name, dimension in searched.items()}
        trial = Trial(candidate, seed)
        for stop in stops:
            metrics = advance(train, [trial], stop)
            loss = cost(metrics, maximize)
            proposal.report(loss, stop)
            if math.isinf(loss) or proposal.should_prune():
                break
        rows.append(Row(candidate, stop, metrics))
        if stop < updates or math.isinf(loss):
            raise optuna.TrialPruned
        return loss

    study = optuna.create_study(
        study_name="gradstep",  # the Hyperband pruner uses it as a seed
        sampler=optuna.samplers.TPESampler(seed=seed),
        pruner=_pruner(optuna, pruner, stops),
    )
    study.optimize(objective, n_trials=trials)
    return Result.ranked(rows, maximize)


def _optuna() -> Any:
    try:
        import optuna
    except ImportError as error:
        raise ImportError("optuna_search needs optuna: pip install optuna, or use successive_halving") from error
    return optuna


def _pruner(optuna: Any, name: str, stops: list[int]) -> Any:
    if name == "median":
        return optuna.pruners.MedianPruner()
    return optuna.pruners.HyperbandPruner(min_resource=stops[0], max_resource=stops[-1], reduction_factor=FACTOR)


def _propose(proposal: Any, name: str, dimension: Range | Choice) -> Any:
    if isinstance(dimension, Choice):  # by number, because optuna stores only numbers and text
        return dimension.values[proposal.suggest_categorical(name, range(len(dimension.values)))]
    return proposal.suggest_float(name, dimension.low, dimension.high, log=isinstance(dimension, LogRange))
