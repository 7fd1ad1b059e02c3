"""What a step does, in numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gradstep.hyperparameters import read_float
from gradstep.norms import copies, norm, norm_of_change
from gradstep.stepping import Stepping

__all__ = ["Measurement"]


class Measurement:
    """Begun before a step and finished after it."""

    def __init__(self, optimizer: Any) -> None:
        self._parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        self._before = copies(self._parameters)
        rates = [_rate(optimizer, group) for group in optimizer.param_groups]
        self._rates = {"rate": rates[0]} if len(rates) == 1 else {f"rate/{i}": rate for i, rate in enumerate(rates)}

    def finish(self, gradients: Sequence[Any] | None) -> dict[str, float]:
        """The rates that the step used, and the norms of the gradients and of what it changed."""
        given = [parameter.grad for parameter in self._parameters] if gradients is None else gradients
        return {
            **self._rates,
            "gradient_norm": norm(given),
            "update_norm": norm_of_change(self._before, self._parameters),
        }


def _rate(optimizer: Any, group: dict[str, Any]) -> float:
    rate = read_float(group["lr"], "lr")
    if isinstance(optimizer, Stepping):  # others do not multiply by what they may keep in lr_scale
        rate *= read_float(group.get("lr_scale", 1.0), "lr_scale")
    return rate
