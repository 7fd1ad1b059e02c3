"""A group of parameters for each task."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gradstep.rules.hyperparameters import Group

__all__ = ["task_groups"]


def task_groups(parameters: Mapping[str, Iterable[Any]], rates: Mapping[str, Any]) -> list[Group]:
    """Parameter groups for any optimizer, one for each task with its rate; ``group["task"]`` is its name.

    Args:
        parameters: the parameters of each task, by its name. Shared parameters get a separate name.
        rates: the rate for each of these names: a number or, for gradstep's optimizers, a schedule.

    Raises:
        ValueError: the names differ, or a parameter is in two tasks.

    >>> import numpy as np
    >>> task_groups({"faces": [np.zeros(1)]}, {"faces": 0.1})
    [{'params': [array([0.])], 'lr': 0.1, 'task': 'faces'}]
    """
    if parameters.keys() != rates.keys():
        raise ValueError(
            f"parameters are of {', '.join(parameters)}, but rates of {', '.join(rates)}: give each task both"
        )
    owner: dict[int, str] = {}
    groups: list[Group] = []
    for task, given in parameters.items():
        params = list(given)
        for i, parameter in enumerate(params):
            if (other := owner.setdefault(id(parameter), task)) != task:
                raise ValueError(
                    f"parameter {i} of {task!r} is also in {other!r}: give shared parameters a separate name"
                )
        groups.append({"params": params, "lr": rates[task], "task": task})
    return groups
