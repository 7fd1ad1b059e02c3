"""Schedules in an optimizer's groups.

A group stays plain data: ``group["schedules"]`` holds each schedule as JSON, ``group["updates"]`` its clock, and
``group["lr"]`` the number that the next update uses.
"""

from __future__ import annotations

import warnings

from gradstep.hyperparameters import Group
from gradstep.schedules import Schedule, from_json

__all__ = ["GroupSchedules", "adopt_schedules"]


def adopt_schedules(group: Group, others: list[Group]) -> None:
    """Replace the schedules among a new group's values by what they are at the optimizer's next update."""
    updates = max((other.get("updates", 0) for other in others), default=0)
    for key, value in list(group.items()):
        if isinstance(value, Schedule):
            if key != "lr":
                raise TypeError(f"{key} can't take a schedule, got {value!r}: pass a number; only lr takes a schedule")
            group.setdefault("schedules", {})[key] = value.to_json()
            group.setdefault("updates", updates)
            group[key] = value(group["updates"])


class GroupSchedules:
    """The schedules of one group, ready to be read, and the values that they wrote last."""

    def __init__(self, group: Group) -> None:
        self._schedules = {key: from_json(text) for key, text in group.get("schedules", {}).items()}
        self._written = {key: schedule(group["updates"]) for key, schedule in self._schedules.items()}

    def yield_to_writes(self, group: Group) -> None:
        """Drop the schedule of a value that somebody else has written (a torch scheduler, the user)."""
        for key, written in list(self._written.items()):
            if group[key] != written:
                warnings.warn(
                    f"group[{key!r}] was set to {group[key]} from outside and takes over from its schedule "
                    f"{self._schedules[key]!r}; to go on with the schedule, drive it by nothing else",
                    UserWarning,
                    stacklevel=4,
                )
                del self._written[key], self._schedules[key], group["schedules"][key]

    def advance(self, group: Group) -> None:
        """Count an applied update and show the values of the next one."""
        group["updates"] += 1
        for key, schedule in self._schedules.items():
            group[key] = self._written[key] = schedule(group["updates"])
