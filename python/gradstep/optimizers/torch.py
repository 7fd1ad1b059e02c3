"""Optimizers over torch parameters, as ``torch.optim.Optimizer``."""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any

import numpy as np
import torch
from torch.optim import optimizer as _optimizer

from gradstep import _core
from gradstep.interop.caller import warn_caller
from gradstep.interop.threads import get_num_threads
from gradstep.interop.torch_tensors import TORCH
from gradstep.optimizers.bookkeeping import Bookkeeping
from gradstep.optimizers.counting import refuse_capture
from gradstep.optimizers.display import in_groups, never_raises
from gradstep.optimizers.given import list_parameters, warn_of_used_up
from gradstep.optimizers.joining import complete, refuse_other_sizes, refuse_shared, replace
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
from gradstep.optimizers.parameters import refuse_unfit
from gradstep.optimizers.placeholders import Placeholders, asks_for_states
from gradstep.optimizers.release import Release
from gradstep.optimizers.step import Stepping
from gradstep.rules.hyperparameters import Group, read_switch
from gradstep.rules.options import step_settings
from gradstep.rules.rate_scale import former_scales_kept

__all__ = ["TorchOptimizer"]

_WIDE = (torch.float32, torch.float64, torch.complex64, torch.complex128)


def _can_move(group: Group) -> bool:
    rate = group.get("lr")
    return bool(group["params"]) and not (isinstance(rate, int | float) and rate == 0)


class TorchOptimizer(Stepping, torch.optim.Optimizer):
    """A rule over parameters whose gradients are in ``.grad``, with torch's groups, hooks and ``state_dict``."""

    # Set on each instance: an object may adopt an optimizer's class and delegate missing attributes (Lightning's do).
    _release: Release | None
    _placeholders: Placeholders | None
    #: until a step has found a gradient, or warned that there is none
    _lacks_gradients = True
    #: while the constructor runs, the groups so far and the original contents of their dicts
    _joining: list[tuple[Group, Group]] | None = None

    __repr__ = never_raises(in_groups)

    def __init__(self, params: Iterable[Any], defaults: Group) -> None:
        read_switch(defaults, "differentiable")  # torch asks for its truth first
        self._release = self._placeholders = None
        joining: list[tuple[Group, Group]] = []
        self._joining = joining
        try:
            torch.optim.Optimizer.__init__(self, list_parameters(params), defaults)
            refuse_shared(self.param_groups, defaults)
            self._check_new(self.param_groups, [])
            self._prepare(self.param_groups, self.param_groups)
            self._forget_plan()
            del self._joining
        except BaseException:
            if self._release is not None:
                self._release.unwatch(self.param_groups)
            for group, given in reversed(joining):
                replace(group, given)
            raise

    def add_param_group(self, param_group: Group) -> None:
        """Add a group of parameters, as ``torch.optim.Optimizer.add_param_group``.

        Raises:
            TypeError, ValueError: a parameter or a hyper-parameter can't be used; nothing is added.
        """
        given = dict(param_group) if isinstance(param_group, dict) else {}
        if self._joining is not None:  # the constructor checks all groups at once
            self._joining.append((param_group, given))
            complete(param_group, self.defaults, [])
            warn_of_used_up(given, param_group)
            self.param_groups.append(param_group)
            return
        states: dict[Any, Any] = {}
        try:
            complete(param_group, self.defaults, self.param_groups)
            warn_of_used_up(given, param_group)
            states = {parameter: dict(self.state.get(parameter, {})) for parameter in param_group["params"]}
            self._check_new([param_group], self.param_groups)
            self._prepare([param_group], [*self.param_groups, param_group])
            self.param_groups.append(param_group)
        except BaseException:
            if self._release is not None:
                self._release.unwatch([{"params": list(states)}])
            for parameter, state in states.items():
                self._drop_state(-1, parameter)
                if state:
                    self.state[parameter] = state
            replace(param_group, given)
            raise

    def _check_new(self, new: list[Group], others: list[Group]) -> None:
        refuse_unfit(new, others, type(self).__name__, self.needs_dense_parameters)
        super()._check_new(new, others)

    def _prepare(self, new: list[Group], groups: list[Group]) -> None:
        """Make the states and hooks that new groups among ``groups`` have from the start."""
        for group in new if self.eager_states else ():
            for parameter in group["params"]:
                self._complete_state(group, parameter, self.state[parameter])
        self._watch(groups)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient, in place.

        Args:
            closure: computes the loss and the gradients; called first, and its value is returned.

        Raises:
            TypeError, ValueError: a gradient or a hyper-parameter can't be used; nothing has been written.
        """
        if torch.compiler.is_dynamo_compiling():
            return self._uncompiled_step(closure)
        return self._observed_step(closure) if self._is_observed() else self._plain_step(closure)

    # torch wraps step() of every optimizer for its hooks and its profiler, which costs more than many a step. The
    # same wrapper is used here, but only while hooks are registered or the profiler runs.
    step.hooked = True  # type: ignore[attr-defined]

    @torch._disable_dynamo  # type: ignore[attr-defined]
    def _uncompiled_step(self, closure: Callable[[], Any] | None) -> Any:
        return self.step(closure)  # torch.compile would try to trace the core's calls, one by one

    @property
    def _step_supports_amp_scaling(self) -> bool:
        """Tells torch.amp.GradScaler to leave the gradients as they are and hand its scale to the step.

        With ``fused=False`` it unscales them itself, as torch's own optimizers have it: Lightning clips no others. The
        sums of micro-batches must not be unscaled again with each.
        """
        group = self.param_groups[0]
        return group["fused"] is not False or group["accumulate"] > 1

    def _is_observed(self) -> bool:
        return bool(
            self._optimizer_step_pre_hooks
            or self._optimizer_step_post_hooks
            or _optimizer._global_optimizer_pre_hooks
            or _optimizer._global_optimizer_post_hooks
            or torch.autograd.profiler._is_profiler_enabled
        )

    def _plain_step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = None
        scale, found_inf = getattr(self, "grad_scale", None), getattr(self, "found_inf", None)  # GradScaler sets them
        self._refuse_step(scale, found_inf)
        if not self.state and closure is found_inf is None and asks_for_states(self.param_groups):
            self._placeholders = Placeholders()
            self._placeholders.make(self)
            return None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        lacking = self._lacks_gradients and closure is found_inf is None and self._finds_no_gradient()
        self._update(None, scale, found_inf)
        if lacking:
            self._warn_of_no_gradient()
        return loss

    def _finds_no_gradient(self) -> bool:
        """Whether no parameter has a gradient, asked until one has.

        A host may step without any on purpose: at rate 0 (see Placeholders), or without parameters (a rank of ZeRO).
        """
        parameters = [parameter for group in self.param_groups for parameter in group["params"]]
        if self._release is not None or any(parameter.grad is not None for parameter in parameters):
            self._lacks_gradients = False
            return False
        return any(map(_can_move, self.param_groups))

    def _warn_of_no_gradient(self) -> None:
        self._lacks_gradients = False
        warn_caller(
            "no parameter has a gradient, so that step() changes nothing: call loss.backward() before it, on a loss of "
            "the parameters that this optimizer has"
        )

    _observed_step = torch.optim.Optimizer.profile_hook_step(_plain_step)

    def _begin(self) -> None:
        self._withdraw_placeholders()
        super()._begin()

    def _check_group(self, group: Group) -> None:
        super()._check_group(group)
        if group["release"] and not (self._release and self._release.watches(group)):
            self._watch(self.param_groups)

    def _withdraw_placeholders(self) -> None:
        if self._placeholders is not None:
            self._placeholders.withdraw(self)
            self._placeholders = None

    def _refuse_step(self, scale: object, found_inf: object) -> None:
        if self._release is not None:
            self._release.check_step(found_inf)
        if found_inf is not None and scale is None and self.param_groups[0]["accumulate"] > 1:
            raise RuntimeError(
                "the gradients of this micro-batch were unscaled, those of others in its sum may not be: leave out "
                "scaler.unscale_(optimizer), the step unscales; to clip, make the optimizer with clip_norm"
            )

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Empty the gradients, as ``torch.optim.Optimizer.zero_grad``; nothing while they hold a sum of micro-batches.

        Args:
            set_to_none: free them, instead of filling them with zeros.
        """
        if not self.accumulated:
            super().zero_grad(set_to_none)

    def _watch(self, groups: list[Group]) -> None:
        if any(group["release"] for group in groups):
            if self._release is None:
                self._release = Release(self)
            self._release.watch(groups)

    def _update_one(self, index: int, parameter: torch.Tensor, updated: list[_core.Entry]) -> None:
        """Update one parameter before the step that counts as an update of all."""
        try:
            self._begin()
            gradients: list[Any] = [None] * sum(len(group["params"]) for group in self.param_groups)
            gradients[index] = parameter.grad
            settings = step_settings(self.param_groups, get_num_threads())
            settings.ahead, settings.joins = True, False
            self._apply(gradients, settings, Bookkeeping(updated, []))
        except BaseException:
            self._take_back()
            raise

    def _advancing(self) -> list[_core.Entry]:
        entries = Stepping._advancing(self)  # super() costs more than the call
        return entries if self._release is None else entries + self._release.finishing()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a ``state_dict`` of this class or of torch's; states are copied and keep their dtypes.

        Raises:
            ValueError: it has other groups, shapes or schedules; nothing has been changed.
            RuntimeError: a CUDA graph is being captured.
        """
        refuse_capture(self._plan, self.param_groups, "load_state_dict", "call it before the capture")
        state_dict = state_dict.copy()  # torch's hooks may change it
        for hook in self._optimizer_load_state_dict_pre_hooks.values():
            state_dict = hook(self, state_dict) or state_dict
        refuse_other_sizes(self.param_groups, state_dict["param_groups"])
        loaded = loaded_groups(self, state_dict)
        states = self._loaded_states(state_dict, loaded)
        held = [(parameter, parameter.grad) for group in loaded for parameter in group["params"]]
        try:
            for parameter, state in self.state.items():
                if "gradient_sum" in state:
                    parameter.grad = None
            take(self, loaded, states)
        except BaseException:
            for parameter, gradient in held:
                parameter.grad = gradient
            raise
        for done in self._optimizer_load_state_dict_post_hooks.values():
            done(self)

    def _loaded_states(self, state_dict: dict[str, Any], groups: list[Group]) -> defaultdict[Any, Any]:
        saved = chain.from_iterable(group["params"] for group in state_dict["param_groups"])
        located = dict(zip(saved, enumerate((group, p) for group in groups for p in group["params"]), strict=True))
        states: defaultdict[Any, Any] = defaultdict(dict)
        for number, state in state_dict["state"].items():
            if number in located:
                index, (group, parameter) = located[number]
                states[parameter] = {
                    name: self._loaded_value(name, value, group, parameter, index) for name, value in state.items()
                }
            else:
                states[number] = state  # as torch does
        return states

    def _loaded_value(self, name: str, value: Any, group: Group, parameter: torch.Tensor, index: int) -> Any:
        """A copy in the saved dtype: torch would cast it to the parameter's."""
        if value is None:
            return None
        if is_number(self, name):
            number = read_number(name, value, index)
            wide = isinstance(value, torch.Tensor) and is_wide(value)
            return TORCH.copy_of(parameter, value) if wide else self._new_number(group, parameter, name, number)
        if not isinstance(value, torch.Tensor | np.ndarray):
            return copy.deepcopy(value)
        if value.ndim or name in array_names(type(self)):
            refuse_shape(self, group, name, tuple(value.shape), tuple(parameter.shape), index, "model")
            refuse_other_kind(self, name, value, parameter, index)
        return TORCH.copy_of(parameter, value)

    def _restore_sums(self) -> None:
        """Let backward add to the sums of a checkpoint."""
        for group in self.param_groups:
            for parameter in group["params"]:
                total = self.state.get(parameter, {}).get("gradient_sum")
                if total is not None and self._accumulates_in_place(parameter):
                    parameter.grad = total

    def state_dict(self) -> dict[str, Any]:
        """As ``torch.optim.Optimizer.state_dict``; the skipped updates of lazy rows are applied first."""
        self._settle()
        return super().state_dict()

    def __getstate__(self) -> dict[str, Any]:
        self._withdraw_placeholders()
        self._settle()
        state: dict[str, Any] = super().__getstate__()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        if "_release" not in vars(self):  # this is a copy, not an optimizer that loads
            self._release = self._placeholders = None
        super().__setstate__(state)
        for group in self.param_groups:
            for key, value in self.defaults.items():
                group.setdefault(key, value)
        if "defaults" in state:  # a pickle or a copy, not a state_dict
            former_scales_kept(self.param_groups)
        self._watch(self.param_groups)
        self._restore_sums()
        self._forget_plan()

    def _accumulates_in_place(self, parameter: Any) -> bool:
        return (getattr(parameter, "grad_dtype", None) or parameter.dtype) in _WIDE

    def _releasing_gradient(self, group: Group, parameter: Any) -> list[_core.Entry]:
        return [] if group["zero_grad"] else [(parameter, "grad", None)]

    def _known_state(self, index: int, parameter: Any) -> dict[str, Any] | None:
        state: dict[str, Any] | None = self.state.get(parameter)
        return state

    def _state_entry(self, index: int, parameter: Any, state: dict[str, Any]) -> _core.Entry:
        return self.state, parameter, state

    def _drop_state(self, index: int, parameter: Any) -> None:
        self.state.pop(parameter, None)

    def _new_array(
        self, parameter: Any, value: float, like_parameter: bool, shape: tuple[int, ...] | None = None
    ) -> Any:
        return TORCH.new_array(parameter, value, like_parameter, shape)

    def _shape_of(self, parameter: Any) -> tuple[int, ...]:
        return TORCH.shape_of(parameter)

    def _new_copy(self, parameter: Any, dtype: str | None) -> Any:
        return TORCH.new_copy(parameter, dtype)

    def _assign(self, parameter: Any, values: Any) -> None:
        TORCH.assign(parameter, values)

    def _new_number(self, group: Group, parameter: Any, name: str, value: float) -> Any:
        if name == "step":  # as torch has it: float32 for its fused kernels
            exact = torch.get_default_dtype() == torch.float64 and not group["fused"]
        else:
            exact = (
                name in ("ema_product", *self.exact_numbers)
                or torch.get_default_dtype() == torch.float64  # in which torch keeps numbers
                or TORCH.is_double(parameter)
            )
        return TORCH.new_number(parameter, value, exact)
