"""The factor of a group's rate that Plateau and Explore set, ``group["gradstep_scale"]``.

Earlier versions kept it in ``group["lr_scale"]``, where other libraries (timm, MAE, BEiT) keep the factors of their
layer-wise decay, which their own schedulers use.
"""

from __future__ import annotations

from collections.abc import Iterable

from gradstep.interop.scalars import read_float
from gradstep.rules.hyperparameters import Group, Hyperparameter, read_hyperparameter

__all__ = ["SCALE", "former_scale_moved", "former_scales_kept", "scale_of"]

SCALE = "gradstep_scale"
_PLACE = Hyperparameter(SCALE)
_FORMER = "lr_scale"
_OF_OURS = "state_dtype"  # an option that no other library's groups have


def scale_of(group: Group) -> float:
    """The factor of the group's rate, 1 by default.

    Raises:
        TypeError, ValueError: it is not a finite number, 0 or more.
    """
    return read_hyperparameter(group, SCALE, _PLACE) if SCALE in group else 1.0


def former_scale_moved(saved: Group, own: Group) -> Group:
    """Move the factor of an earlier version's checkpoint from ``lr_scale`` to ``gradstep_scale``.

    Args:
        saved: the group of the checkpoint; only groups that gradstep wrote have such a factor.
        own: the group of the optimizer. If it has an ``lr_scale``, the program set that in both.
    """
    if _FORMER not in saved or SCALE in saved or _OF_OURS not in saved:
        return saved
    scale = read_float(saved[_FORMER], _FORMER)
    if _FORMER not in own:
        return {key: value for key, value in saved.items() if key != _FORMER} | {SCALE: scale}
    given = read_float(own[_FORMER], _FORMER)
    return {**saved, _FORMER: own[_FORMER], SCALE: scale / given if given else 1.0}


def former_scales_kept(groups: Iterable[Group]) -> None:
    """Keep the rates of groups of an earlier version, which multiplied by any ``lr_scale``."""
    for group in groups:
        if _FORMER in group:
            group.setdefault(SCALE, read_float(group[_FORMER], _FORMER))
