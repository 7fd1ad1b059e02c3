"""Conversion of an optimizer and its schedule to torch's."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gradstep.optimizers.scheduling import scheduled
from gradstep.rules.base import CLASS
from gradstep.rules.hyperparameters import Group
from gradstep.rules.rate_scale import SCALE, scale_of
from gradstep.schedules import from_json

if TYPE_CHECKING:
    import torch

    from gradstep.optimizers.torch import TorchOptimizer

OURS = {CLASS, SCALE, "schedules", "updates", "state_dtype"}
"""Keys of a group that `to_torch` handles itself; torch's classes do not have them."""


def to_torch(optimizer: TorchOptimizer) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LambdaLR]:
    """torch's optimizer of the same class over the same parameters, and a scheduler of torch for its rate.

    Both continue from the state of `optimizer`, which is not changed: the states are copied, in the dtypes that torch
    uses (the parameter's), and the scheduler has made as many steps. Call its ``step()`` after each optimizer step.

    Args:
        optimizer: an optimizer of ``gradstep.optim`` whose class torch has too. A rate without a schedule stays fixed.

    Raises:
        TypeError: it is not such an optimizer.
        ValueError: a group has a setting that torch's class lacks, or a schedule for anything but the rate.

    >>> import torch, gradstep
    >>> from gradstep import convert, optim
    >>> w = torch.nn.Parameter(torch.ones(2))
    >>> optimizer, scheduler = convert.to_torch(optim.SGD([w], lr=gradstep.Linear(0.1, 0.0, 10)))
    >>> for _ in range(5):
    ...     optimizer.step()
    ...     scheduler.step()
    >>> type(optimizer), scheduler.get_last_lr()
    (<class 'torch.optim.sgd.SGD'>, [0.05])
    """
    import torch

    kind = torch_class(optimizer)
    defaults = optimizer.default_group()
    own = defaults.keys() - kind([torch.zeros(1)]).defaults.keys()
    for number, group in enumerate(optimizer.param_groups):
        check(number, group, {key: defaults[key] for key in own - OURS})
    made = kind([torch_group(group, own | OURS) for group in optimizer.param_groups])
    made.load_state_dict(made.state_dict() | {"state": copy.deepcopy(optimizer.state_dict()["state"])})
    updates = max(group.get("updates", 0) for group in optimizer.param_groups)
    rates = [rate_of(group) for group in optimizer.param_groups]
    return made, torch.optim.lr_scheduler.LambdaLR(made, rates, last_epoch=updates - 1)


def torch_class(optimizer: Any) -> Callable[..., torch.optim.Optimizer]:
    import torch

    from gradstep.optimizers.torch import TorchOptimizer

    name = type(optimizer).__name__
    if not isinstance(optimizer, TorchOptimizer):
        raise TypeError(f"{name} is not an optimizer of gradstep.optim: only those can be converted")
    if not hasattr(torch.optim, name):
        raise TypeError(f"torch has no {name}: its schedules can drive another optimizer through gradstep.attach")
    kind: Callable[..., torch.optim.Optimizer] = getattr(torch.optim, name)
    return kind


def check(number: int, group: Group, ours: Group) -> None:
    """Raise ValueError for a setting that torch lacks; `ours` holds the defaults of those that its class lacks."""
    for name in sorted(scheduled(group).keys() - {"lr"}):
        raise ValueError(
            f"{name} of group {number} has a schedule, but torch's schedulers only set the rate: replace it by a "
            "number, or drive torch's optimizer with gradstep.attach"
        )
    for key, default in ours.items():
        if group[key] != default:
            raise ValueError(f"{key} of group {number} is {group[key]!r}, which torch's class does not have")


def torch_group(group: Group, left_out: set[str]) -> Group:
    """The group for torch. LambdaLR multiplies ``initial_lr``, which is 1 for a schedule to keep its bits."""
    base = 1.0 if "lr" in scheduled(group) else group["lr"]
    kept = {key: value for key, value in group.items() if key not in left_out}
    return kept | {"initial_lr": base * scale_of(group)}


def rate_of(group: Group) -> Callable[[int], float]:
    """The rate's factor as a function: LambdaLR would save the attributes of any other callable."""
    if text := scheduled(group).get("lr"):
        schedule = from_json(text)
        return lambda t: schedule(t)
    return lambda t: 1.0
