"""What an optimizer asks of the core in each step, made anew only where a group's values have changed."""

from __future__ import annotations

import operator
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from gradstep import _core
from gradstep.interop.devices import Plan, cell_on
from gradstep.interop.threads import get_num_threads
from gradstep.optimizers.counting import counts_taken, start_counting
from gradstep.optimizers.scheduling import GroupSchedules, adopt_schedules, clock_of, evaluate_schedules, scheduled
from gradstep.rules.base import Rule
from gradstep.rules.hyperparameters import Group
from gradstep.rules.options import OPTION_DEFAULTS, Sources, check_together, step_settings, surroundings
from gradstep.schedules import Schedule

__all__ = ["Settings"]
_NO_SETTINGS = {"params", "schedules", "updates", "accumulated", "summed", "last_norm"}
_READ_OPTIONS = operator.itemgetter(*OPTION_DEFAULTS)
_PLAIN = (int, float, bool, str, type(None))
_PLAIN_TYPES = frozenset(_PLAIN)


class _Items(NamedTuple):
    """What a dict held. Two tuples for a group: many small ones would keep the garbage collector busy."""

    keys: tuple[Any, ...]
    values: tuple[Any, ...]

    @classmethod
    def of(cls, group: Group) -> _Items:
        return cls(tuple(group), tuple(group.values()))


class _Reading(NamedTuple):
    """Which of a group's values its settings are made from: those that a device evaluates are not among them."""

    keys: tuple[Any, ...]  #: of the whole group
    scheduled: frozenset[str]  #: what a device evaluates
    read: operator.itemgetter[Any]


class _Surrounding(NamedTuple):
    options: tuple[object, ...]
    around: _core.StepOptions


class _Made(NamedTuple):
    reading: _Reading
    values: tuple[Any, ...] | None  #: that were read
    group: _Items | None  #: all of it, where a device evaluates nothing
    settings: _core.GroupSettings


@dataclass(slots=True, eq=False)
class _Memory:
    """What was made from a group, each beside the values of which it was made: it holds as long as these do.

    Nothing is kept that was made from values that may change in place.
    """

    checked: _Items | None = None  #: the whole group, as it was checked
    surrounding: _Surrounding | None = None
    made: _Made | None = None


class Settings(Rule):
    """Makes the settings of groups and steps for the core, and remembers them."""

    param_groups: list[Group]
    _plan: Plan
    _schedules: list[GroupSchedules]

    _remembered: defaultdict[int, _Memory]  #: of each group, by its number
    _step_settings: _core.StepSettings | None
    #: the entries that take back what a step has written into groups ahead of its update; the update empties it
    _taking_back: list[_core.Entry]

    @staticmethod
    def _no_settings() -> dict[str, Any]:
        """The attributes that remember settings, with none of them."""
        return {
            "_remembered": defaultdict(_Memory),
            "_step_settings": None,
            "_taking_back": [],
        }

    def _check_new(self, new: list[Group], others: list[Group]) -> None:
        """Take the schedules of groups that are to join ``others``, and check each by itself and all together, once.

        Raises:
            TypeError, ValueError: a value can't be used.
        """
        clock = clock_of(others)
        for group in new:
            adopt_schedules(group, clock, self.hyperparameters())
            self.check(group)
            clock = max(clock, group.get("updates", 0))
        check_together([*others, *new])

    def _check_written(self) -> None:
        """Check what was written into the groups since the step before, before any of it is used.

        Raises:
            TypeError, ValueError: as the constructor does for such a value; nothing has been written.
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
            changed.append(i)
            checked[i] = _Items.of(group) if _has_plain_values(group) else None
        if changed:
            check_together(self.param_groups)
            self._adopt_schedules(changed)
        for i, items in checked.items():
            self._remembered[i].checked = items

    def _only_moved(self, i: int, group: Group, known: _Items) -> bool:
        """Whether all that changed is what counts, or what the group's schedules have written."""
        if known.keys != tuple(group):
            return False
        changed = [key for (key, now), then in zip(group.items(), known.values, strict=True) if now is not then]
        return all(key in _NO_SETTINGS or self._schedules[i].has_written(key, group) for key in changed)

    def _check_group(self, group: Group) -> None:
        values = dict(group)
        evaluate_schedules(values, group.get("updates", 0), self.hyperparameters())
        self.check(values, self._cells(values))

    def _group_settings(self, i: int, group: Group) -> _core.GroupSettings:
        memory = self._remembered[i]
        known, scheduled = memory.made, self._evaluated_there(i)
        if known and known.group and not scheduled and _core.holds_items(group, *known.group):
            return known.settings
        reading = self._reading(group, scheduled, known and known.reading)
        if known and known.reading is reading and reading.read(group) == known.values:
            for name in scheduled:
                self._read(group, name)  # refuses what is outside of its interval
            return known.settings
        cells = self._cells(group)
        sources: Sources = {**{name: schedule.program for name, schedule in scheduled.items()}, **cells}
        settings = self.settings(group, self._surroundings(memory, group, sources), sources)
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
        """The schedules of a group that a device evaluates by itself."""
        if not isinstance(self._plan, _core.DevicePlan):
            return {}
        return self._schedules[i].driving(self.param_groups[i])

    def _cells(self, group: Group) -> dict[str, _core.ScalarRef]:
        """Those of a group's numbers that lie in the memory of the plan's device."""
        found = {}
        for name, place in self.hyperparameters().items() if isinstance(self._plan, _core.DevicePlan) else ():
            if place.is_in(group) and not place.read_once and not place.chooses_kernel:
                value = place.get(group)
                if not _is_plain(value) and (cell := cell_on(self._plan, value)):
                    found[name] = cell
        return found

    def _adopt_schedules(self, changed: list[int]) -> None:
        """Take schedules that were written into groups, all on the same clock."""
        counting = any(scheduled(group) for group in self.param_groups)
        clock, places = clock_of(self.param_groups), self.hyperparameters()
        entries: list[_core.Entry] = []
        for i in changed:
            group = self.param_groups[i]
            adopted = dict(group)
            if adopt_schedules(adopted, clock, places):
                entries += [(group, key, value) for key, value in adopted.items()]
                entries.append((self._schedules, i, GroupSchedules.of(adopted, places)))
                entries.append((self._remembered, i, _core.REMOVED))  # a device holds the schedule that was there
        if not entries:
            return
        self._write_ahead(entries)
        if counting:
            self._write_ahead(counts_taken(self._plan, self.param_groups, self._schedules, places))
        else:
            start_counting(self._plan, self.param_groups)

    def _ask_again(self, i: int) -> None:
        """Take the values that schedules of a group lacked when they were asked ahead of this update.

        Raises:
            ValueError: one has none.
        """
        group = self.param_groups[i]
        asked, changes = self._schedules[i].asked_again(group)
        self._write_ahead([*((group, key, value) for key, value in changes.items()), (self._schedules, i, asked)])

    def _write_ahead(self, entries: list[_core.Entry]) -> None:
        """Write what an update starts from; it is taken back if that is not made."""
        back = [(target, key, _held(target, key)) for target, key, _ in reversed(entries)]
        _core.write([*entries, (vars(self), "_taking_back", back + self._taking_back)])

    def _take_back(self) -> None:
        """Undo what was written ahead of an update that has not been made."""
        _core.write([*self._taking_back, (vars(self), "_taking_back", [])])

    def _keeping(self) -> list[_core.Entry]:
        """The entries by which an update keeps what was written ahead of it."""
        return [(vars(self), "_taking_back", [])] if self._taking_back else []

    def _surroundings(self, memory: _Memory, group: Group, sources: Sources) -> _core.StepOptions:
        options = _READ_OPTIONS(group)
        is_plain = _PLAIN_TYPES.issuperset(map(type, options))
        known = memory.surrounding
        if known and is_plain and known.options == options:
            return known.around
        around = surroundings(group, sources)
        self._step_settings = None
        memory.surrounding = _Surrounding(options, around) if is_plain else None
        return around

    def _asked_settings(self, grad_scale: object, found_inf: object) -> _core.StepSettings | None:
        if grad_scale is None and found_inf is None:
            return None
        scale_there = cell_on(self._plan, grad_scale)
        found_there = cell_on(self._plan, found_inf)
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
