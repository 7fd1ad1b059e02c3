"""A group of parameters for each task."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gradstep.rules.hyperparameters import Group

__all__ = ["task_groups"]


def task_groups(parameters: Mapping[str, Iterable[Any]], rates: Mapping[str, Any]) -> list[Group]:
    """Groups for any optimizer, with a rate for each task; ``group["task"]`` says whose it is.

    Args:
        parameters: for each task's name the parameters that are its own. What tasks share goes under a name of its own.
        rates: for each of these names a rate: a number or, for gradstep's optimizers, a schedule.

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
                    f"parameter {i} of {task!r} is also in {other!r}: put what tasks share under a name of its own"
                )
        groups.append({"params": params, "lr": rates[task], "task": task})
    return groups
