"""States that are made before the first update, for a complete ``state_dict``.

torch.distributed.checkpoint can only load keys that an optimizer already has. It therefore makes a new optimizer's
states by a step: it gives every parameter a gradient of zeros, sets every rate to 0, calls ``step()`` and restores the
rates. Such a step must change nothing else, neither schedules nor counts of micro-batches.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from gradstep.rules.hyperparameters import Group

if TYPE_CHECKING:
    from gradstep.optimizers.torch import TorchOptimizer

__all__ = ["Placeholders", "asks_for_states"]


def asks_for_states(groups: list[Group]) -> bool:
    """Whether a step without any states should only make them: every rate and every gradient is 0."""
    if not all(_is_zero(group.get("lr")) for group in groups):
        return False
    if torch.cuda.is_available() and torch.cuda.is_current_stream_capturing():
        return False  # the gradients can't be read
    gradients = [p.grad for group in groups for p in group["params"] if p.requires_grad or p.grad is not None]
    return bool(gradients) and all(each is not None and not each.is_sparse and not each.any() for each in gradients)


def _is_zero(rate: Any) -> bool:
    if isinstance(rate, torch.Tensor):
        return rate.device.type == "cpu" and rate.numel() == 1 and not rate.any()  # a step must not wait for a device
    return isinstance(rate, float | int) and rate == 0


class Placeholders:
    """States that were made for a ``state_dict``, before any update.

    The first update replaces them by states for its parameters and rates, except those that have been loaded or changed
    meanwhile.
    """

    def __init__(self) -> None:
        self._made: list[tuple[torch.Tensor, dict[str, tuple[torch.Tensor, int]]]] = []

    def make(self, optimizer: TorchOptimizer) -> None:
        """Make a state for every trainable parameter."""
        optimizer._complete_groups()  # a group may have been added
        shared: dict[str, Any] = {}
        try:
            for group in optimizer.param_groups:
                for parameter in group["params"]:
                    if parameter.requires_grad:
                        state = dict(shared)
                        optimizer._complete_state(group, parameter, state)
                        if optimizer.shares_numbers:
                            shared = {name: state[name] for name in optimizer.numbers}
                        self._made.append((parameter, {name: (each, each._version) for name, each in state.items()}))
                        optimizer.state[parameter] = state
        except BaseException:
            self.withdraw(optimizer)
            raise

    def withdraw(self, optimizer: TorchOptimizer) -> None:
        """Remove the states that have not been changed."""
        for parameter, made in self._made:
            state = optimizer.state.get(parameter, {})
            if state.keys() == made.keys() and all(
                state[name] is each and each._version == version for name, (each, version) in made.items()
            ):
                optimizer.state.pop(parameter, None)
