"""The averages of an optimizer's parameters, kept by the option ``ema``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from gradstep.interop.devices import operations_on
from gradstep.optimizers.display import never_raises

if TYPE_CHECKING:
    from gradstep.optimizers.step import Stepping

__all__ = ["Averages", "Swap"]


class Swap:
    """Whether the parameters are swapped for their averages: one object for an optimizer and its wrappers."""

    def __init__(self) -> None:
        self.is_in = False


class Averages:
    """The averages of the parameters, in the order of the parameters over all groups.

    A parameter has no average before its first update.

    >>> import numpy as np, gradstep
    >>> w = np.zeros(2)
    >>> opt = gradstep.SGD([w], lr=1.0, ema=0.75)
    >>> opt.step([np.full(2, -4.0)])
    >>> with opt.averages.swapped_in():
    ...     print(w)
    [1. 1.]
    >>> w
    array([4., 4.])
    """

    def __init__(self, optimizer: Stepping) -> None:
        if all(group["ema"] is None for group in optimizer.param_groups):
            raise RuntimeError("this optimizer keeps no averages: make it with ema=0.999, for example")
        self._optimizer = optimizer

    @never_raises
    def __repr__(self) -> str:
        arrays = self.arrays()
        made = sum(each is not None for each in arrays)
        return f"Averages(of {made} of {len(arrays)} parameters of {type(self._optimizer).__name__})"

    def _pairs(self) -> list[tuple[Any, dict[str, Any]]]:
        parameters = [p for group in self._optimizer.param_groups for p in group["params"]]
        return [(p, self._optimizer._known_state(i, p) or {}) for i, p in enumerate(parameters)]

    def arrays(self) -> list[Any]:
        """The averages, not copied; None for a parameter without one."""
        return [state.get("ema") for _, state in self._pairs()]

    @contextmanager
    def swapped_in(self) -> Iterator[None]:
        """Replace the parameters by their averages, for evaluation, and restore them at the end.

        Within the block the optimizer refuses to step. If an exception, such as a second Ctrl-C, interrupts the
        restoring, the parameters stay the averages and the optimizer still refuses to step.
        """
        optimizer = self._optimizer
        optimizer.catch_up()
        held = [(p, state["ema"]) for p, state in self._pairs() if state.get("ema") is not None]
        parameters, averages = [p for p, _ in held], [average for _, average in held]
        kept = [optimizer._new_array(p, 0.0, True) for p in parameters]
        _copy_all(kept, parameters)  # raises if they have lost their memory
        swap = optimizer._swap
        before, begun = swap.is_in, False
        try:
            swap.is_in = begun = True
            _copy_all(parameters, averages)
            yield
        finally:
            if begun:
                _copy_all(parameters, kept)
                swap.is_in = before

    def state_dict(self) -> dict[int, Any]:
        """The averages, by the numbers of their parameters."""
        return {i: average for i, average in enumerate(self.arrays()) if average is not None}

    def load_state_dict(self, state_dict: dict[int, Any]) -> None:
        """Load saved averages in place.

        Raises:
            ValueError: they belong to other parameters; nothing has been changed.
        """
        mine = self.state_dict()
        shapes = {number: tuple(array.shape) for number, array in mine.items()}
        given = {int(number): array for number, array in state_dict.items()}
        saved = {number: tuple(array.shape) for number, array in given.items()}
        if saved != shapes:
            raise ValueError(f"the saved averages have shapes {saved}, the optimizer's {shapes}: they must be equal")
        taken = [self._optimizer._new_array(array, 0.0, True) for array in mine.values()]
        for array, number in zip(taken, mine, strict=True):
            self._optimizer._assign(array, given[number])
        _copy_all(list(mine.values()), taken)


def _copy_all(arrays: list[Any], values: list[Any]) -> None:
    """Copy the values into the arrays in one call, which no signal can interrupt."""
    operations_on(arrays).cast(arrays, values)
