"""The step of every optimizer, over arrays or torch parameters: one call into the core's plan."""

from __future__ import annotations

import logging
import operator
import os
import threading
from typing import Any, NamedTuple

from gradstep import _core
from gradstep.interop.devices import plan_for
from gradstep.interop.sparse import row_numbers
from gradstep.interop.threads import get_num_threads
from gradstep.optimizers.accumulation import Accumulation
from gradstep.optimizers.averages import Averages, Swap
from gradstep.optimizers.bookkeeping import Bookkeeping
from gradstep.optimizers.counting import complete_counts, norm_entries, start_counting, take_counts
from gradstep.optimizers.scheduling import GroupSchedules
from gradstep.optimizers.settings import Settings
from gradstep.optimizers.states import States
from gradstep.rules.base import CLASS, Rule
from gradstep.rules.hyperparameters import Group

__all__ = ["Stats", "Stepping"]

_RULES = f"{Rule.__module__.rpartition('.')[0]}."

_log = logging.getLogger("gradstep")


class Stats(NamedTuple):
    """Statistics of a step over all tensors; norms are Euclidean. A skipped step has only the first two.

    For a sparse gradient only the rows in it count. Squares of float64 numbers above 1e154 overflow and make a norm
    infinite; the gradients' norm is exact there if ``clip_norm`` needs it.
    """

    gradient_norm: float  #: after unscaling, before clipping
    nonfinite: float  #: the number of infinite or NaN elements of the gradients
    update_norm: float  #: the norm of the parameters' change
    parameter_norm: float  #: the norm of the parameters after the update
    skipped: bool


class Stepping(Settings, States):
    """Keeps a rule's groups, states and schedules consistent with a plan of the core."""

    defaults: Group
    state: Any
    _swap: Swap
    _known_groups: list[Group]
    _seeks_device: bool
    _made_states: set[int]
    _binding: dict[int, threading.Lock]  # by process: after a fork, a lock held by another thread would stay locked
    _accumulation: Accumulation
    _told_of_end = False  #: that a schedule of lr has ended at 0

    def __dir__(self) -> list[str]:
        """The names for users, without those that a rule declares for the library alone."""
        declared = {name for each in type(self).__mro__ if each.__module__.startswith(_RULES) for name in vars(each)}
        return [
            name
            for name in sorted({*dir(type(self)), *vars(self)})
            if name.startswith("__") or not (name.startswith("_") or name in declared)
        ]

    def _accumulates_in_place(self, parameter: Any) -> bool:
        """Whether each gradient is already accumulated in place, in full precision."""
        return False

    def _releasing_gradient(self, group: Group, parameter: Any) -> list[_core.Entry]:
        """The entries that release a gradient that was added to its sum."""
        return []

    def _forget_plan(self) -> None:
        """Start again with the present groups and states, which are new, loaded or replaced."""
        self._complete_groups()
        self._share_numbers()
        attributes = {
            "_plan": _core.Plan(),
            "_seeks_device": True,  # until the first step: a model may be moved before it
            "_made_states": set(),  # by this plan
            "_swap": getattr(self, "_swap", None) or Swap(),
            "_accumulation": Accumulation(self),
            "_binding": {},
            "_known_groups": list(self.param_groups),
            "_schedules": GroupSchedules.of_each(self.param_groups, self.hyperparameters()),
            **self._no_settings(),
        }
        vars(self).update(attributes)

    def _complete_groups(self) -> None:
        """Add the library's own keys to groups that lack them."""
        for group in self.param_groups:
            group[CLASS] = self.class_name()
            complete_counts(group)

    def _update(self, gradients: list[Any] | None, grad_scale: object, found_inf: object) -> bool:
        """Make one step with the given gradients or each parameter's ``.grad``. Returns whether it was an update."""
        try:
            self._begin()
            groups = self.param_groups
            for group, schedules in zip(groups, self._schedules, strict=True):
                if schedules.by_name:
                    schedules.warn(group)
                    if schedules.rests and not self._told_of_end:
                        self._told_of_end = schedules.warn_of_end(group)
            if groups[0]["accumulate"] > 1 or self.accumulated:
                return self._accumulation.step(self, gradients, grad_scale, found_inf)
            return self._apply(gradients, self._asked_settings(grad_scale, found_inf))
        except BaseException:
            self._take_back()
            raise

    def _begin(self) -> None:
        """Prepare the next step: find its groups, device and schedules.

        Values that this writes into groups must be taken back if the step fails.
        """
        self._refuse_evaluation()
        known = self._known_groups
        if len(known) != len(self.param_groups) or not all(map(operator.is_, known, self.param_groups)):
            self._settle()
            self._forget_plan()
        if self._seeks_device:
            plan = plan_for([p for group in self.param_groups for p in group["params"]])
            start_counting(plan, self.param_groups)
            vars(self).update(_plan=plan, _seeks_device=False)
        self._check_written()
        for i, schedules in enumerate(self._schedules):
            if schedules.lacking:
                self._ask_again(i)

    def _refuse_evaluation(self) -> None:
        """Raise RuntimeError while the parameters hold values for evaluation instead of training."""
        if self._swap.is_in:
            raise RuntimeError(
                "the parameters are their averages now, which a step must not change: leave the optimizer's "
                "`with averages.swapped_in()` block first"
            )

    def _apply(
        self,
        gradients: list[Any] | None,
        settings: _core.StepSettings | None = None,
        bookkeeping: Bookkeeping | None = None,
        before: _core.EarlierStep | None = None,
    ) -> bool:
        """Update the parameters that have a gradient. Returns False if the update was skipped.

        ``bookkeeping`` holds the changes besides the parameters; by default the step counts as an update of all.
        """
        groups = self.param_groups
        parameters = [tuple(group["params"]) for group in groups]
        of_groups = [self._group_settings(i, group) for i, group in enumerate(groups)]
        settings = settings or self._usual_settings()
        updated, skipped = bookkeeping or (self._advancing(), [])
        if kept := self._keeping():
            updated, skipped = updated + kept, skipped + kept

        def step(bindings: list[_core.StateBinding], made: list[_core.Entry]) -> list[int]:
            return self._plan.step(
                parameters, gradients, self.state, of_groups, settings, bindings, made + updated, skipped, before
            )

        unbound = step([], [])
        if unbound:
            with self._binding.setdefault(os.getpid(), threading.Lock()):  # only one thread makes the states
                if step(*self._bindings(unbound, parameters)):
                    raise RuntimeError(
                        "the optimizer's state was changed by another thread, or by code that reading a gradient runs, "
                        "during its step: leave it alone until the step is made"
                    )
        if _log.isEnabledFor(logging.DEBUG):
            _log.debug("%d parameters were gathered and scattered, for their layout", self._plan.gathered())
        return not self._plan.skipped()

    def _bindings(
        self, unbound: list[int], parameters: list[tuple[Any, ...]]
    ) -> tuple[list[_core.StateBinding], list[_core.Entry]]:
        """The missing parts of these parameters' states, and the entries for parameters without any state."""
        located = [
            (group, each) for group, of_group in zip(self.param_groups, parameters, strict=True) for each in of_group
        ]
        shared = self._shared_numbers() if self.shares_numbers else {}
        bindings, entries = [], []
        for index in unbound:
            group, parameter = located[index]
            known = self._known_state(index, parameter)
            state = {} if known is None else known
            if not state:
                self._made_states.add(index)
            added, fresh = self._missing_state(group, parameter, state | shared)
            added = shared | added
            if self.shares_numbers:
                shared = {name: (state | added)[name] for name in self.numbers}
            if known is None:
                entries.append(self._state_entry(index, parameter, state))
            entries += [(state, name, value) for name, value in added.items()]
            bindings.append(_core.StateBinding(index, state, added, self.state_names(group), fresh))
        return bindings, entries

    def _advancing(self) -> list[_core.Entry]:
        """The entries that count an update of all tensors."""
        entries: list[_core.Entry] = []
        advanced = self._schedules.copy()
        for i, (group, schedules) in enumerate(zip(self.param_groups, self._schedules, strict=True)):
            if schedules.by_name:
                advanced[i], changes = schedules.at(group, group["updates"] + 1)
                entries += [(group, key, value) for key, value in changes.items()]
        if entries:
            entries.append((vars(self), "_schedules", advanced))
        if self.param_groups[0]["clip_lagged"] and isinstance(self._plan, _core.Plan):
            entries += norm_entries(self.param_groups, _core.GRADIENT_NORM)
        return entries

    def _settle(self) -> None:
        """Bring everything that a checkpoint or another plan would use up to date."""
        self.catch_up()
        self._complete_groups()
        take_counts(self._plan, self.param_groups, self._schedules, self.hyperparameters())
        self._drop_unused_states()

    def _drop_unused_states(self) -> None:
        """Remove the states that a device made for skipped steps: a first update starts with new ones."""
        if isinstance(self._plan, _core.DevicePlan) and self._made_states:
            located = self._located()
            for index in self._made_states.intersection(self._plan.not_updated()):
                self._drop_state(index, located[index][1])
            self._made_states.clear()

    @property
    def accumulated(self) -> int:
        """The number of micro-batches since the last update, with the option ``accumulate``."""
        count: int = self.param_groups[0].get("accumulated", 0)
        return count

    def catch_up(self, parameter: Any = None, rows: Any = None) -> None:
        """Apply the updates that rows have skipped, with the option ``lazy_rows``.

        Afterwards parameters and states in float32 or float64 have the bits of dense gradients (but ``clip_norm`` adds
        up its norm in another order). Call it for all rows before they are read, to evaluate or to save a model;
        ``state_dict`` calls it itself. If the forward pass needs up-to-date rows, call it for the rows of the look-up.

        Args:
            parameter: a parameter of this optimizer; None (the default) for all.
            rows: the rows of the parameter, an array of int64; None (the default) for all.

        Raises:
            TypeError: ``rows`` is not an array of int64.
            ValueError: the parameter is not this optimizer's, or has no such row; nothing has been written.

        >>> import numpy as np, gradstep
        >>> table = np.zeros((2, 1))
        >>> opt = gradstep.SGD([table], lr=1.0, momentum=0.5, lazy_rows=True)
        >>> opt.step([gradstep.Rows(np.array([1]), np.array([[4.0]]))])
        >>> opt.step([gradstep.Rows(np.array([0]), np.array([[4.0]]))])
        >>> table.ravel()
        array([-4., -4.])
        >>> opt.catch_up()
        >>> table.ravel()
        array([-4., -6.])
        """
        known = [p for group in self.param_groups for p in group["params"]]
        indices = [i for i, p in enumerate(known) if parameter is None or p is parameter]
        if not indices:
            raise ValueError("catch_up got an array that is none of the optimizer's parameters")
        numbers = None if rows is None else row_numbers(rows, parameter)
        self._plan.catch_up(indices, numbers, get_num_threads())

    def stats(self) -> Stats:
        """The statistics of the last step, with the option ``stats=True``.

        Raises:
            RuntimeError: there are no statistics of a step.
        """
        report = self._plan.report()
        if not report.has_stats and not report.skipped:
            raise RuntimeError("no step has been measured: make the optimizer with stats=True, then step")
        return Stats(*(getattr(report, name) for name in Stats._fields))

    @property
    def averages(self) -> Averages:
        """The averages of the parameters, with the option ``ema``."""
        return Averages(self)
