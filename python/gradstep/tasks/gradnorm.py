"""Task weights that equalize the training rates of the tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from gradstep.optimizers import Adam
from gradstep.optimizers.arrays import ArrayOptimizer
from gradstep.schedules.fields import not_negative
from gradstep.schedules.rate import Rate
from gradstep.tasks.weights import LearnedWeights, Values

__all__ = ["GradNorm"]


class GradNorm(LearnedWeights):
    r"""Adapts the tasks' weights so that slower tasks get larger gradients.

    With :math:`n_k = \lVert \nabla_W L_k \rVert` over the last parameters :math:`W` that all tasks share,

    .. math::
        G_k &= w_k n_k \qquad r_k = \frac{L_k / L_k(0)}{\operatorname{mean}_j L_j / L_j(0)} \\
        L_\text{grad} &= \sum_k \left| G_k - \bar G\, r_k^\alpha \right|, \qquad \bar G = \operatorname{mean}_k G_k

    the weights, which start at 1, take a step down :math:`L_\text{grad}` with :math:`\bar G\, r_k^\alpha` held fixed,

    .. math::
        \partial L_\text{grad} / \partial w_k = n_k \operatorname{sign}(G_k - \bar G\, r_k^\alpha),

    and are then scaled so that they sum to the number of tasks again. Here they are also kept at 0 or above.

    Args:
        tasks: the number of tasks.
        alpha: how strongly the training rates are equalized, at least 0; with 0 only the norms are.
        lr: the learning rate of the weights, a number or a schedule.
        rule: the optimizer of the weights.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Source: Chen, Badrinarayanan, Lee and Rabinovich, "GradNorm: Gradient Normalization for Adaptive Loss Balancing in
    Deep Multitask Networks", arXiv:1711.02257, equations 1 and 2, Algorithm 1.

    >>> from gradstep.logs.norms import norm
    >>> from gradstep.tasks import weighted_sum
    >>> balance = GradNorm(tasks=2)
    >>> gradients = [[np.array([3.0, 4.0])], [np.array([0.0, 1.0])]]
    >>> norms = [norm(each) for each in gradients]
    >>> shared = weighted_sum(gradients, balance.weights)
    >>> balance.update(losses=[2.0, 1.0], norms=norms)
    >>> balance.weights
    array([0.975, 1.025])
    """

    def __init__(
        self, tasks: int, alpha: float = 1.5, lr: Rate = 0.025, rule: Callable[..., ArrayOptimizer] = Adam
    ) -> None:
        if isinstance(tasks, bool) or not isinstance(tasks, int) or tasks < 1:
            raise ValueError(f"tasks is {tasks!r}: it counts tasks and must be a whole number, 1 or more")
        self.alpha = not_negative("alpha", alpha)
        self._first_losses: Values | None = None
        weights = np.ones(tasks)
        super().__init__(weights, rule([weights], lr=lr))

    @property
    def weights(self) -> Values:
        """A copy of the weights for the tasks' losses or gradients."""
        return self._values.copy()

    def update(self, losses: Iterable[Any], norms: Iterable[Any]) -> None:
        """Update the weights after a step. The first losses are kept as :math:`L_k(0)`.

        Args:
            losses: the tasks' losses in that step, above 0, unweighted: numbers or arrays of one number.
            norms: the norms of their gradients with respect to the shared parameters, unweighted, see
                :func:`gradstep.logs.norms.norm`.

        Raises:
            TypeError, ValueError: they are not one finite number for each task, or a loss is not above 0; nothing has
                been changed.
        """
        current, sizes = self._each("losses", losses), self._each("norms", norms)
        if (current <= 0).any():
            raise ValueError(f"losses are {current.tolist()}: they must be above 0, because their ratios are compared")
        if self._first_losses is None:
            self._first_losses = current
        pace = current / self._first_losses
        weighted = self._values * sizes
        target = weighted.mean() * (pace / pace.mean()) ** self.alpha
        self._optimizer.step([sizes * np.sign(weighted - target)])
        np.maximum(self._values, 0.0, out=self._values)
        self._values *= len(self._values) / self._values.sum()

    def state_dict(self) -> dict[str, Any]:
        """Everything that updates change, as plain data."""
        first = None if self._first_losses is None else self._first_losses.tolist()
        return {**super().state_dict(), "first_losses": first}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a ``state_dict``.

        Raises:
            ValueError: it has another number of tasks; nothing has been changed.
        """
        first = state_dict["first_losses"]
        checked = None if first is None else self._each("first_losses", first)
        super().load_state_dict(state_dict)
        self._first_losses = checked
