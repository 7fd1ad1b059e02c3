"""The step that every optimizer makes, over arrays or torch parameters: one call into the core's plan."""

from __future__ import annotations

import logging
import threading
from typing import Any

from gradstep import _core
from gradstep.hyperparameters import Group
from gradstep.rules.base import Rule
from gradstep.scheduling import GroupSchedules, adopt_schedules

__all__ = ["Stepping"]

_log = logging.getLogger("gradstep")
_NO_SETTINGS = {"params", "schedules", "updates"}
_PLAIN = (int, float, bool, str, type(None))


class Stepping(Rule):
    """Keeps a rule's groups, states and schedules in step with a plan of the core.

    The optimizers over arrays and over torch parameters say where a parameter's state is and how its arrays are made.
    """

    param_groups: list[Group]
    state: Any

    def _state_of(self, index: int, parameter: Any) -> dict[str, Any]:
        raise AttributeError("an optimizer says where its states are")

    def _new_array(self, parameter: Any, value: float, like_parameter: bool) -> Any:
        raise AttributeError("an optimizer says how an array of state is made")

    def _new_number(self, parameter: Any, name: str, value: float) -> Any:
        raise AttributeError("an optimizer says how a number of state is made")

    def _forget_plan(self) -> None:
        """Start from the groups and states as they are now: they are new, loaded or replaced."""
        self._plan = _core.Plan()
        self._binding = threading.Lock()  # another thread must not make the states anew after the first step
        self._known_settings: dict[int, tuple[list[object], _core.GroupSettings]] = {}
        self._schedules = [GroupSchedules(group) for group in self.param_groups]

    def _update(self, gradients: list[Any] | None, threads: int) -> None:
        """Make one step with the given gradients, or with each parameter's ``.grad``."""
        groups = self.param_groups
        if len(self._schedules) != len(groups):
            self._forget_plan()
        for group, schedules in zip(groups, self._schedules, strict=True):
            schedules.yield_to_writes(group)
        settings = [self._group_settings(i, group) for i, group in enumerate(groups)]
        parameters = [group["params"] for group in groups]
        unbound = self._plan.step(parameters, gradients, self.state, settings, threads)
        if unbound:
            with self._binding:
                for index in unbound:
                    self._bind(index)
                if self._plan.step(parameters, gradients, self.state, settings, threads):
                    raise RuntimeError("the optimizer's state was changed by another thread during its step")
        if _log.isEnabledFor(logging.DEBUG):
            _log.debug("%d parameters were gathered and scattered, for their layout", self._plan.gathered())
        for group, schedules in zip(groups, self._schedules, strict=True):
            schedules.advance(group)

    def _group_settings(self, i: int, group: Group) -> _core.GroupSettings:
        values = [value for key, value in group.items() if key not in _NO_SETTINGS]
        known = self._known_settings.get(i)
        if known and known[0] == values:
            return known[1]
        plain = all(map(_is_plain, values))
        if not plain and adopt_schedules(group, self.param_groups):
            self._schedules[i] = GroupSchedules(group)
        settings = self.settings(group)
        if plain:  # a tensor may change in place
            self._known_settings[i] = (values, settings)
        return settings

    def _bind(self, index: int) -> None:
        """Complete the state of the parameter at ``index`` over all groups and hand it to the plan."""
        group, parameter = self._locate(index)
        state = self._state_of(index, parameter)
        fresh = self._complete_state(group, parameter, state)
        self._plan.bind(index, state, self.kernel(group).arrays, self.numbers, fresh)

    def _complete_state(self, group: Group, parameter: Any, state: dict[str, Any]) -> bool:
        """Make what the state lacks; True if that is all of its arrays."""
        for name in self.numbers:
            if not hasattr(state.get(name), "shape"):  # old checkpoints hold plain numbers
                value = state.get(name, self.initial(name, group))
                state[name] = self._new_number(parameter, name, value)
        arrays = self.kernel(group).arrays
        missing = [name for name in arrays if state.get(name) is None]
        for name in missing:
            like_parameter = group["state_dtype"] == "param"
            state[name] = self._new_array(parameter, self.initial(name, group), like_parameter)
        return len(missing) == len(arrays)

    def _locate(self, index: int) -> tuple[Group, Any]:
        for group in self.param_groups:
            if index < len(group["params"]):
                return group, group["params"][index]
            index -= len(group["params"])
        raise IndexError(index)


def _is_plain(value: object) -> bool:
    if isinstance(value, tuple | list):
        return all(map(_is_plain, value))
    return isinstance(value, _PLAIN)
