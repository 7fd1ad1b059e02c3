"""Optimizers over arrays of NumPy and other libraries, which are given the gradients."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gradstep import _core
from gradstep.interop.libraries import library_of
from gradstep.optimizers.counting import refuse_capture
from gradstep.optimizers.display import in_a_line, never_raises
from gradstep.optimizers.given import (
    NAMES,
    gradients_by_name,
    list_parameters,
    name_parameters,
    refuse_immutable,
    refuse_same_names,
)
from gradstep.optimizers.loading import (
    array_names,
    is_number,
    is_wide,
    loaded_groups,
    read_number,
    refuse_other_kind,
    refuse_shape,
    take,
)
from gradstep.optimizers.step import Stepping
from gradstep.rules.hyperparameters import Group
from gradstep.rules.options import NO_SOURCES, Sources
from gradstep.rules.rate_scale import former_scales_kept

__all__ = ["ArrayOptimizer"]


class ArrayOptimizer(Stepping):
    """An optimizer over groups of arrays, whose ``step`` is given the gradients.

    ``param_groups`` is a list of dicts as in torch.optim; ``state`` is a list with a dict for each parameter,
    counted over all groups. Over a dict of arrays, or groups of them, steps take a dict of gradients:

    >>> import numpy as np, gradstep
    >>> model = {"w": np.ones(2), "b": np.zeros(1)}
    >>> gradstep.SGD(model, lr=0.5).step({"b": np.ones(1), "w": np.ones(2)})
    >>> model
    {'w': array([0.5, 0.5]), 'b': array([-0.5])}
    """

    _constructing = False
    __repr__ = never_raises(in_a_line)

    def __init__(self, params: Iterable[Any], defaults: Group) -> None:
        params = list_parameters(params)
        if hasattr(params, "dtype") or hasattr(params, "dtypes"):  # of NumPy, of pandas
            raise TypeError(
                f"params is one {type(params).__name__}: pass a list of arrays, such as [w, b], or of dicts"
            )
        if isinstance(params, Mapping):
            if "params" in params and not hasattr(params["params"], "dtype"):
                raise TypeError("params is one group: pass a list of groups, [{'params': ..., 'lr': ...}]")
            params = [{"params": params}] if params else []
        self.defaults = defaults
        self.param_groups = []
        self.state: list[dict[str, Any]] = []
        given = list(params)
        if not given:
            raise ValueError("optimizer got an empty parameter list: pass the arrays to update")
        self._constructing = True
        for group in given if isinstance(given[0], dict) else [{"params": given}]:
            self.add_param_group(group)
        del self._constructing
        self._check_new(self.param_groups, [])
        self._check_arrays(self.param_groups)
        self._forget_plan()

    @classmethod
    def check(cls, group: Group, sources: Sources = NO_SOURCES) -> None:
        super().check(group, sources)
        if group["release"]:
            raise ValueError(
                "release=True is for gradstep.optim, where backward makes the gradients: those of arrays are yours to "
                "free; leave it out"
            )

    def add_param_group(self, group: Group) -> None:
        """Add a group: ``params`` and whichever hyper-parameters differ from the defaults.

        Raises:
            TypeError, ValueError: a parameter or a hyper-parameter can't be used; nothing is added.
        """
        group = name_parameters(group)
        params = group["params"]
        new = {**self.defaults, **group, "params": [params] if hasattr(params, "dtype") else list(params)}
        if not new["params"]:
            raise ValueError("optimizer got an empty parameter list: pass the arrays to update")
        if self._constructing:  # which checks all groups at once
            self.param_groups.append(new)
            self.state.extend({} for _ in new["params"])
            return
        self._check_new([new], self.param_groups)
        self._check_arrays([*self.param_groups, new])
        self._settle()
        before, groups, states = vars(self).copy(), self.param_groups.copy(), self.state.copy()
        try:
            self.param_groups.append(new)
            self.state.extend({} for _ in new["params"])
            self._forget_plan()
        except BaseException:
            self.param_groups[:], self.state[:] = groups, states
            vars(self).update(before)
            raise

    def _check_arrays(self, groups: list[Group]) -> None:
        arrays = [array for group in groups for array in group["params"]]
        refuse_same_names(groups)
        refuse_immutable(arrays)
        _core.check_parameters(arrays)

    def step(
        self,
        gradients: Sequence[Any] | Mapping[str, Any] | None = None,
        *,
        grad_scale: Any = None,
        found_inf: Any = None,
    ) -> None:
        """Update every parameter in place.

        Args:
            gradients: for each parameter, in order over all groups, an array of its shape, or None to leave the
                parameter unchanged; by name, in a dict, for an optimizer over a dict of arrays. Required. They are only
                read, unless a group has ``zero_grad=True``.
            grad_scale: the factor of the loss, a number or an array of one number; the gradients are divided by it.
                Default None, for 1.
            found_inf: a number or an array of one number; anything but 0 skips the update. Default None, for 0.

        Raises:
            TypeError, ValueError: an array or a hyper-parameter can't be used; nothing has been written.
        """
        self._update(self.listed_gradients(gradients), grad_scale, found_inf)

    def listed_gradients(self, gradients: Sequence[Any] | Mapping[str, Any] | None) -> list[Any]:
        """The gradients that a step is given, one or None for each parameter.

        Raises:
            TypeError, ValueError: they are not for these parameters.
        """
        if gradients is None:
            raise TypeError(
                "step needs the gradients, step([...]) with one, or None, for each parameter: only "
                f"gradstep.optim.{self.class_name()} takes those that backward() leaves in torch's parameters"
            )
        if isinstance(gradients, Mapping):
            return gradients_by_name(gradients, self.param_groups)
        listed, expected = list(gradients), len(self.state)
        if len(listed) == expected:
            return listed
        if hasattr(gradients, "dtype"):
            raise TypeError(f"gradients is one {type(gradients).__name__}: pass a list, such as [gradient_of_w]")
        raise ValueError(f"step got {len(listed)} gradients for {expected} parameters: pass one, or None, for each")

    def state_dict(self) -> dict[str, Any]:
        """The states and groups as plain data: arrays, numbers and, instead of the parameters, their indices."""
        self._settle()
        groups, first = [], 0
        for group in self.param_groups:
            count = len(group["params"])
            groups.append({**group, "params": list(range(first, first + count))})
            first += count
        return {"state": {i: dict(s) for i, s in enumerate(self.state) if s}, "param_groups": groups}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load a ``state_dict``; its arrays are copied and keep their dtypes.

        Raises:
            ValueError: it has other groups, shapes or schedules; nothing has been changed.
        """
        refuse_capture(self._plan, self.param_groups, "load_state_dict", "call it before the capture")
        groups = state_dict["param_groups"]
        if [len(g["params"]) for g in groups] != [len(g["params"]) for g in self.param_groups]:
            raise ValueError(
                "loaded state dict has other parameter groups: make the optimizer over the same arrays first"
            )
        loaded = loaded_groups(self, state_dict)
        for own, group in zip(self.param_groups, loaded, strict=True):
            group.update({NAMES: own[NAMES]} if NAMES in own else {})  # steps match gradients by name
        located = [(group, array) for group in loaded for array in group["params"]]
        numbers = [number for group in groups for number in group["params"]]
        states = [
            self._loaded_state(state_dict["state"].get(number, {}), group, array, i)
            for i, (number, (group, array)) in enumerate(zip(numbers, located, strict=True))
        ]
        take(self, loaded, states)

    def _loaded_state(self, saved: dict[str, Any], group: Group, array: Any, index: int) -> dict[str, Any]:
        library, loaded = library_of(array), {}
        for name, value in saved.items():
            if value is None:
                continue
            copied = library.copy_of(array, value)
            if is_number(self, name):
                number = read_number(name, value, index)
                copied = copied if is_wide(copied) else self._new_number(group, array, name, number)
            elif copied.ndim or name in array_names(type(self)):
                refuse_shape(self, group, name, tuple(copied.shape), library.shape_of(array), index, "arrays")
                refuse_other_kind(self, name, copied, array, index)
            loaded[name] = copied
        return loaded

    def __getstate__(self) -> dict[str, Any]:
        """The contents of a copy or a pickle: everything but the plan, which is made again."""
        self._settle()
        return {name: vars(self)[name] for name in ("defaults", "param_groups", "state")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        if "defaults" in state:  # a pickle or a copy, not a state_dict
            former_scales_kept(self.param_groups)
        self._forget_plan()

    def _known_state(self, index: int, parameter: Any) -> dict[str, Any] | None:
        return self.state[index] if index < len(self.state) else None  # a group's list may have grown in place

    def _state_entry(self, index: int, parameter: Any, state: dict[str, Any]) -> _core.Entry:
        return self.state, index, state

    def _drop_state(self, index: int, parameter: Any) -> None:
        self.state[index] = {}

    def _new_array(
        self, parameter: Any, value: float, like_parameter: bool, shape: tuple[int, ...] | None = None
    ) -> Any:
        return library_of(parameter).new_array(parameter, value, like_parameter, shape)

    def _shape_of(self, parameter: Any) -> tuple[int, ...]:
        return library_of(parameter).shape_of(parameter)

    def _new_copy(self, parameter: Any, dtype: str | None) -> Any:
        return library_of(parameter).new_copy(parameter, dtype)

    def _assign(self, parameter: Any, values: Any) -> None:
        library_of(parameter).assign(parameter, values)

    def _new_number(self, group: Group, parameter: Any, name: str, value: float) -> Any:
        library = library_of(parameter)
        exact = name in ("step", "ema_product", *self.exact_numbers) or library.is_double(parameter)
        return library.new_number(parameter, value, exact)
