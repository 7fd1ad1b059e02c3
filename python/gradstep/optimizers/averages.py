"""The averages of an optimizer's parameters, which the option ``ema`` keeps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from gradstep.interop.devices import calls_for

if TYPE_CHECKING:
    from gradstep.optimizers.step import Stepping

__all__ = ["Averages", "Swap"]


class Swap:
    """Whether averages are in the parameters' place: one object for an optimizer and all that wraps it."""

    def __init__(self) -> None:
        self.is_in = False


class Averages:
    """The averages of the parameters, in the order of the parameters over all groups.

    A parameter that has not been updated has none yet.

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
            raise RuntimeError("this optimizer keeps no averages: make it with ema=0.999, say")
        self._optimizer = optimizer

    def _pairs(self) -> list[tuple[Any, dict[str, Any]]]:
        parameters = [p for group in self._optimizer.param_groups for p in group["params"]]
        return [(p, self._optimizer._known_state(i, p) or {}) for i, p in enumerate(parameters)]

    def arrays(self) -> list[Any]:
        """The averages themselves, None for a parameter without."""
        return [state.get("ema") for _, state in self._pairs()]

    @contextmanager
    def swapped_in(self) -> Iterator[None]:
        """Put the averages in the parameters' place, for evaluation, and the parameters back at the end.

        Within the block the optimizer refuses to step. Where an exception, such as another Ctrl-C, comes while the
        parameters are put back, they stay the averages, and the optimizer goes on refusing.
        """
        optimizer = self._optimizer
        optimizer.catch_up()
        held = [(p, state["ema"]) for p, state in self._pairs() if state.get("ema") is not None]
        parameters, averages = [p for p, _ in held], [average for _, average in held]
        kept = [optimizer._new_array(p, 0.0, True) for p in parameters]
        _copy_all(kept, parameters)  # which looks whether they have lost their memory
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
        """The averages by their parameters' numbers."""
        return {i: average for i, average in enumerate(self.arrays()) if average is not None}

    def load_state_dict(self, state_dict: dict[int, Any]) -> None:
        """Take over saved averages, in place.

        Raises:
            ValueError: they are of other parameters; nothing has been changed.
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
    """Write the values into the arrays, of all at once: nothing can come in between."""
    calls_for(arrays).cast(arrays, values)
