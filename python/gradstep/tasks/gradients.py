"""Weighted sums of several tasks' gradients, in place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from gradstep.feedback.reported import reported
from gradstep.schedules.fields import real

__all__ = ["weighted_mean", "weighted_sum"]


def weighted_sum(gradients: Sequence[Sequence[Any]], weights: Iterable[Any]) -> list[Any]:
    r"""For each parameter the sum of the tasks' gradients, :math:`g = \sum_k w_k g_k`.

    The sum is written into the first task's arrays (or the next task's, where that is None), and these are returned;
    the others are only read. It is computed in the arrays' dtype. If a task's rate is not the optimizer's, pass the
    ratio of the two as :math:`w_k`.

    With torch, :math:`g` is also what the backward pass of :math:`\sum_k w_k L_k` gives; this function is for separate
    gradients, where their norms are needed or there is no autograd.

    Args:
        gradients: for each task a gradient for each parameter, or None where the task does not reach it: NumPy arrays
            or torch tensors.
        weights: a number for each task.

    Raises:
        TypeError, ValueError: weights and gradients do not match; nothing has been written.

    >>> import numpy as np
    >>> of_a, of_b = [np.array([1.0, 2.0]), None], [np.array([4.0, 0.0]), np.array([8.0])]
    >>> weighted_sum([of_a, of_b], weights=[1, 0.5])
    [array([3., 2.]), array([4.])]
    """
    factors = _checked(weights, len(gradients))
    columns = list(zip(*_equally_long(gradients), strict=True))
    for parameter, column in enumerate(columns):
        _check_column(parameter, column)
    return [_sum_into_first(column, factors) for column in columns]


def weighted_mean(gradients: Sequence[Sequence[Any]], weights: Iterable[Any]) -> list[Any]:
    r"""For each parameter the mean of the tasks' gradients, :math:`g = \sum_k w_k g_k / \sum_k w_k`.

    Everything else is as in :func:`weighted_sum`. A missing gradient counts as zero.

    Args:
        gradients: as for :func:`weighted_sum`.
        weights: a number for each task, with a sum above 0.

    Raises:
        TypeError, ValueError: as there, or the weights' sum is not above 0; nothing has been written.

    >>> import numpy as np
    >>> weighted_mean([[np.array([1.0])], [np.array([5.0])]], weights=[3, 1])
    [array([2.])]
    """
    factors = _checked(weights, len(gradients))
    if (total := sum(factors)) <= 0:
        raise ValueError(f"weights are {factors}: their sum must be above 0 to form a mean")
    return weighted_sum(gradients, [factor / total for factor in factors])


def _checked(weights: Iterable[Any], tasks: int) -> list[float]:
    factors = [real(f"weights[{k}]", reported(f"weights[{k}]", weight)) for k, weight in enumerate(weights)]
    if len(factors) != tasks or not tasks:
        raise ValueError(f"got {len(factors)} weights for the gradients of {tasks} tasks: pass one for each")
    return factors


def _equally_long(gradients: Sequence[Sequence[Any]]) -> Sequence[Sequence[Any]]:
    for k, each in enumerate(gradients):
        if len(each) != len(gradients[0]):
            raise ValueError(
                f"task {k} has {len(each)} gradients and task 0 has {len(gradients[0])}: pass one, or None, for each "
                "parameter"
            )
    return gradients


def _check_column(parameter: int, column: Sequence[Any]) -> None:
    given = [(k, gradient) for k, gradient in enumerate(column) if gradient is not None]
    if not given:
        return
    first, expected = given[0]
    for k, gradient in given[1:]:
        if gradient.shape != expected.shape:
            raise ValueError(
                f"the gradient of parameter {parameter} has shape {tuple(gradient.shape)} in task {k} and "
                f"{tuple(expected.shape)} in task {first}: pass gradients of the same parameters"
            )
        if gradient is expected:
            raise ValueError(
                f"the gradient of parameter {parameter} is the same array in the tasks {first} and {k}: copy a task's "
                "gradients before the next backward pass"
            )


def _sum_into_first(column: Sequence[Any], factors: Sequence[float]) -> Any:
    total = None
    for gradient, factor in zip(column, factors, strict=True):
        if gradient is None:
            continue
        if total is None:
            total = gradient
            total *= factor
        elif hasattr(total, "add_"):
            total.add_(gradient, alpha=factor)
        else:
            total += factor * gradient
    return total
