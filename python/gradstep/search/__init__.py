"""Search for a rate and a schedule: train many candidates briefly, and the better ones for longer.

>>> from gradstep import Constant, CosineDecay, search
>>> space = {"lr": search.LogRange(1e-4, 1), "shape": [Constant(1), CosineDecay(1, steps=90)]}
>>> def train(trial):                                     # here on w**2 / 2, whose gradient is w
...     w = 1.0 if trial.state is None else trial.state
...     schedule = trial["lr"] * trial["shape"]
...     for t in range(trial.start, trial.stop):
...         w -= schedule(t) * w
...     trial.state = w
...     return w**2 / 2
>>> result = search.successive_halving(train, search.sample(space, 9), updates=90)
>>> result.best["lr"] > 0.1
True
"""

from gradstep.search.halving import successive_halving
from gradstep.search.result import Result, Row
from gradstep.search.space import Candidate, Choice, LogRange, Range, Space, sample
from gradstep.search.trial import Trial
from gradstep.search.with_optuna import optuna_search

__all__ = [
    "Candidate",
    "Choice",
    "LogRange",
    "Range",
    "Result",
    "Row",
    "Space",
    "Trial",
    "optuna_search",
    "sample",
    "successive_halving",
]
