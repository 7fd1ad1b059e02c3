"""The step that every optimizer makes, over arrays or torch parameters: one call into the core's plan."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from typing import Any, NamedTuple

from gradstep import _core
from gradstep.accumulation import Accumulation
from gradstep.arrays import tell_autograd
from gradstep.averages import Averages
from gradstep.counting import complete_counts, keep_norm, start_counting, take_counts
from gradstep.devices import Plan, plan_for
from gradstep.hyperparameters import Group
from gradstep.scheduling import GroupSchedules
from gradstep.settings import Settings
from gradstep.sparse import row_numbers
from gradstep.states import States
from gradstep.threads import get_num_threads

__all__ = ["Stats", "Stepping"]

_log = logging.getLogger("gradstep")


class Stats(NamedTuple):
    """What a step did, over all tensors; norms are Euclidean. Of a skipped step only the first two are known.

    Of a tensor with a sparse gradient only the rows that it holds count.
    """

    gradient_norm: float  #: after unscaling, before clipping
    nonfinite: float  #: how many elements of the gradients were infinite or NaN
    update_norm: float  #: of the parameters' change
    parameter_norm: float  #: after the update
    skipped: bool


class Stepping(Settings, States):
    """Keeps a rule's groups, states and schedules in step with a plan of the core."""

    state: Any
    _averages_in: bool

    def _gradient_is_sum(self, parameter: Any) -> bool:
        """Whether each gradient is added to the one before, in full precision, before it comes here."""
        return False

    def _let_go(self, group: Group, parameter: Any) -> None:
        """Take note that the parameter's gradient was added to its sum."""

    def _forget_plan(self) -> None:
        """Start from the groups and states as they are now: they are new, loaded or replaced."""
        self._complete_groups()
        self._plan: Plan = _core.Plan()
        self._seeks_device = True  # until the first step: a model may be moved before it
        self._made_states: set[int] = set()  # by this plan
        self._averages_in = False
        self._accumulation = Accumulation(self)
        self._binding = threading.Lock()  # another thread must not make the states anew after the first step
        self._forget_settings()
        self._schedules = [GroupSchedules(group) for group in self.param_groups]

    def _complete_groups(self) -> None:
        """Put what the library keeps in a group into those that lack it."""
        for group in self.param_groups:
            complete_counts(group)

    def _update(self, gradients: list[Any] | None, grad_scale: object, found_inf: object) -> bool:
        """Make one step with the given gradients, or with each parameter's ``.grad``; False if it is no update."""
        self._begin()
        groups = self.param_groups
        for group, schedules in zip(groups, self._schedules, strict=True):
            schedules.yield_to_writes(group)
        if groups[0]["accumulate"] > 1 or self.accumulated:
            updated = self._accumulation.step(self, gradients, grad_scale, found_inf)
        else:
            updated = self._apply(gradients, self._asked_settings(grad_scale, found_inf))
        if updated:
            self._advance()
        return updated

    def _begin(self) -> None:
        """Find out of which groups, and on which device, the next step is."""
        self._refuse_evaluation()
        if len(self._schedules) != len(self.param_groups):
            self._settle()
            self._forget_plan()
        if self._seeks_device:
            self._plan = plan_for([p for group in self.param_groups for p in group["params"]])
            start_counting(self._plan, self.param_groups)
            self._seeks_device = False
        self._check_written()

    def _refuse_evaluation(self) -> None:
        """Raise RuntimeError while the parameters hold what is evaluated instead of what is trained."""
        if self._averages_in:
            raise RuntimeError(
                "the parameters are their averages now, which a step must not change: leave the optimizer's "
                "`with averages.swapped_in()` block first"
            )

    def _apply(self, gradients: list[Any] | None, settings: _core.StepSettings | None = None) -> bool:
        """Update the parameters that have a gradient, with the usual settings for None; False if that was skipped."""
        groups = self.param_groups
        arguments = (
            [group["params"] for group in groups],
            gradients,
            self.state,
            [self._group_settings(i, group) for i, group in enumerate(groups)],
            settings or self._usual_settings(),
        )
        unbound = self._plan.step(*arguments)
        if unbound:
            with self._binding:
                self._bind(unbound)
                if self._plan.step(*arguments):
                    raise RuntimeError("the optimizer's state was changed by another thread during its step")
        if _log.isEnabledFor(logging.DEBUG):
            _log.debug("%d parameters were gathered and scattered, for their layout", self._plan.gathered())
        return not self._plan.skipped()

    def _advance(self) -> None:
        """Count an update of all tensors."""
        for group, schedules in zip(self.param_groups, self._schedules, strict=True):
            schedules.advance(group)
        if self.param_groups[0]["clip_lagged"] and isinstance(self._plan, _core.Plan):
            keep_norm(self.param_groups, self._plan.report().gradient_norm)

    def _settle(self) -> None:
        """Bring everything that a checkpoint or another plan would take over up to date."""
        self.catch_up()
        self._complete_groups()
        take_counts(self._plan, self.param_groups, self._schedules)
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
        for index in indices:
            tell_autograd(self._plan.catch_up(index, numbers, get_num_threads()))

    def stats(self) -> Stats:
        """What the last step did; the option ``stats=True`` asks for it.

        Raises:
            RuntimeError: no step has been measured.
        """
        report = self._plan.report()
        if not report.measured and not report.skipped:
            raise RuntimeError("no step has been measured: make the optimizer with stats=True, then step")
        return Stats(*(getattr(report, name) for name in Stats._fields))

    @property
    def averages(self) -> Averages:
        """The averages of the parameters that the option ``ema`` keeps."""
        return Averages(self)

    def _bind(self, indices: Iterable[int]) -> None:
        """Complete the states of the parameters at these places over all groups and hand them to the plan."""
        located = self._located()
        shared = self._shared_numbers() if self.shares_numbers else {}
        for index in indices:
            group, parameter = located[index]
            state = self._state_of(index, parameter)
            if not state:
                self._made_states.add(index)
            state.update(shared)
            fresh = self._complete_state(group, parameter, state)
            if self.shares_numbers:
                shared = {name: state[name] for name in self.numbers}
            self._plan.bind(index, state, self.state_names(group), fresh)
