"""Parameters that no step could update, refused when an optimizer takes them rather than at their first gradient.

Those that are frozen (``requires_grad=False``) are taken whatever they are, as by torch: 8-bit weights beside their
adapters, say. So are those without memory yet: meta and fake tensors, uninitialised parameters, freed storages.
"""

from __future__ import annotations

import torch
from torch.nn.parameter import is_lazy

from gradstep.interop.arrays import is_fake, refuse_kind
from gradstep.rules.hyperparameters import Group

__all__ = ["refuse_unfit"]


def refuse_unfit(new: list[Group], others: list[Group], name: str, dense_only: bool) -> None:
    """Raise for parameters of groups that join ``others``.

    Args:
        new: the groups that join.
        others: those before them, whose parameters are counted.
        name: the class of the optimizer.
        dense_only: whether its torch namesake refuses sparse parameters itself, even frozen ones.

    Raises:
        ValueError: one is sparse, where the class takes none.
        TypeError: one can get a gradient and can't be updated: it is sparse, a tensor around others or of a dtype
            that is not offered.
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
