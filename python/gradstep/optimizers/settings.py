"""The settings of groups and steps for the core, made again only where a group's values have changed."""

from __future__ import annotations

import operator
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from gradstep import _core
from gradstep.interop.caller import warn_caller
from gradstep.interop.devices import Plan, scalar_on
from gradstep.interop.threads import get_num_threads
from gradstep.optimizers.counting import counts_taken, start_counting
from gradstep.optimizers.scheduling import GroupSchedules, adopt_schedules, evaluate_schedules, most_updates, scheduled
from gradstep.rules.base import Rule
from gradstep.rules.hyperparameters import Group
from gradstep.rules.options import OPTION_DEFAULTS, Sources, check_together, step_options, step_settings
from gradstep.rules.other_names import advised_keys
from gradstep.schedules import Schedule

__all__ = ["Settings"]
_NO_SETTINGS = {"params", "param_names", "schedules", "updates", "accumulated", "summed", "last_norm"}
_READ_OPTIONS = operator.itemgetter(*OPTION_DEFAULTS)
_PLAIN = (int, float, bool, str, type(None))
_PLAIN_TYPES = frozenset(_PLAIN)


class _Items(NamedTuple):
    """The items of a dict, as two tuples: many small ones would slow the garbage collector."""

    keys: tuple[Any, ...]
    values: tuple[Any, ...]

    @classmethod
    def of(cls, group: Group) -> _Items:
        return cls(tuple(group), tuple(group.values()))


class _Reading(NamedTuple):
    """The values of a group that its settings depend on, without those that a device evaluates."""

    keys: tuple[Any, ...]  #: of the whole group
    scheduled: frozenset[str]  #: the names that a device evaluates
    read: operator.itemgetter[Any]


class _StepOptions(NamedTuple):
    values: tuple[object, ...]
    options: _core.StepOptions


class _Made(NamedTuple):
    reading: _Reading
    values: tuple[Any, ...] | None  #: the values that were read
    group: _Items | None  #: the whole group, if a device evaluates nothing
    settings: _core.GroupSettings


@dataclass(slots=True, eq=False)
class _Memory:
    """The results for a group, each with the values that it depends on: it is valid as long as they are the same.

    Results that depend on values that may change in place are not kept.
    """

    checked: _Items | None = None  #: the whole group when it was checked
    options: _StepOptions | None = None
    made: _Made | None = None


class Settings(Rule):
    """Makes the settings of groups and steps for the core, and caches them."""

    defaults: Group
    param_groups: list[Group]
    _plan: Plan
    _schedules: list[GroupSchedules]

    _remembered: defaultdict[int, _Memory]  #: by the number of the group
    _step_settings: _core.StepSettings | None
    #: the entries that undo a step's writes to groups before its update; the update empties the list
    _taking_back: list[_core.Entry]

    @staticmethod
    def _no_settings() -> dict[str, Any]:
        """The attributes of an empty cache."""
        return {
            "_remembered": defaultdict(_Memory),
            "_step_settings": None,
            "_taking_back": [],
        }

    def _check_new(self, new: list[Group], others: list[Group]) -> None:
        """Adopt the schedules of new groups, and check each group alone and all together, once.

        Raises:
            TypeError, ValueError: a value can't be used.
        """
        updates = most_updates(others)
        for group in new:
            adopt_schedules(group, updates, self.hyperparameters())
            self.check(group)
            self._warn_of_keys(group)
            updates = max(updates, group.get("updates", 0))
        check_together([*others, *new])

    def _check_written(self) -> None:
        """Check the values that were written into the groups since the last step, before they are used.

        Raises:
            TypeError, ValueError: as in the constructor; nothing has been written.
        """
        checked: dict[int, _Items | None] = {}
        changed = []
        for i, group in enumerate(self.param_groups):
            known = self._remembered[i].checked
            if known and _core.holds_items(group, *known):
                continue
            if known and self._only_moved(i, group, known):
                checked[i] = _Items(known.keys, tuple(group.values()))
                continue
            self._check_group(group)
            self._warn_of_keys(group)
            changed.append(i)
            checked[i] = _Items.of(group) if _has_plain_values(group) else None
        if changed:
            check_together(self.param_groups)
            self._adopt_schedules(changed)
        for i, items in checked.items():
            self._remembered[i].checked = items

    def _only_moved(self, i: int, group: Group, known: _Items) -> bool:
        """Whether nothing changed but counts and the values that the group's schedules have written."""
        if known.keys != tuple(group):
            return False
        changed = [key for (key, now), then in zip(group.items(), known.values, strict=True) if now is not then]
        return all(key in _NO_SETTINGS or self._schedules[i].has_written(key, group) for key in changed)

    def _check_group(self, group: Group) -> None:
        values = dict(group)
        evaluate_schedules(values, group.get("updates", 0), self.hyperparameters())
        self.check(values, self._scalars(values))

    def _warn_of_keys(self, group: Group) -> None:
        """Warn, once for each optimizer, of a key that nothing reads and that looks like one of the optimizer's."""
        seen: set[Any] = vars(self).setdefault("_seen_keys", set())
        unread = group.keys() - self.defaults.keys() - _NO_SETTINGS - seen
        if not unread:
            return  # a group is checked in every step in which a scheduler has written its rate
        for key, said in advised_keys(sorted(unread, key=str), self.default_group()):
            warn_caller(f"{type(self).__name__} does not read group[{key!r}]: {said}")
        seen |= unread

    def _group_settings(self, i: int, group: Group) -> _core.GroupSettings:
        memory = self._remembered[i]
        known, scheduled = memory.made, self._evaluated_there(i)
        if known and known.group and not scheduled and _core.holds_items(group, *known.group):
            return known.settings
        reading = self._reading(group, scheduled, known and known.reading)
        if known and known.reading is reading and reading.read(group) == known.values:
            for name in scheduled:
                self._read(group, name)  # refuses a number outside of its interval
            return known.settings
        scalars = self._scalars(group)
        sources: Sources = {**{name: schedule.program for name, schedule in scheduled.items()}, **scalars}
        settings = self.settings(group, self._step_options(memory, group, sources), sources)
        if memory.checked and _core.holds_items(group, *memory.checked):
            whole = None if scheduled else memory.checked
            memory.made = _Made(reading, reading.read(group), whole, settings)
        else:
            memory.made = None
        return settings

    def _reading(self, group: Group, scheduled: Mapping[str, Schedule], known: _Reading | None) -> _Reading:
        keys = tuple(group)
        if known and known.keys == keys and known.scheduled == scheduled.keys():
            return known
        places = [self.hyperparameters()[name] for name in scheduled]
        moving = {place.key for place in places if place.index is None and not place.chooses_kernel}
        read = operator.itemgetter(*(key for key in keys if key not in _NO_SETTINGS | moving))
        return _Reading(keys, frozenset(scheduled), read)

    def _evaluated_there(self, i: int) -> Mapping[str, Schedule]:
        """The schedules of a group, if a device evaluates them."""
        if not isinstance(self._plan, _core.DevicePlan):
            return {}
        return self._schedules[i].driving(self.param_groups[i])

    def _scalars(self, group: Group) -> dict[str, _core.ScalarRef]:
        """References to the group's numbers in the memory of the plan's device."""
        found = {}
        for name, place in self.hyperparameters().items() if isinstance(self._plan, _core.DevicePlan) else ():
            if place.is_in(group) and not place.read_once and not place.chooses_kernel:
                value = place.get(group)
                if not _is_plain(value) and (scalar := scalar_on(self._plan, value)):
                    found[name] = scalar
        return found

    def _adopt_schedules(self, changed: list[int]) -> None:
        """Adopt schedules that were written into groups, all with the same count of updates."""
        counting = any(scheduled(group) for group in self.param_groups)
        updates, places = most_updates(self.param_groups), self.hyperparameters()
        entries: list[_core.Entry] = []
        for i in changed:
            group = self.param_groups[i]
            adopted = dict(group)
            if adopt_schedules(adopted, updates, places):
                entries += [(group, key, value) for key, value in adopted.items()]
                entries.append((self._schedules, i, GroupSchedules.of(adopted, places)))
                entries.append((self._remembered, i, _core.REMOVED))  # a device holds the schedule before it
        if not entries:
            return
        self._write_ahead(entries)
        if counting:
            self._write_ahead(counts_taken(self._plan, self.param_groups, self._schedules, places))
        else:
            start_counting(self._plan, self.param_groups)

    def _ask_again(self, i: int) -> None:
        """Evaluate the schedules of a group that had no value when they were evaluated for this update.

        Raises:
            ValueError: a schedule has none for this update either.
        """
        group = self.param_groups[i]
        asked, changes = self._schedules[i].asked_again(group)
        self._write_ahead([*((group, key, value) for key, value in changes.items()), (self._schedules, i, asked)])

    def _write_ahead(self, entries: list[_core.Entry]) -> None:
        """Write values for an update that `_take_back` undoes if the update is not made."""
        back = [(target, key, _held(target, key)) for target, key, _ in reversed(entries)]
        _core.write([*entries, (vars(self), "_taking_back", back + self._taking_back)])

    def _take_back(self) -> None:
        """Undo the writes for an update that has not been made."""
        _core.write([*self._taking_back, (vars(self), "_taking_back", [])])

    def _keeping(self) -> list[_core.Entry]:
        """The entries that make the writes for an update permanent."""
        return [(vars(self), "_taking_back", [])] if self._taking_back else []

    def _step_options(self, memory: _Memory, group: Group, sources: Sources) -> _core.StepOptions:
        values = _READ_OPTIONS(group)
        is_plain = _PLAIN_TYPES.issuperset(map(type, values))
        known = memory.options
        if known and is_plain and known.values == values:
            return known.options
        options = step_options(group, sources)
        self._step_settings = None
        memory.options = _StepOptions(values, options) if is_plain else None
        return options

    def _asked_settings(self, grad_scale: object, found_inf: object) -> _core.StepSettings | None:
        if grad_scale is None and found_inf is None:
            return None
        scale_there = scalar_on(self._plan, grad_scale)
        found_there = scalar_on(self._plan, found_inf)
        settings = step_settings(
            self.param_groups,
            get_num_threads(),
            None if scale_there else grad_scale,
            None if found_there else found_inf,
        )
        if scale_there:
            settings.grad_scale = scale_there
        if found_there:
            settings.found_inf = found_there
        return settings

    def _usual_settings(self) -> _core.StepSettings:
        threads, known = get_num_threads(), self._step_settings
        if known is None or known.threads != threads or self.param_groups[0]["clip_lagged"]:
            self._step_settings = known = step_settings(self.param_groups, threads)
        return known


def _held(target: Any, key: Any) -> object:
    return target.get(key, _core.REMOVED) if isinstance(target, dict) else target[key]


def _has_plain_values(group: Group) -> bool:
    return all(map(_is_plain, (group[key] for key in group if key not in _NO_SETTINGS)))


def _is_plain(value: object) -> bool:
    if isinstance(value, _PLAIN):
        return True
    return isinstance(value, tuple) and all(map(_is_plain, value))  # a list may change in place
