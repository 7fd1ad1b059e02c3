"""Schedules in an optimizer's groups.

A group stays plain data: ``group["schedules"]`` holds each schedule as JSON by its hyper-parameter's name (``lr``,
``momentum``, ``beta1``), ``group["updates"]`` the number of updates that they have counted, and the hyper-parameter's
key in the group the number that the next update uses. The text of a schedule that other code has overridden is empty.
Its name stays, because a distributed checkpoint is loaded by the keys that a new optimizer has.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from gradstep.interop.caller import warn_caller
from gradstep.rules.hyperparameters import Group, Places
from gradstep.rules.rate_scale import former_scale_moved
from gradstep.schedules import Schedule, difference, from_json

__all__ = [
    "GroupSchedules",
    "adopt_schedules",
    "changes",
    "evaluate_schedules",
    "most_updates",
    "resume_schedules",
    "scheduled",
]

_OVERRIDDEN = "overridden"
"""The key of the names of overridden schedules in groups of earlier versions."""


def scheduled(group: Group) -> dict[str, str]:
    """The schedules of a group's hyper-parameters, in JSON, by name."""
    return {name: text for name, text in group.get("schedules", {}).items() if text}


def evaluate_schedules(group: Group, t: int, places: Places) -> dict[str, Schedule]:
    """Replace the schedules among a group's values by their values at step t; return them by name.

    Args:
        group: it is changed.
        t: the number of updates before.
        places: the rule's hyper-parameters.

    Raises:
        TypeError: a schedule is in the place of a fixed value; nothing has been replaced.
    """
    found = dict(_schedules_in(group, places))
    values = _put_all(group, {name: schedule(t) for name, schedule in found.items()}, places)
    for key, value in {**group, **values}.items():
        if isinstance(value, Schedule):
            raise TypeError(f"{key} can't take a schedule, got {value!r}: pass a fixed value")
    group.update(values)
    return found


def _put_all(group: Group, values: Mapping[str, Any], places: Places) -> Group:
    """The changes of a group whose hyper-parameters get these values."""
    changed: Group = {}
    for name, value in values.items():
        place = places[name]
        if place.key not in changed:
            changed[place.key] = group[place.key]
        place.put(changed, value)
    return changed


def _schedules_in(group: Group, places: Places) -> Iterator[tuple[str, Schedule]]:
    for name, place in places.items():
        value = place.get(group) if place.is_in(group) else None
        if isinstance(value, Schedule) and not place.read_once:
            yield name, value


def most_updates(groups: Iterable[Group]) -> int:
    """The number of updates that the groups' schedules have counted."""
    return max((group.get("updates", 0) for group in groups), default=0)


def adopt_schedules(group: Group, default_updates: int, places: Places) -> bool:
    """Move the schedules among a group's values to its ``schedules``, with the other groups' count of updates.

    Returns:
        Whether there were any.
    """
    adopted = dict(group)
    updates = group.get("updates", default_updates)
    found = evaluate_schedules(adopted, updates, places)
    if found:
        adopted["updates"] = updates
        adopted["schedules"] = group.get("schedules", {}) | {name: each.to_json() for name, each in found.items()}
        group.update(adopted)
    return bool(found)


class GroupSchedules:
    """The schedules of one group and the values that they wrote last. It is immutable."""

    __slots__ = ("_places", "_written", "by_name", "lacking", "rests")

    def __init__(
        self, by_name: Mapping[str, Schedule], values: Mapping[str, float | None], group: Group, places: Places
    ) -> None:
        self._places = places  #: of the rule's hyper-parameters
        self.by_name = by_name  #: by their hyper-parameters' names
        #: the names of the schedules without a value for the next update
        self.lacking = tuple(name for name, value in values.items() if value is None)
        self.rests = values.get("lr") == 0  #: whether the rate of the next update is 0
        #: a schedule without a value leaves its last one in the group
        self._written = {name: places[name].get(group) if value is None else value for name, value in values.items()}

    @classmethod
    def of(cls, group: Group, places: Places, read: Callable[[str], Schedule] = from_json) -> GroupSchedules:
        """The schedules of a group, for its next update."""
        schedules = {name: read(text) for name, text in scheduled(group).items()}
        return cls(schedules, _values_at(schedules, group["updates"] if schedules else 0), group, places)

    @classmethod
    def of_each(cls, groups: Iterable[Group], places: Places) -> list[GroupSchedules]:
        """The schedules of each group; equal texts are read once."""
        read = functools.cache(from_json)  # for this call only: a class may be redefined, as in a notebook
        return [cls.of(group, places, read) for group in groups]

    def driving(self, group: Group) -> Mapping[str, Schedule]:
        """The schedules whose values no other code (a torch scheduler, the user) has overwritten."""
        if not any(self._is_overridden(name, group) for name in self.by_name):
            return self.by_name
        return {name: each for name, each in self.by_name.items() if not self._is_overridden(name, group)}

    def _is_overridden(self, name: str, group: Group) -> bool:
        return bool(self._places[name].get(group) != self._written[name])

    def asked_again(self, group: Group) -> tuple[GroupSchedules, Group]:
        """The schedules with their missing values, and the changes of the group.

        Raises:
            ValueError: a schedule has no value for the next update: it has ended.
        """
        values = {
            name: float(self.by_name[name](group["updates"]))
            for name in self.lacking
            if not self._is_overridden(name, group)
        }
        asked = GroupSchedules(self.by_name, self._written | values, group, self._places)
        return asked, _put_all(group, values, self._places)

    def warn(self, group: Group) -> None:
        """Warn of values that replace their schedules."""
        for name in self.by_name:
            if self._is_overridden(name, group):
                self._warn(name, group)

    def _warn(self, name: str, group: Group) -> None:
        place = self._places[name]
        value = place.get(group)
        if isinstance(value, Schedule):  # it will be adopted
            return
        warnings.warn(
            f"{place.text} was set to {value} from outside and takes over from its schedule "
            f"{self.by_name[name]!r}; to go on with the schedule, drive it by nothing else",
            UserWarning,
            stacklevel=5,
        )

    def warn_of_end(self, group: Group) -> bool:
        """Warn where the rate stays at 0 from the next update on, after it was not. Returns whether that is so."""
        schedule, t = self.by_name["lr"], group["updates"]
        if self._is_overridden("lr", group) or not _has_ended(schedule, t):
            return False
        warn_caller(
            f"the schedule of lr has ended at 0: {schedule!r} is 0 from t = {t} on, where steps change nothing; give "
            "it more steps, or end it above 0"
        )
        return True

    def has_written(self, key: str, group: Group) -> bool:
        """Whether the schedules have written the present value of that key."""
        names = [name for name in self.by_name if self._places[name].key == key]
        return any(self._places[name].index is None and group[key] is self._written[name] for name in names)

    def at(self, group: Group, updates: int) -> tuple[GroupSchedules, Group]:
        """The schedules after so many updates, and the changes of the group."""
        driving = self.driving(group)
        after = GroupSchedules(driving, _values_at(driving, updates), group, self._places)
        changes = _put_all(group, after._written, self._places) | {"updates": updates}
        if len(driving) < len(self.by_name):
            changes["schedules"] = group["schedules"] | {name: "" for name in self.by_name if name not in driving}
        return after, changes


def _has_ended(schedule: Schedule, t: int) -> bool:
    """Whether it is 0 from t on, as far as the next thousand steps and ever later ones tell, and was not before."""
    later = t + np.concatenate([np.arange(1000), 2 ** np.arange(10, 40)])
    try:
        return not schedule(later).any() and bool(schedule(np.linspace(0, t, 100).astype(np.int64)).any())
    except ValueError:  # it has no value at one of them
        return False


def _values_at(schedules: Mapping[str, Schedule], updates: int) -> dict[str, float | None]:
    return {name: _value_at(schedule, updates) for name, schedule in schedules.items()}


def _value_at(schedule: Schedule, updates: int) -> float | None:
    """The value, or None if the schedule has none: it has ended with past="error", or it fails at this step."""
    try:
        return float(schedule(updates))
    except ValueError:
        return None


def resume_schedules(given: list[Group], saved: list[Group], states: Mapping[Any, Any], places: Places) -> list[Group]:
    """The groups of a checkpoint with the schedules for resuming: the checkpoint's, otherwise the optimizer's.

    A checkpoint that holds no schedules (torch's, or one made at a fixed rate) leaves the optimizer's in place, at the
    number of updates that it counts.

    Raises:
        ValueError: the checkpoint's schedules are not those of the optimizer, or it does not count its updates.
    """
    return [
        _resumed(i, own, former_scale_moved(group, own), states, places)
        for i, (own, group) in enumerate(zip(given, saved, strict=True))
    ]


def _resumed(i: int, given: Group, saved: Group, states: Mapping[Any, Any], places: Places) -> Group:
    saved = _former_names_kept(saved)
    mine, theirs = given.get("schedules", {}), saved.get("schedules", {})
    # A schedule that was overridden, here or in the checkpoint, is not compared.
    compared = {name: text for name, text in mine.items() if text and theirs.get(name) != ""}
    if not compared:
        return saved
    if "schedules" in saved:
        _refuse_change(i, {name: text for name, text in theirs.items() if text and mine.get(name) != ""}, compared)
        return saved
    resumed = {**saved, "schedules": dict(mine), "updates": _updates_of(i, saved, states)}
    for name, text in compared.items():
        place = places[name]
        if place.key not in resumed:
            resumed[place.key] = given[place.key]
        place.put(resumed, from_json(text)(resumed["updates"]))
    return resumed


def _former_names_kept(saved: Group) -> Group:
    """A group of a checkpoint, with the names of overridden schedules, which earlier versions left out."""
    if _OVERRIDDEN not in saved:
        return saved
    names = dict.fromkeys(saved[_OVERRIDDEN], "") | saved.get("schedules", {})
    return {key: value for key, value in saved.items() if key != _OVERRIDDEN} | {"schedules": names}


def _updates_of(i: int, saved: Group, states: Mapping[Any, Any]) -> int:
    if "updates" in saved:
        return int(saved["updates"])
    steps = [int(states[number]["step"]) for number in saved["params"] if "step" in states.get(number, {})]
    if not steps:
        raise ValueError(
            "the state_dict does not say how many updates were made, which this optimizer's schedules need: set "
            f"state_dict['param_groups'][{i}]['updates'] to their number before loading"
        )
    return max(steps)


def _refuse_change(i: int, saved: Mapping[str, str], given: Mapping[str, str]) -> None:
    if changed := changes(saved, given):
        raise ValueError(
            f"the state_dict was saved with other schedules than this optimizer has, in group {i} (saved -> given):\n"
            f"{changed}\n"
            "To go on with the saved ones, make the optimizer with numbers in their place; to go on with this "
            f"optimizer's, delete state_dict['param_groups'][{i}]['schedules'] before loading."
        )


def changes(saved: Mapping[str, str], given: Mapping[str, str]) -> str:
    """The differences between two sets of schedules in JSON, a line for each argument; empty for equal sets."""
    lines = [
        f"  {name}: {line}"
        for name in sorted({*saved, *given})
        if saved.get(name) != given.get(name)
        for line in _differences(saved.get(name), given.get(name))
    ]
    return "\n".join(lines)


def _differences(saved: str | None, given: str | None) -> list[str]:
    if saved is None or given is None:
        return [f"{_shown(saved)} -> {_shown(given)}"]
    return difference(from_json(saved), from_json(given)).splitlines()


def _shown(text: str | None) -> str:
    return "no schedule" if text is None else repr(from_json(text))
