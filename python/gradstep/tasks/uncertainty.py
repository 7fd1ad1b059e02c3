"""Task weights by homoscedastic uncertainty."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from gradstep.optimizers import Adam
from gradstep.optimizers.arrays import ArrayOptimizer
from gradstep.schedules.fields import one_of
from gradstep.schedules.rate import Rate
from gradstep.tasks.weights import LearnedWeights, Values

__all__ = ["UncertaintyWeights"]

_FACTORS = {"regression": 0.5, "classification": 1.0}


class UncertaintyWeights(LearnedWeights):
    r"""Weights each task by its noise, which is learned with the model.

    With :math:`s_k = \log \sigma_k^2`, and :math:`c_k` 1/2 for regression (the loss is a squared error) or 1 for
    classification (a cross entropy), training minimizes

    .. math::
        L = \sum_k w_k L_k + \tfrac{1}{2} s_k, \qquad w_k = c_k e^{-s_k},

    so the model's gradient is :math:`\sum_k w_k \nabla L_k`, and that of the :math:`s_k`, which start at 0, is

    .. math::
        \partial L / \partial s_k = \tfrac{1}{2} - w_k L_k .

    Args:
        kinds: ``"regression"`` or ``"classification"`` for each task.
        lr: the learning rate of the :math:`s_k`, a number or a schedule.
        rule: the optimizer of the :math:`s_k`. With the model's rule and rate they are trained like its parameters.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Source: Kendall, Gal and Cipolla, "Multi-Task Learning Using Uncertainty to Weigh Losses", arXiv:1705.07115,
    equations 7 and 10.

    >>> balance = UncertaintyWeights(["regression", "classification"], lr=0.1)
    >>> balance.weights
    array([0.5, 1. ])
    >>> balance.update([9.0, 0.1])
    >>> balance.weights.round(3)
    array([0.452, 1.105])
    """

    def __init__(self, kinds: Sequence[str], lr: Rate = 1e-3, rule: Callable[..., ArrayOptimizer] = Adam) -> None:
        checked = [one_of(*_FACTORS)(f"kinds[{k}]", kind) for k, kind in enumerate(kinds)]
        self._factors = np.array([_FACTORS[kind] for kind in checked])
        log_variances = np.zeros(len(checked))
        super().__init__(log_variances, rule([log_variances], lr=lr))

    @property
    def weights(self) -> Values:
        """The factors for the tasks' losses or gradients, not normalized."""
        weights: Values = self._factors * np.exp(-self._values)
        return weights

    def update(self, losses: Iterable[Any]) -> None:
        """Update the weights after a step.

        Args:
            losses: the tasks' losses in that step, unweighted: numbers or arrays of one number.

        Raises:
            TypeError, ValueError: they are not one finite number for each task; nothing has been changed.
        """
        self._optimizer.step([0.5 - self.weights * self._each("losses", losses)])
