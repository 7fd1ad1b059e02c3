"""A range test of an optimizer over NumPy arrays, in one call."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from gradstep.interop.arrays import as_numpy
from gradstep.lr_finder.finder import LRFinder
from gradstep.optimizers.arrays import ArrayOptimizer

__all__ = ["range_test"]


def range_test(
    loss_and_gradients: Callable[..., tuple[Any, Sequence[Any]]],
    arrays: Sequence[Any],
    optimizer: Callable[..., ArrayOptimizer],
    *,
    finder: LRFinder | None = None,
) -> LRFinder:
    """Run a learning-rate range test over arrays and restore them.

    The global random states of Python and NumPy are restored too, even if the test is interrupted; your own generators
    are not. Errors of LRFinder, the optimizer and your function are passed on.

    Args:
        loss_and_gradients: is called with the arrays and returns the loss of the next batch and a gradient for each
            array.
        arrays: the parameters. The test updates them in place and then restores their bits.
        optimizer: makes the optimizer, called as ``optimizer(arrays, lr=number)``: a class such as ``gradstep.Adam``,
            or ``functools.partial(gradstep.SGD, momentum=0.9)``. The test makes a new one.
        finder: the ramp. Default ``LRFinder()``.

    Returns:
        The finder, with the losses.

    >>> import numpy as np, gradstep
    >>> from gradstep.lr_finder.numpy import range_test
    >>> w, scale = np.ones(3), np.array([1.0, 2.0, 4.0])
    >>> def loss_and_gradients(w):
    ...     return np.sum(scale * w**2) / 2, [scale * w]
    >>> finder = range_test(loss_and_gradients, [w], gradstep.SGD, finder=gradstep.LRFinder(1e-4, 100))
    >>> finder.stopped, w
    ('diverged', array([1., 1., 1.]))
    """
    finder = finder or LRFinder()
    arrays = list(arrays)
    with _restored(arrays):
        stepper = optimizer(arrays, lr=finder.ramp(0))
        _, gradients = loss_and_gradients(*arrays)
        for rate in finder:
            for group in stepper.param_groups:
                group["lr"] = rate
            stepper.step(gradients)
            loss, gradients = loss_and_gradients(*arrays)
            finder.report(loss)
    return finder


@contextmanager
def _restored(arrays: Sequence[Any]) -> Iterator[None]:
    shared = [as_numpy(array, f"array {i}") for i, array in enumerate(arrays)]
    saved = [array.copy() for array in shared]
    python, numpy = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        for array, values in zip(shared, saved, strict=True):
            array[...] = values
        random.setstate(python)
        np.random.set_state(numpy)
