"""torch's checks of new parameter groups, with its messages, made once for all groups of a constructor.

``torch.optim.Optimizer.add_param_group`` compares each group with all before it, which takes quadratic time.
"""

from __future__ import annotations

from typing import Any

import torch

from gradstep.rules.hyperparameters import Group

__all__ = ["complete", "refuse_other_sizes", "refuse_shared", "replace"]


class _Joined:
    """The attributes of an optimizer that torch uses when a group is added."""

    def __init__(self, defaults: Group, param_groups: list[Group]) -> None:
        self.defaults = defaults
        self.param_groups = param_groups


def complete(group: Any, defaults: Group, others: list[Group]) -> None:
    """Complete a group in place, and check it alone and against others, as torch does.

    Raises:
        TypeError, ValueError: it can't be used.
    """
    torch.optim.Optimizer.add_param_group(_Joined(defaults, list(others)), group)  # type: ignore[arg-type]


def refuse_shared(groups: list[Group], defaults: Group) -> None:
    """Raise ValueError for parameters in several groups, and if only some groups have names."""
    seen: set[Any] = set()
    for i, group in enumerate(groups):
        names_differ = ("param_names" in group) != ("param_names" in groups[0])
        if names_differ or not seen.isdisjoint(group["params"]):
            complete(dict(group), defaults, groups[:i])
        seen.update(group["params"])


def refuse_other_sizes(own: list[Group], saved: list[Group]) -> None:
    """Raise ValueError for groups of a checkpoint with other numbers of parameters."""
    if len(own) != len(saved):
        raise ValueError(
            f"loaded state dict has a different number of parameter groups: {len(saved)}, and the optimizer has "
            f"{len(own)}"
        )
    for i, (mine, each) in enumerate(zip(own, saved, strict=True)):
        if len(mine["params"]) != len(each["params"]):
            raise ValueError(
                "loaded state dict contains a parameter group that doesn't match the size of optimizer's group: "
                f"group {i} has {len(each['params'])} parameters there, and {len(mine['params'])} here"
            )


def replace(group: Group, values: Group) -> None:
    """Replace the contents of a dict that other code holds, in order."""
    if isinstance(group, dict):
        group.clear()
        group.update(values)
