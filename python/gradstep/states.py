"""The state of each parameter: its arrays and numbers, made where they lack."""

from __future__ import annotations

from typing import Any

from gradstep.hyperparameters import Group
from gradstep.rules.base import Rule

__all__ = ["States"]


class States(Rule):
    """Completes a parameter's state with what its rule and its options ask for.

    The optimizers over arrays and over torch parameters say where a parameter's state is and how its arrays are made.
    """

    param_groups: list[Group]

    def _state_of(self, index: int, parameter: Any) -> dict[str, Any]:
        raise AttributeError("an optimizer says where its states are")

    def _drop_state(self, index: int, parameter: Any) -> None:
        raise AttributeError("an optimizer says how a state is forgotten")

    def _new_array(self, parameter: Any, value: float, like_parameter: bool) -> Any:
        raise AttributeError("an optimizer says how an array of state is made")

    def _new_copy(self, parameter: Any, dtype: str | None) -> Any:
        raise AttributeError("an optimizer says how a copy of a parameter is made, in the states' dtype for None")

    def _assign(self, parameter: Any, values: Any) -> None:
        raise AttributeError("an optimizer says how the values of an array are replaced")

    def _new_number(self, parameter: Any, name: str, value: float) -> Any:
        raise AttributeError("an optimizer says how a number of state is made")

    def _shared_numbers(self) -> dict[str, Any]:
        """The numbers of the state with the most updates: a loaded one that was left out since may lag behind."""
        parameters = [parameter for group in self.param_groups for parameter in group["params"]]
        states = [self._state_of(i, parameter) for i, parameter in enumerate(parameters)]
        known = max((state for state in states if "step" in state), key=lambda state: float(state["step"]), default={})
        return {name: known[name] for name in self.numbers if name in known}

    def _complete_state(self, group: Group, parameter: Any, state: dict[str, Any]) -> bool:
        """Make what the state lacks; True if that is all of its arrays."""
        for name in self.numbers:
            if not hasattr(state.get(name), "shape"):  # old checkpoints hold plain numbers
                value = state.get(name, self.initial(name, group))
                state[name] = self._new_number(parameter, name, value)
        self._complete_surroundings(group, parameter, state)
        arrays = self.kernel(group).arrays
        missing = [name for name in arrays if state.get(name) is None]
        for name in missing:
            like_parameter = group["state_dtype"] == "param"
            state[name] = self._new_array(parameter, self.initial(name, group), like_parameter)
        return len(missing) == len(arrays)

    def _complete_surroundings(self, group: Group, parameter: Any, state: dict[str, Any]) -> None:
        if group["ema"] is not None and state.get("ema") is None:
            state["ema"] = self._new_copy(parameter, None)
        if group["ema"] is not None and group["ema_bias_correction"] and state.get("ema_product") is None:
            state["ema_product"] = self._new_number(parameter, "ema_product", 1.0)
        if group["cast_to"] is not None and state.get("cast") is None:
            state["cast"] = self._new_copy(parameter, group["cast_to"])

    def _located(self) -> list[tuple[Group, Any]]:
        """Each parameter with its group, in the order over all groups."""
        return [(group, parameter) for group in self.param_groups for parameter in group["params"]]
