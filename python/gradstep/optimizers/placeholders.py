"""States that are made before the first update, because somebody asks for a whole ``state_dict``.

torch.distributed.checkpoint can only load what an optimizer already has. So it makes the states of a new optimizer by a
step of its own: it gives every parameter a gradient of zeros, sets every rate to 0, calls ``step()`` and puts the rates
back. No training is meant by it: nothing may move, neither a schedule nor a count of micro-batches.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from gradstep.rules.hyperparameters import Group

if TYPE_CHECKING:
    from gradstep.optimizers.torch import TorchOptimizer

__all__ = ["Placeholders", "asks_for_states"]


def asks_for_states(groups: list[Group]) -> bool:
    """Whether a step without any states is not to train but to make them: every rate and every gradient is 0."""
    if not all(_is_zero(group.get("lr")) for group in groups):
        return False
    if torch.cuda.is_available() and torch.cuda.is_current_stream_capturing():
        return False  # the gradients can't be looked at
    gradients = [p.grad for group in groups for p in group["params"] if p.requires_grad or p.grad is not None]
    return bool(gradients) and all(each is not None and not each.is_sparse and not each.any() for each in gradients)


def _is_zero(rate: Any) -> bool:
    if isinstance(rate, torch.Tensor):
        return rate.device.type == "cpu" and rate.numel() == 1 and not rate.any()  # no step waits for a device
    return isinstance(rate, float | int) and rate == 0


class Placeholders:
    """The states made for somebody who asks for them: what they hold is of no update.

    The first update makes states anew, from the parameters and the rates of its time, except for those that have been
    loaded or written to since.
    """

    def __init__(self) -> None:
        self._made: list[tuple[torch.Tensor, dict[str, tuple[torch.Tensor, int]]]] = []

    def make(self, optimizer: TorchOptimizer) -> None:
        """Give every parameter that is trained a state."""
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
        """Forget the states that are as they were made."""
        for parameter, made in self._made:
            state = optimizer.state.get(parameter, {})
            if state.keys() == made.keys() and all(
                state[name] is each and each._version == version for name, (each, version) in made.items()
            ):
                optimizer.state.pop(parameter, None)
