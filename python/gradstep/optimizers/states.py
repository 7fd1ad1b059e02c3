"""The state of each parameter: its arrays and numbers, made where they lack."""

from __future__ import annotations

from typing import Any

from gradstep import _core
from gradstep.rules.base import Rule
from gradstep.rules.hyperparameters import Group

__all__ = ["States"]


class States(Rule):
    """Completes a parameter's state with what its rule and its options ask for.

    The optimizers over arrays and over torch parameters say where a parameter's state is and how its arrays are made.
    """

    param_groups: list[Group]

    def _known_state(self, index: int, parameter: Any) -> dict[str, Any] | None:
        raise AttributeError("an optimizer says where its states are")

    def _state_entry(self, index: int, parameter: Any, state: dict[str, Any]) -> _core.Entry:
        raise AttributeError("an optimizer says where a new state goes")

    def _drop_state(self, index: int, parameter: Any) -> None:
        raise AttributeError("an optimizer says how a state is forgotten")

    def _new_array(
        self, parameter: Any, value: float, like_parameter: bool, shape: tuple[int, ...] | None = None
    ) -> Any:
        raise AttributeError("an optimizer says how an array of state is made, in the parameter's shape for None")

    def _shape_of(self, parameter: Any) -> tuple[int, ...]:
        raise AttributeError("an optimizer says what shape a parameter has")

    def _new_copy(self, parameter: Any, dtype: str | None) -> Any:
        raise AttributeError("an optimizer says how a copy of a parameter is made, in the states' dtype for None")

    def _assign(self, parameter: Any, values: Any) -> None:
        raise AttributeError("an optimizer says how the values of an array are replaced")

    def _new_number(self, group: Group, parameter: Any, name: str, value: float) -> Any:
        raise AttributeError("an optimizer says how a number of state is made")

    def _numbered_states(self) -> list[dict[str, Any]]:
        """The states that hold numbers."""
        states = (self._known_state(i, parameter) or {} for i, (_, parameter) in enumerate(self._located()))
        return [state for state in states if "step" in state]

    def _shared_numbers(self) -> dict[str, Any]:
        """The numbers of the state with the most updates: others of a checkpoint may lag behind."""
        known = max(self._numbered_states(), key=lambda state: float(state["step"]), default={})
        return {name: known[name] for name in self.numbers if name in known}

    def _share_numbers(self) -> None:
        """Put the same numbers into all states, where the rule has one set of them for all parameters.

        A step binds only the states whose parameters have a gradient, and copies of the numbers in others would stay
        as they were loaded.
        """
        if self.shares_numbers:
            shared = self._shared_numbers()
            for state in self._numbered_states():
                state.update(shared)

    def _complete_state(self, group: Group, parameter: Any, state: dict[str, Any]) -> None:
        """Make what the state lacks."""
        state.update(self._missing_state(group, parameter, state)[0])

    def _missing_state(self, group: Group, parameter: Any, state: dict[str, Any]) -> tuple[dict[str, Any], bool]:
        """What the state lacks, and whether that is all of its arrays."""
        made: dict[str, Any] = {}
        for name in self.numbers:
            if not hasattr(state.get(name), "shape"):  # old checkpoints hold plain numbers
                made[name] = self._new_number(group, parameter, name, state.get(name, self.initial(name, group)))
        self._add_surroundings(group, parameter, state, made)
        arrays = self.kernel(group).arrays
        missing = [name for name in arrays if state.get(name) is None]
        for name in missing:
            like_parameter = group["state_dtype"] == "param"
            shape = self.state_shape(name, group, self._shape_of(parameter)) if self.sees_matrix(group) else None
            made[name] = self._new_array(parameter, self.initial(name, group), like_parameter, shape)
        return made, len(missing) == len(arrays)

    def _add_surroundings(self, group: Group, parameter: Any, state: dict[str, Any], made: dict[str, Any]) -> None:
        if group["ema"] is not None and state.get("ema") is None:
            made["ema"] = self._new_copy(parameter, None)
        if group["ema"] is not None and group["ema_bias_correction"] and state.get("ema_product") is None:
            made["ema_product"] = self._new_number(group, parameter, "ema_product", 1.0)
        if group["cast_to"] is not None and state.get("cast") is None:
            made["cast"] = self._new_copy(parameter, group["cast_to"])

    def _located(self) -> list[tuple[Group, Any]]:
        """Each parameter with its group, in the order over all groups."""
        return [(group, parameter) for group in self.param_groups for parameter in group["params"]]
