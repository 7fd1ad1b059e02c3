"""The step that every optimizer makes, over arrays or torch parameters: one call into the core's plan."""

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
from gradstep.optimizers.books import Books
from gradstep.optimizers.counting import complete_counts, norm_entries, start_counting, take_counts
from gradstep.optimizers.scheduling import GroupSchedules
from gradstep.optimizers.settings import Settings
from gradstep.optimizers.states import States
from gradstep.rules.base import CLASS
from gradstep.rules.hyperparameters import Group

__all__ = ["Stats", "Stepping"]

_log = logging.getLogger("gradstep")


class Stats(NamedTuple):
    """What a step did, over all tensors; norms are Euclidean. Of a skipped step only the first two are known.

    Of a tensor with a sparse gradient only the rows that it holds count. Squares of float64 numbers above 1e154
    overflow, and make a norm infinite; the gradients' is exact there where ``clip_norm`` needs it.
    """

    gradient_norm: float  #: after unscaling, before clipping
    nonfinite: float  #: how many elements of the gradients were infinite or NaN
    update_norm: float  #: of the parameters' change
    parameter_norm: float  #: after the update
    skipped: bool


class Stepping(Settings, States):
    """Keeps a rule's groups, states and schedules in step with a plan of the core."""

    defaults: Group
    state: Any
    _swap: Swap
    _known_groups: list[Group]
    _seeks_device: bool
    _made_states: set[int]
    _binding: dict[int, threading.Lock]  # by the process: one held by a thread of the parent is held for ever
    _accumulation: Accumulation

    def _gradient_is_sum(self, parameter: Any) -> bool:
        """Whether each gradient is added to the one before, in full precision, before it comes here."""
        return False

    def _letting_go(self, group: Group, parameter: Any) -> list[_core.Entry]:
        """The entries that free a gradient that was added to its sum."""
        return []

    def _forget_plan(self) -> None:
        """Start from the groups and states as they are now: they are new, loaded or replaced."""
        self._complete_groups()
        self._share_numbers()
        anew = {
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
        vars(self).update(anew)

    def _complete_groups(self) -> None:
        """Put what the library keeps in a group into those that lack it."""
        for group in self.param_groups:
            group[CLASS] = self.class_name()
            complete_counts(group)

    def _update(self, gradients: list[Any] | None, grad_scale: object, found_inf: object) -> bool:
        """Make one step with the given gradients, or with each parameter's ``.grad``; False if it is no update."""
        try:
            self._begin()
            groups = self.param_groups
            for group, schedules in zip(groups, self._schedules, strict=True):
                if schedules.by_name:
                    schedules.warn(group)
            if groups[0]["accumulate"] > 1 or self.accumulated:
                return self._accumulation.step(self, gradients, grad_scale, found_inf)
            return self._apply(gradients, self._asked_settings(grad_scale, found_inf))
        except BaseException:
            self._take_back()
            raise

    def _begin(self) -> None:
        """Find out of which groups, on which device and with which schedules the next step is.

        What it writes into groups is to be taken back where the step fails.
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
        """Raise RuntimeError while the parameters hold what is evaluated instead of what is trained."""
        if self._swap.is_in:
            raise RuntimeError(
                "the parameters are their averages now, which a step must not change: leave the optimizer's "
                "`with averages.swapped_in()` block first"
            )

    def _apply(
        self,
        gradients: list[Any] | None,
        settings: _core.StepSettings | None = None,
        books: Books | None = None,
        before: _core.EarlierStep | None = None,
    ) -> bool:
        """Update the parameters that have a gradient, with the usual settings for None; False if that was skipped.

        ``books`` is what the update changes beside the parameters; by default it counts as an update of all.
        """
        groups = self.param_groups
        parameters = [tuple(group["params"]) for group in groups]
        of_groups = [self._group_settings(i, group) for i, group in enumerate(groups)]
        settings = settings or self._usual_settings()
        updated, skipped = books or (self._advancing(), [])
        if kept := self._keeping():
            updated, skipped = updated + kept, skipped + kept

        def step(bindings: list[_core.StateBinding], made: list[_core.Entry]) -> list[int]:
            return self._plan.step(
                parameters, gradients, self.state, of_groups, settings, bindings, made + updated, skipped, before
            )

        unbound = step([], [])
        if unbound:
            with self._binding.setdefault(os.getpid(), threading.Lock()):  # no other thread makes the states anew
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
        """What the parameters of these numbers lack of a state, and the entries for those that have none at all."""
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
        """Bring everything that a checkpoint or another plan would take over up to date."""
        self.catch_up()
        self._complete_groups()
        take_counts(self._plan, self.param_groups, self._schedules, self.hyperparameters())
        self._drop_unused_states()

    def _drop_unused_states(self) -> None:
        """Forget the states that a device has made for steps that it skipped: a first update begins with new ones."""
        if isinstance(self._plan, _core.DevicePlan) and self._made_states:
            located = self._located()
            for index in self._made_states.intersection(self._plan.not_updated()):
                self._drop_state(index, located[index][1])
            self._made_states.clear()

    @property
    def accumulated(self) -> int:
        """How many micro-batches have been added since the last update; the option ``accumulate`` asks for them."""
        count: int = self.param_groups[0].get("accumulated", 0)
        return count

    def catch_up(self, parameter: Any = None, rows: Any = None) -> None:
        """Make up for the updates that rows have missed, by the option ``lazy_rows``.

        After it parameters and states have the bits of dense gradients where they are stored in float32 or float64 (but
        ``clip_norm`` adds up its norm in another order). Call it for all rows before they are read: to evaluate, or to
        save a model; ``state_dict`` calls it by itself. Call it for the rows that a look-up will read where the forward
        pass must see them up to date.

        Args:
            parameter: one of this optimizer's; None (the default) for all.
            rows: which rows of it, an array of int64; None (the default) for all.

        Raises:
            TypeError: ``rows`` is no array of int64.
            ValueError: the parameter is not one of these, or has no such row; nothing has been written.

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
        """What the last step did; the option ``stats=True`` asks for it.

        Raises:
            RuntimeError: no step has been measured.
        """
        report = self._plan.report()
        if not report.has_stats and not report.skipped:
            raise RuntimeError("no step has been measured: make the optimizer with stats=True, then step")
        return Stats(*(getattr(report, name) for name in Stats._fields))

    @property
    def averages(self) -> Averages:
        """The averages of the parameters that the option ``ema`` keeps."""
        return Averages(self)
