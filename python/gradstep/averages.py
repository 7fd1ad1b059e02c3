"""The averages of an optimizer's parameters, which the option ``ema`` keeps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradstep.stepping import Stepping

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

        Within the block the optimizer refuses to step.
        """
        self._optimizer.catch_up()
        held = [(p, state["ema"]) for p, state in self._pairs() if state.get("ema") is not None]
        optimizer = self._optimizer
        kept = [optimizer._new_copy(p, "param") for p, _ in held]
        optimizer._swap.is_in = True
        try:
            for parameter, average in held:
                optimizer._assign(parameter, average)
            yield
        finally:
            for (parameter, _), values in zip(held, kept, strict=True):
                optimizer._assign(parameter, values)
            optimizer._swap.is_in = False

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
        saved = {int(number): tuple(array.shape) for number, array in state_dict.items()}
        if saved != shapes:
            raise ValueError(f"the saved averages have shapes {saved}, the optimizer's {shapes}: they must be equal")
        for number, array in state_dict.items():
            self._optimizer._assign(mine[int(number)], array)
