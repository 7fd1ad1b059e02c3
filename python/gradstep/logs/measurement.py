"""The rates and norms of one step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gradstep.interop.scalars import read_float
from gradstep.logs.norms import copies, norm, norm_of_change
from gradstep.optimizers.step import Stepping
from gradstep.rules.rate_scale import scale_of

__all__ = ["Measurement"]


class Measurement:
    """Norms of one step: made before it, finished after it, and ended even if the step has raised.

    gradstep's optimizers compute the norms during the step; for others the parameters are copied before it.
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
        """The rates of the step, and the norms of the gradients and of the update."""
        of_gradients, of_update = self._norms(gradients, updated)
        return {**self._rates, "gradient_norm": of_gradients, "update_norm": of_update}

    def end(self) -> None:
        """Restore the optimizer's options."""
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
    if isinstance(optimizer, Stepping):  # the groups of other optimizers hold the whole rate
        rate *= scale_of(group)
    return rate
