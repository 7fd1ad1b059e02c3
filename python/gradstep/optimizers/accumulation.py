r"""Gradient accumulation: updates with the mean gradient of several micro-batches.

With the option ``accumulate=n`` every ``step`` takes the gradients of one micro-batch, and every n-th step makes an
update. Schedules and counts advance with updates only:

.. math::
    s \leftarrow s + g \quad \text{(in order, in float32)}, \qquad
    \bar{g} = s \cdot \frac{1}{n}

Do not divide the losses by n. If a parameter has a gradient in only some of the micro-batches, their sum is still
divided by n; a parameter without any is not updated. Norms, clipping and statistics use the mean.

Between updates the sums are in ``state["gradient_sum"]``, ``optimizer.accumulated`` is the number of micro-batches in
them, and ``group["summed"]`` is the number of the group's parameters with a sum, so that a ``state_dict`` is complete
at any time. (torch.distributed.checkpoint loads only the keys of a new optimizer and loses the sums; such a checkpoint
is refused: save where ``accumulated`` is 0.) The sums are float32 (float64 for float64 parameters), whatever the dtype
of the gradients. torch accumulates float32 and float64 gradients in ``.grad``, which then is the sum, without another
copy; ``optimizer.zero_grad()`` leaves it unchanged until the update. 16-bit gradients are moved from ``.grad``, which
is None after each step. The update also fills the sums with zeros.

A micro-batch with ``found_inf`` or, with ``skip_nonfinite``, with an infinite or NaN gradient is skipped and discards
the sum before it; the next one is the first again. A changed ``grad_scale`` does the same, with a warning.
``torch.amp.GradScaler`` is used as always (``scaler.step(optimizer)`` and ``scaler.update()`` after each micro-batch);
make its ``growth_interval`` a multiple of n and leave the unscaling to the step.

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
from itertools import accumulate
from typing import TYPE_CHECKING, Any, NamedTuple

from gradstep import _core
from gradstep.interop.devices import Plan, plan_for
from gradstep.interop.threads import get_num_threads
from gradstep.optimizers.bookkeeping import Bookkeeping
from gradstep.optimizers.counting import refuse_capture
from gradstep.rules.hyperparameters import Group
from gradstep.rules.options import step_settings
from gradstep.rules.progress import check_counts

if TYPE_CHECKING:
    from gradstep.optimizers.step import Stepping

__all__ = ["Accumulation", "refuse_lost_sums"]


_SUMMED = "summed"
"""The key of the number of a group's parameters that have a sum."""


class Accumulation:
    """The sums of an optimizer's gradients, by the numbers of the parameters over all groups."""

    def __init__(self, optimizer: Stepping) -> None:
        self._plan: Plan | None = None  # until the first micro-batch, which has a device
        self._sums = dict(_sums_in_states(optimizer))
        self._empty: dict[int, Any] = {}  # arrays that were sums, filled with zeros
        self._unscale: float | None = None

    def step(self, optimizer: Stepping, gradients: list[Any] | None, grad_scale: object, found_inf: object) -> bool:
        """Add a micro-batch, and make an update if it is the last one.

        Returns:
            Whether an update was made.
        """
        groups = optimizer.param_groups
        what = "accumulate counts micro-batches"
        refuse_capture(optimizer._plan, groups, what, "capture the backward passes alone")
        settings = step_settings(groups, get_num_threads(), grad_scale, found_inf)
        count = optimizer.accumulated + 1
        batch = self._read(optimizer, gradients)
        if self._plan is None:
            self._plan = plan_for([parameter for _, parameter in optimizer._located()])
        addition = self._addition(groups, batch, settings)
        is_last = count >= groups[0]["accumulate"]
        rescaled = self._changes_scale(settings.unscale, count)
        emptied = self._emptying(optimizer, batch)
        sums = [batch.sums.get(index) for index in range(len(batch.to_add))]
        settings.skip |= rescaled or (settings.skip_nonfinite and not is_last and self._find_nonfinite(groups, batch))
        if not settings.skip and not is_last:
            plan, parameters, to_add, of_groups, adding = addition
            updated = self._adding(optimizer, batch, count, settings.unscale)
            plan.step(parameters, to_add, [], of_groups, adding, updated=updated + optimizer._keeping())
            if not (adding.skip_nonfinite and plan.report().skipped):
                return False
            settings.skip = True
        if settings.skip:
            return optimizer._apply(sums, settings, Bookkeeping([], emptied))
        settings.unscale /= count
        return optimizer._apply(sums, settings, Bookkeeping([*emptied, *optimizer._advancing()], emptied), addition)

    def _changes_scale(self, unscale: float, count: int) -> bool:
        before = self._unscale
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

    def _read(self, optimizer: Stepping, gradients: list[Any] | None) -> _Batch:
        """Sort the gradients into those to add and those that are sums already."""
        to_add: list[Any] = []
        sums = dict(self._sums)
        located = optimizer._located()
        if gradients is not None and len(gradients) != len(located):
            raise ValueError(
                f"the step got {len(gradients)} gradients, but the groups hold {len(located)} parameters: a group's "
                "list of parameters was changed in place; add parameters with add_param_group"
            )
        for index, (_, parameter) in enumerate(located):
            gradient = parameter.grad if gradients is None else gradients[index]
            if optimizer._accumulates_in_place(parameter):
                self._check_in_place(index, gradient)
                if gradient is not None:
                    sums[index] = gradient
                gradient = None
            elif gradient is not None:
                sums[index] = self._sum_for(optimizer, index, parameter)
            to_add.append(gradient)
        return _Batch(to_add, sums)

    def _addition(self, groups: list[Group], batch: _Batch, settings: _core.StepSettings) -> _core.EarlierStep:
        """The step that adds each gradient to its sum."""
        assert self._plan is not None
        adding = _core.StepSettings(settings.threads)
        adding.skip_nonfinite = settings.skip_nonfinite
        return self._plan, _by_group(groups, batch.sums), batch.to_add, list(map(_addition, groups)), adding

    def _find_nonfinite(self, groups: list[Group], batch: _Batch) -> bool:
        """Whether a sum that already holds this micro-batch is infinite or NaN. Writes nothing."""
        assert self._plan is not None
        asking = _core.StepSettings(get_num_threads())
        asking.skip = asking.skip_nonfinite = True
        sums = [total if added is None else None for total, added in batch.each()]
        reading = [
            _core.GroupSettings("sgd", [], lr=0.0, weight_decay=0.0, options=_core.StepOptions()) for _ in groups
        ]
        self._plan.step(_split(groups, sums), sums, [], reading, asking)
        return self._plan.report().nonfinite > 0

    def _adding(self, optimizer: Stepping, batch: _Batch, count: int, unscale: float) -> list[_core.Entry]:
        """The entries that count a micro-batch without an update."""
        entries: list[_core.Entry] = [(vars(self), "_sums", batch.sums), (vars(self), "_unscale", unscale)]
        for group, sums in zip(optimizer.param_groups, _by_group(optimizer.param_groups, batch.sums), strict=True):
            entries += [(group, "accumulated", count), (group, _SUMMED, sum(each is not None for each in sums))]
        for index, (group, parameter) in enumerate(optimizer._located()):
            if index in batch.sums:
                state = optimizer._known_state(index, parameter)
                if state is None:
                    entries.append(optimizer._state_entry(index, parameter, state := {}))
                entries.append((state, "gradient_sum", batch.sums[index]))
            if batch.to_add[index] is not None:
                entries += optimizer._releasing_gradient(group, parameter)
        return entries

    def _emptying(self, optimizer: Stepping, batch: _Batch) -> list[_core.Entry]:
        """The entries that start a new sum after an update, which fills the sums with zeros."""
        empty = dict(self._empty)
        entries: list[_core.Entry] = [
            (vars(self), "_sums", {}),
            (vars(self), "_empty", empty),
            (vars(self), "_unscale", None),
        ]
        for group in optimizer.param_groups:
            entries += [(group, "accumulated", 0), (group, _SUMMED, 0)]
        for index, (group, parameter) in enumerate(optimizer._located()):
            if index in batch.sums:
                state = optimizer._known_state(index, parameter)
                if state is not None:
                    entries.append((state, "gradient_sum", _core.REMOVED))
                if group["accumulate"] > 1 and not optimizer._accumulates_in_place(parameter):
                    empty[index] = batch.sums[index]
            if batch.to_add[index] is not None:
                entries += optimizer._releasing_gradient(group, parameter)
        return entries

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


class _Batch(NamedTuple):
    """A micro-batch: the gradients to add (None where there is none), and all sums, new ones included."""

    to_add: list[Any]
    sums: dict[int, Any]

    def each(self) -> Iterator[tuple[Any, Any]]:
        return ((self.sums.get(index), added) for index, added in enumerate(self.to_add))


def refuse_lost_sums(state_dict: Mapping[str, Any]) -> None:
    """Raise ValueError for a ``state_dict`` that counts micro-batches without their sums, or has impossible counts."""
    groups, states = state_dict["param_groups"], state_dict["state"]
    for group in groups:
        check_counts(group)
    counted = max((group.get("accumulated", 0) for group in groups), default=0)
    found = [sum(_has_sum(states.get(number, {})) for number in group["params"]) for group in groups]
    if all(_SUMMED in group for group in groups):
        lost = any(group[_SUMMED] > held for group, held in zip(groups, found, strict=True))
    else:  # earlier versions did not count them
        lost = not any(found)
    if counted and lost:
        raise ValueError(
            f"the state_dict was saved after {counted} micro-batches of an update, but their sums are not in it (a "
            "distributed checkpoint is loaded without them): save where optimizer.accumulated is 0, or set "
            "'accumulated' to 0 in all of state_dict['param_groups'] (in a flattened state_dict all "
            "'param_groups.<name>.accumulated') to start that update again"
        )


def _has_sum(state: Mapping[str, Any]) -> bool:
    return state.get("gradient_sum") is not None


def _sums_in_states(optimizer: Stepping) -> Iterator[tuple[int, Any]]:
    for index, (_, parameter) in enumerate(optimizer._located()):
        state = optimizer._known_state(index, parameter) or {}
        if _has_sum(state):
            yield index, state["gradient_sum"]


def _by_group(groups: list[Group], sums: dict[int, Any]) -> list[list[Any]]:
    return _split(groups, [sums.get(index) for index in range(sum(len(group["params"]) for group in groups))])


def _split(groups: list[Group], arrays: list[Any]) -> list[list[Any]]:
    """Arrays in the groups' order, a list for each group."""
    ends = list(accumulate(len(group["params"]) for group in groups))
    return [arrays[end - len(group["params"]) : end] for group, end in zip(groups, ends, strict=True)]


def _addition(group: Group) -> _core.GroupSettings:
    """The settings that add a gradient: gradient descent at a rate of -1."""
    options = _core.StepOptions()
    options.zero_grad = bool(group["zero_grad"])
    return _core.GroupSettings("sgd", [], lr=-1.0, weight_decay=0.0, options=options)
