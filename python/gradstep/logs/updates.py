"""Detection of steps without an update."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["Watch"]


class Watch:
    """Watches one parameter during a step: the first with a gradient."""

    def __init__(self, optimizer: Any, gradients: Sequence[Any] | None) -> None:
        self._optimizer = optimizer
        located = [(group, parameter) for group in optimizer.param_groups for parameter in group["params"]]
        given = [parameter.grad for _, parameter in located] if gradients is None else gradients
        # With a closure there are no gradients yet.
        self._index = next((i for i, gradient in enumerate(given) if gradient is not None), 0)
        self._group, self._parameter = located[self._index]
        self._has_gradients = any(gradient is not None for gradient in given)
        self._before = self._counts()

    def has_moved(self) -> bool:
        """Whether the step made an update. Without any count of updates, every step with gradients counts as one."""
        counts = self._counts()
        if not counts:
            return self._has_gradients
        best = next(iter(counts))
        return counts[best] != self._before.get(best, 0)

    def _counts(self) -> dict[str, float]:
        """The counts of the parameter's updates, the most reliable first.

        A fused step that finds infinities touches the parameter, and moves its version, but not the state's step. SGD
        keeps no step; over NumPy arrays at a fixed rate it keeps no count at all.
        """
        state = self._optimizer.state
        own = state[self._index] if isinstance(state, list) else state.get(self._parameter, {})
        counts: dict[str, float] = {}
        if "step" in own or "step" in getattr(self._optimizer, "numbers", ()):
            counts["step"] = float(own.get("step", 0))
        if hasattr(self._parameter, "_version"):
            counts["version"] = self._parameter._version
        if "updates" in self._group:
            counts["updates"] = self._group["updates"]
        return counts
