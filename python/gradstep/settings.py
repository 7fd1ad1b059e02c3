"""What an optimizer asks of the core in each step, made anew only where a group's values have changed."""

from __future__ import annotations

import operator
from typing import Any, NamedTuple

from gradstep import _core
from gradstep.counting import start_counting, take_counts
from gradstep.devices import Plan, address_on
from gradstep.hyperparameters import Group
from gradstep.options import OPTION_DEFAULTS, check_together, step_settings, surroundings
from gradstep.rules.base import Rule
from gradstep.scheduling import GroupSchedules, adopt_schedules
from gradstep.threads import get_num_threads

__all__ = ["Settings"]

_NO_SETTINGS = {"params", "schedules", "updates", "accumulated", "last_norm"}
_READ_OPTIONS = operator.itemgetter(*OPTION_DEFAULTS)
_PLAIN = (int, float, bool, str, type(None))


class _Known(NamedTuple):
    """A group's settings, and the values that they were made from."""

    keys: set[str]
    read: operator.itemgetter[Any]
    values: tuple[Any, ...]
    settings: _core.GroupSettings


class Settings(Rule):
    """Makes the settings of groups and steps for the core, and remembers them."""

    param_groups: list[Group]
    _plan: Plan
    _schedules: list[GroupSchedules]

    def _forget_settings(self) -> None:
        self._known_settings: dict[int, _Known] = {}
        self._known_options: dict[int, tuple[tuple[object, ...], _core.Surroundings]] = {}
        self._known_step_settings: _core.StepSettings | None = None

    def _group_settings(self, i: int, group: Group) -> _core.GroupSettings:
        known = self._known_settings.get(i)
        if known and known.keys == group.keys() and known.read(group) == known.values:
            return known.settings
        return self._new_group_settings(i, group)

    def _new_group_settings(self, i: int, group: Group) -> _core.GroupSettings:
        read = operator.itemgetter(*(key for key in group if key not in _NO_SETTINGS))
        plain = all(map(_is_plain, read(group)))
        if not plain:
            self._adopt_schedules(i, group)
        schedules = self._schedules[i].by_name if isinstance(self._plan, _core.DevicePlan) else {}
        settings = self.settings(group, self._surroundings(i, group), schedules)
        if plain:  # a tensor may change in place
            self._known_settings[i] = _Known(set(group), read, read(group), settings)
        return settings

    def _adopt_schedules(self, i: int, group: Group) -> None:
        counting = any(each.get("schedules") for each in self.param_groups)
        if not adopt_schedules(group, self.param_groups):
            return
        self._schedules[i] = GroupSchedules(group)
        if counting:
            take_counts(self._plan, self.param_groups, self._schedules)
        else:
            start_counting(self._plan, self.param_groups)

    def _surroundings(self, i: int, group: Group) -> _core.Surroundings:
        options = _READ_OPTIONS(group)
        known, around = self._known_options.get(i, (None, None))
        if around is None or known != options:
            check_together(self.param_groups)
            around = surroundings(group)
            self._known_options[i] = options, around
            self._known_step_settings = None
        return around

    def _asked_settings(self, grad_scale: object, found_inf: object) -> _core.StepSettings | None:
        if grad_scale is None and found_inf is None:
            return None
        scale_there = address_on(self._plan, grad_scale)
        found_there = address_on(self._plan, found_inf)
        settings = step_settings(
            self.param_groups,
            get_num_threads(),
            None if scale_there else grad_scale,
            None if found_there else found_inf,
        )
        settings.grad_scale, settings.found_inf = scale_there, found_there
        return settings

    def _usual_settings(self) -> _core.StepSettings:
        threads, known = get_num_threads(), self._known_step_settings
        if known is None or known.threads != threads or self.param_groups[0]["clip_lagged"]:
            self._known_step_settings = known = step_settings(self.param_groups, threads)
        return known


def _is_plain(value: object) -> bool:
    if isinstance(value, tuple | list):
        return all(map(_is_plain, value))
    return isinstance(value, _PLAIN)
