"""Checks of a group's counts and schedules, which a damaged checkpoint may have changed."""

from __future__ import annotations

from gradstep.interop.scalars import read_float, shown
from gradstep.rules.hyperparameters import Group, Places
from gradstep.schedules import from_json

__all__ = ["check_counts", "check_progress"]

_COUNTS = {"updates": "updates", "accumulated": "micro-batches", "summed": "sums of gradients"}
_MOST = 2**53  #: the largest count that is exact in float64, in which schedules compute


def check_counts(group: Group) -> None:
    """Raise ValueError for impossible counts in a group."""
    for key, counted in _COUNTS.items():
        count = group.get(key, 0)
        if type(count) is not int or not 0 <= count <= _MOST:
            raise ValueError(
                f"Invalid {key}: {shown(count)}: it counts {counted} and must be a whole number from 0 to 2**53"
            )


def check_progress(group: Group, places: Places) -> None:
    """Raise TypeError or ValueError for impossible counts or schedules in a group.

    ``places`` are the hyper-parameters that can have a schedule.
    """
    check_counts(group)
    if not read_float(group.get("last_norm", 0.0), "last_norm") >= 0 and group["last_norm"] == group["last_norm"]:
        raise ValueError(f"Invalid last_norm: {group['last_norm']}: a norm is 0 or above")
    stored = group.get("schedules", {})
    if not isinstance(stored, dict):
        raise TypeError(f"Invalid schedules: {shown(stored)}: pass a dict of schedules in JSON, by hyper-parameter")
    for name, text in stored.items():
        if name not in places or not places[name].is_in(group):
            raise ValueError(f"Invalid schedules: the group has no hyper-parameter {shown(name)}")
        if not isinstance(text, str):
            raise TypeError(f"Invalid schedules: {shown(text)} of {name} is not a text: pass the result of to_json()")
        if text:
            from_json(text)
