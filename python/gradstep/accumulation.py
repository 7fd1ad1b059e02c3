r"""Gradient accumulation: an update with the mean of several micro-batches.

With the option ``accumulate=n`` every ``step`` takes the gradients of one micro-batch; the n-th makes the update, which
alone counts, for schedules too:

.. math::
    s \leftarrow s + g \quad \text{(in order, in float32)}, \qquad
    \bar{g} = s \cdot \frac{1}{n}

The losses are to be left as they are, not divided by n. A parameter that has a gradient in only some of the
micro-batches gets their sum over n; one that has none is left alone. Norms, clipping and statistics are of the mean.

The sums are in ``state["gradient_sum"]`` while they hold something, and ``optimizer.accumulated`` says how many
micro-batches that is, so that a ``state_dict`` in their midst is complete. (torch.distributed.checkpoint loads only
what a new optimizer has, so not the sums: save where ``accumulated`` is 0.) They are float32 (float64 for float64
parameters) whatever the gradients are. To a float32 or float64 ``.grad`` torch adds in place, so that it is the sum
itself, without another copy; ``optimizer.zero_grad()`` leaves it alone until the update. 16-bit gradients are taken out
of ``.grad``, which is None after each step. The update fills the sums with zeros in its own pass.

A micro-batch with ``found_inf``, or with an infinite or NaN gradient where ``skip_nonfinite`` is asked for, is skipped
and drops those that were added before it; the next one is the first again. So does one with another ``grad_scale``,
with a warning. ``torch.amp.GradScaler`` is used as always (``scaler.step(optimizer)``, ``scaler.update()`` after each
micro-batch); make its ``growth_interval`` a multiple of n and leave unscaling to the step.

>>> import numpy as np, gradstep
>>> w = np.zeros(1)
>>> opt = gradstep.SGD([w], lr=1.0, accumulate=2)
>>> for gradient in (1.0, 3.0, 10.0):
...     opt.step([np.array([gradient])])
>>> w, opt.accumulated
(array([-2.]), 1)
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from gradstep import _core
from gradstep.arrays import tell_autograd
from gradstep.counting import refuse_capture
from gradstep.devices import Plan, plan_for
from gradstep.hyperparameters import Group
from gradstep.options import step_settings
from gradstep.threads import get_num_threads

if TYPE_CHECKING:
    from gradstep.stepping import Stepping

__all__ = ["Accumulation", "refuse_lost_sums"]


class Accumulation:
    """The sums of an optimizer's gradients, by the numbers of their parameters over all groups."""

    def __init__(self, optimizer: Stepping) -> None:
        self._plan: Plan | None = None  # until the first micro-batch, which tells the device
        self._sums = dict(_sums_in_states(optimizer))
        self._empty: dict[int, Any] = {}  # arrays that were sums, filled with zeros
        self._unscale: float | None = None

    def step(self, optimizer: Stepping, gradients: list[Any] | None, grad_scale: object, found_inf: object) -> bool:
        """Add a micro-batch, and make the update if it is the last one; False if none was made."""
        groups = optimizer.param_groups
        refuse_capture(optimizer._plan, "accumulate counts micro-batches", "capture the backward passes alone")
        settings = step_settings(groups, get_num_threads(), grad_scale, found_inf)
        count = optimizer.accumulated + 1
        settings.skip |= self._changes_scale(settings.unscale, count)
        added = self._add(optimizer, gradients, settings)
        for group in groups:
            group["accumulated"] = count
        if added and count < groups[0]["accumulate"]:
            return False
        settings.skip = not added
        settings.unscale /= count
        parameters = range(sum(len(group["params"]) for group in groups))
        updated = optimizer._apply([self._sums.get(index) for index in parameters], settings)
        self._empty_sums(optimizer)
        return updated

    def _changes_scale(self, unscale: float, count: int) -> bool:
        before, self._unscale = self._unscale, unscale
        if count == 1 or before in (None, unscale):
            return False
        warnings.warn(
            f"grad_scale changed from {1 / before} to {1 / unscale} between the micro-batches of one update, and they "
            "were dropped: let it change where optimizer.accumulated is 0, and make a GradScaler's growth_interval a "
            "multiple of accumulate",
            UserWarning,
            stacklevel=4,
        )
        return True

    def _add(self, optimizer: Stepping, gradients: list[Any] | None, settings: _core.StepSettings) -> bool:
        """Add each gradient to its sum; False if they are to be skipped, and none of them was added."""
        groups, to_add = optimizer.param_groups, []
        for index, (_, parameter) in enumerate(_located(optimizer)):
            gradient = parameter.grad if gradients is None else gradients[index]
            if optimizer._gradient_is_sum(parameter):
                self._check_in_place(index, gradient)
                if gradient is not None:
                    self._sums[index] = gradient
                gradient = None
            to_add.append(gradient)
        located = optimizer._located()
        sums = self._sums | {
            i: self._sum_for(optimizer, i, located[i][1]) for i, each in enumerate(to_add) if each is not None
        }
        adding = _core.StepSettings(settings.threads)
        adding.skip, adding.skip_nonfinite = settings.skip, settings.skip_nonfinite
        if self._plan is None:
            self._plan = plan_for([parameter for _, parameter in _located(optimizer)])
        self._plan.step(_by_group(groups, sums), to_add, [], list(map(_addition, groups)), adding)
        tell_autograd(self._plan.take_written())
        self._sums = sums
        for index, (group, parameter) in enumerate(_located(optimizer)):
            if index in sums:
                optimizer._state_of(index, parameter)["gradient_sum"] = sums[index]
            if to_add[index] is not None:
                optimizer._let_go(group, parameter)
        return not (adding.skip or (adding.skip_nonfinite and self._plan.report().skipped))

    def _check_in_place(self, index: int, gradient: Any) -> None:
        held = self._sums.get(index)
        if held is None or gradient is held or (gradient is not None and gradient.requires_grad):  # create_graph=True
            return
        raise RuntimeError(
            f"the gradient of parameter {index}, which holds the sum of the micro-batches before, was replaced: call "
            "optimizer.zero_grad(), which keeps it, or nothing between them, instead of model.zero_grad()"
        )

    def _sum_for(self, optimizer: Stepping, index: int, parameter: Any) -> Any:
        for sums in (self._sums, self._empty):
            if index in sums:
                return sums[index]
        return optimizer._new_array(parameter, 0.0, False)

    def _empty_sums(self, optimizer: Stepping) -> None:
        for index, (group, parameter) in enumerate(_located(optimizer)):
            if index in self._sums:
                del optimizer._state_of(index, parameter)["gradient_sum"]
                if group["accumulate"] > 1 and not optimizer._gradient_is_sum(parameter):
                    self._empty[index] = self._sums[index]
        self._sums.clear()
        for group in optimizer.param_groups:
            group["accumulated"] = 0


def refuse_lost_sums(state_dict: Mapping[str, Any]) -> None:
    """Raise ValueError for a ``state_dict`` that counts micro-batches whose sums it does not hold."""
    counted = max((group.get("accumulated", 0) for group in state_dict["param_groups"]), default=0)
    if counted and not any("gradient_sum" in state for state in state_dict["state"].values()):
        raise ValueError(
            f"the state_dict was saved after {counted} micro-batches of an update, but their sums are not in it (a "
            "distributed checkpoint is loaded without them): save where optimizer.accumulated is 0, or set "
            "'accumulated' to 0 in all of state_dict['param_groups'] to begin that update anew"
        )


def _located(optimizer: Stepping) -> Iterator[tuple[Group, Any]]:
    return ((group, parameter) for group in optimizer.param_groups for parameter in group["params"])


def _sums_in_states(optimizer: Stepping) -> Iterator[tuple[int, Any]]:
    states = optimizer.state
    for index, (_, parameter) in enumerate(_located(optimizer)):
        state = states[index] if isinstance(states, list) else states.get(parameter, {})
        if state.get("gradient_sum") is not None:
            yield index, state["gradient_sum"]


def _by_group(groups: list[Group], sums: dict[int, Any]) -> list[list[Any]]:
    """The sums in the groups' order, None where there is none."""
    split, first = [], 0
    for group in groups:
        last = first + len(group["params"])
        split.append([sums.get(index) for index in range(first, last)])
        first = last
    return split


def _addition(group: Group) -> _core.GroupSettings:
    """Gradient descent at a rate of -1 adds the gradient."""
    around = _core.Surroundings()
    around.zero_gradient = bool(group["zero_grad"])
    return _core.GroupSettings("sgd", [], lr=-1.0, weight_decay=0.0, around=around)
