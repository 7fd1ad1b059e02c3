"""The factor for a group's rate that Plateau and Explore move, under a key that nobody else writes.

It is ``group["gradstep_scale"]``. Earlier versions kept it in ``group["lr_scale"]``, where others (timm, MAE, BEiT)
keep the factors of their layer-wise decay: those belong to their own schedulers and are left alone.
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
    """What multiplies the group's rate, 1 if nothing has moved it.

    Raises:
        TypeError, ValueError: it is no finite number from 0 on.
    """
    return read_hyperparameter(group, SCALE, _PLACE) if SCALE in group else 1.0


def former_scale_moved(saved: Group, own: Group) -> Group:
    """A group of a checkpoint, with the factor that an earlier version put into ``lr_scale`` under its own key.

    Args:
        saved: the group of the checkpoint; only those that gradstep wrote have such a factor.
        own: that of the optimizer. An ``lr_scale`` that it has was given to both by the program.
    """
    if _FORMER not in saved or SCALE in saved or _OF_OURS not in saved:
        return saved
    scale = read_float(saved[_FORMER], _FORMER)
    if _FORMER not in own:
        return {key: value for key, value in saved.items() if key != _FORMER} | {SCALE: scale}
    given = read_float(own[_FORMER], _FORMER)
    return {**saved, _FORMER: own[_FORMER], SCALE: scale / given if given else 1.0}


def former_scales_kept(groups: Iterable[Group]) -> None:
    """Let groups that an earlier version drove go on as they did: it multiplied by ``lr_scale``, whosever that was."""
    for group in groups:
        if _FORMER in group:
            group.setdefault(SCALE, read_float(group[_FORMER], _FORMER))
