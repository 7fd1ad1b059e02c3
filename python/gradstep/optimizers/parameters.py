"""Refusal of parameters that no step could update, when an optimizer is made rather than at their first gradient.

Frozen parameters (``requires_grad=False``) are always accepted, as by torch: 8-bit weights with adapters, for example.
So are parameters without memory: meta and fake tensors, uninitialised parameters, freed storages.
"""

from __future__ import annotations

import torch
from torch.nn.parameter import is_lazy

from gradstep.interop.arrays import is_fake, refuse_kind
from gradstep.rules.hyperparameters import Group

__all__ = ["refuse_unfit"]


def refuse_unfit(new: list[Group], others: list[Group], name: str, dense_only: bool) -> None:
    """Raise for parameters of new groups.

    Args:
        new: the new groups.
        others: the groups before them, for the numbers of the parameters.
        name: the class of the optimizer.
        dense_only: whether torch's class of the same name refuses sparse parameters, even frozen ones.

    Raises:
        ValueError: a parameter is sparse and the class does not accept that.
        TypeError: a parameter can get a gradient but can't be updated: it is sparse, a wrapper of other tensors or has
            an unsupported dtype.
    """
    index = sum(len(group["params"]) for group in others)
    for i, group in enumerate(new, len(others)):
        for j, parameter in enumerate(group["params"]):
            if dense_only and parameter.layout != torch.strided:
                raise ValueError(
                    f"Sparse params at indices {[[i, j]]}: {name} requires dense parameter tensors, only their "
                    "gradients may be sparse; pass .to_dense()"
                )
            if parameter.requires_grad and not is_fake(parameter) and not is_lazy(parameter):
                refuse_kind(parameter, f"parameter {index}")
            index += 1
