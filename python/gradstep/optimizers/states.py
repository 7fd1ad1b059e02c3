"""The state of each parameter: its arrays and numbers, and how missing ones are made."""

from __future__ import annotations

from typing import Any

from gradstep import _core
from gradstep.rules.base import Rule
from gradstep.rules.hyperparameters import Group

__all__ = ["States"]


class States(Rule):
    """Completes a parameter's state for its rule and its options.

    The optimizers over arrays and over torch parameters define where a state is stored and how its arrays are made.
    """

    param_groups: list[Group]

    def _known_state(self, index: int, parameter: Any) -> dict[str, Any] | None:
        raise NotImplementedError("an optimizer defines where its states are")

    def _state_entry(self, index: int, parameter: Any, state: dict[str, Any]) -> _core.Entry:
        raise NotImplementedError("an optimizer defines where a new state is stored")

    def _drop_state(self, index: int, parameter: Any) -> None:
        raise NotImplementedError("an optimizer defines how a state is removed")

    def _new_array(
        self, parameter: Any, value: float, like_parameter: bool, shape: tuple[int, ...] | None = None
    ) -> Any:
        raise NotImplementedError("an optimizer defines how an array is made, in the parameter's shape for None")

    def _shape_of(self, parameter: Any) -> tuple[int, ...]:
        raise NotImplementedError("an optimizer defines how a parameter's shape is read")

    def _new_copy(self, parameter: Any, dtype: str | None) -> Any:
        raise NotImplementedError("an optimizer defines how a parameter is copied, in the states' dtype for None")

    def _assign(self, parameter: Any, values: Any) -> None:
        raise NotImplementedError("an optimizer defines how the values of an array are replaced")

    def _new_number(self, group: Group, parameter: Any, name: str, value: float) -> Any:
        raise NotImplementedError("an optimizer defines how a number of state is made")

    def _numbered_states(self) -> list[dict[str, Any]]:
        """The states that hold numbers."""
        states = (self._known_state(i, parameter) or {} for i, (_, parameter) in enumerate(self._located()))
        return [state for state in states if "step" in state]

    def _shared_numbers(self) -> dict[str, Any]:
        """The numbers of the state with the most updates; others in a checkpoint may be older."""
        known = max(self._numbered_states(), key=lambda state: float(state["step"]), default={})
        return {name: known[name] for name in self.numbers if name in known}

    def _share_numbers(self) -> None:
        """Put the same numbers into all states, if the rule shares them between parameters.

        A step binds only the states of parameters with a gradient; copies of the numbers in other states would not
        change after loading.
        """
        if self.shares_numbers:
            shared = self._shared_numbers()
            for state in self._numbered_states():
                state.update(shared)

    def _complete_state(self, group: Group, parameter: Any, state: dict[str, Any]) -> None:
        """Make the missing entries of a state."""
        state.update(self._missing_state(group, parameter, state)[0])

    def _missing_state(self, group: Group, parameter: Any, state: dict[str, Any]) -> tuple[dict[str, Any], bool]:
        """The missing entries of a state, and whether all of its arrays are missing."""
        made: dict[str, Any] = {}
        for name in self.numbers:
            if not hasattr(state.get(name), "shape"):  # old checkpoints hold plain numbers
                made[name] = self._new_number(group, parameter, name, state.get(name, self.initial(name, group)))
        self._add_option_states(group, parameter, state, made)
        arrays = self.kernel(group).arrays
        missing = [name for name in arrays if state.get(name) is None]
        for name in missing:
            like_parameter = group["state_dtype"] == "param"
            shape = self.state_shape(name, group, self._shape_of(parameter)) if self.sees_matrix(group) else None
            made[name] = self._new_array(parameter, self.initial(name, group), like_parameter, shape)
        return made, len(missing) == len(arrays)

    def _add_option_states(self, group: Group, parameter: Any, state: dict[str, Any], made: dict[str, Any]) -> None:
        if group["ema"] is not None and state.get("ema") is None:
            made["ema"] = self._new_copy(parameter, None)
        if group["ema"] is not None and group["ema_bias_correction"] and state.get("ema_product") is None:
            made["ema_product"] = self._new_number(group, parameter, "ema_product", 1.0)
        if group["cast_to"] is not None and state.get("cast") is None:
            made["cast"] = self._new_copy(parameter, group["cast_to"])

    def _located(self) -> list[tuple[Group, Any]]:
        """Each parameter with its group, in the order over all groups."""
        return [(group, parameter) for group in self.param_groups for parameter in group["params"]]
