"""The base of learned task weights."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from gradstep.feedback.reported import reported
from gradstep.optimizers.arrays import ArrayOptimizer
from gradstep.schedules.fields import real

__all__ = ["LearnedWeights", "Values"]

Values = npt.NDArray[np.float64]


class LearnedWeights:
    """A number for each task, updated by a separate optimizer."""

    def __init__(self, values: Values, optimizer: ArrayOptimizer) -> None:
        self._values = values
        self._optimizer = optimizer

    def __repr__(self) -> str:
        weights = ", ".join(f"{each:.4g}" for each in self.weights)
        return f"{type(self).__name__}(weights=[{weights}])"

    @property
    def weights(self) -> Values:
        """The factors for the tasks' losses or gradients."""
        raise NotImplementedError

    def state_dict(self) -> dict[str, Any]:
        """Everything that updates change, as plain data."""
        return {"values": self._values.tolist(), "optimizer": self._optimizer.state_dict()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a ``state_dict``.

        Raises:
            ValueError: it has another number of tasks; nothing has been changed.
        """
        values = self._each("values", state_dict["values"])
        self._optimizer.load_state_dict(state_dict["optimizer"])
        self._values[:] = values

    def _each(self, name: str, given: Iterable[Any]) -> Values:
        """A finite number for each task."""
        numbers = [real(f"{name}[{k}]", reported(f"{name}[{k}]", value)) for k, value in enumerate(given)]
        if len(numbers) != len(self._values):
            raise ValueError(f"got {len(numbers)} {name} for {len(self._values)} tasks: pass one for each")
        return np.array(numbers)
