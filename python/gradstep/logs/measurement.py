"""What a step does, in numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gradstep.interop.scalars import read_float
from gradstep.logs.norms import copies, norm, norm_of_change
from gradstep.optimizers.step import Stepping
from gradstep.rules.rate_scale import scale_of

__all__ = ["Measurement"]


class Measurement:
    """Begun before a step, finished after it, and ended whether or not that has raised.

    gradstep's optimizers measure in the pass of the step; for others the parameters are copied before it.
    """

    def __init__(self, optimizer: Any) -> None:
        self._optimizer = optimizer
        self._parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        self._asked: list[dict[str, Any]] = []
        if isinstance(optimizer, Stepping):
            self._asked = [group for group in optimizer.param_groups if not group["stats"]]
            for group in self._asked:
                group["stats"] = True
        else:
            self._before = copies(self._parameters)
        rates = [_rate(optimizer, group) for group in optimizer.param_groups]
        self._rates = {"rate": rates[0]} if len(rates) == 1 else {f"rate/{i}": rate for i, rate in enumerate(rates)}

    def finish(self, gradients: Sequence[Any] | None, updated: bool) -> dict[str, float]:
        """The rates that the step used, and the norms of the gradients and of what it changed."""
        of_gradients, of_update = self._norms(gradients, updated)
        return {**self._rates, "gradient_norm": of_gradients, "update_norm": of_update}

    def end(self) -> None:
        """Leave the optimizer as it was."""
        for group in self._asked:
            group["stats"] = False

    def _norms(self, gradients: Sequence[Any] | None, updated: bool) -> tuple[float, float]:
        if isinstance(self._optimizer, Stepping) and updated:
            stats = self._optimizer.stats()
            if not stats.skipped:
                return stats.gradient_norm, stats.update_norm
            updated = False
        given = [parameter.grad for parameter in self._parameters] if gradients is None else gradients
        return norm(given), norm_of_change(self._before, self._parameters) if updated else 0.0


def _rate(optimizer: Any, group: dict[str, Any]) -> float:
    rate = read_float(group["lr"], "lr")
    if isinstance(optimizer, Stepping):  # of others the groups hold the whole rate
        rate *= scale_of(group)
    return rate
