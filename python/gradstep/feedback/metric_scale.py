"""A factor of the rate that reported metrics change: the base of Plateau and Explore."""

from __future__ import annotations

import copy
import inspect
import math
import operator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeAlias, get_args

from gradstep import _core
from gradstep.feedback.attachment import Attachment
from gradstep.feedback.reported import reported
from gradstep.optimizers.display import never_raises
from gradstep.optimizers.step import Stepping
from gradstep.rules.rate_scale import SCALE, scale_of
from gradstep.schedules.fields import not_negative, one_of

__all__ = ["Goal", "MetricScale", "Mode", "ThresholdMode", "reports"]

Mode: TypeAlias = Literal["min", "max"]
ThresholdMode: TypeAlias = Literal["rel", "abs"]


@dataclass(frozen=True)
class Goal:
    """When a metric counts as better than the best so far.

    With ``mode="min"`` a value below ``best - margin``, with ``"max"`` one above ``best + margin``, where the margin is
    ``threshold`` (``threshold_mode="abs"``) or ``threshold * |best|`` (``"rel"``). torch uses ``best`` instead of
    ``|best|``, so that an unchanged negative metric counts as improving there. NaN is never better; any number is
    better than a NaN.

    >>> Goal("min", 0.1, "rel").is_better(-1.0, best=-1.0)
    False
    """

    mode: Mode
    threshold: float
    threshold_mode: ThresholdMode

    def __post_init__(self) -> None:
        one_of(*get_args(Mode))("mode", self.mode)
        one_of(*get_args(ThresholdMode))("threshold_mode", self.threshold_mode)
        not_negative("threshold", self.threshold)

    @property
    def worst(self) -> float:
        return math.inf if self.mode == "min" else -math.inf

    def is_better(self, value: float, best: float) -> bool:
        if math.isnan(best):
            return not math.isnan(value)
        margin = math.copysign(self.threshold, self.worst)
        relative = best * (1.0 - math.copysign(1.0, best) * margin)  # best - margin * |best|, rounded as by torch
        bound = relative if self.threshold_mode == "rel" else best - margin
        return value < bound if self.mode == "min" else value > bound


class MetricScale:
    """Keeps the best metric and the scale. A subclass defines in ``_react`` how a report changes the scale.

    Everything that a report can change is in ``state_dict``, as plain numbers.
    """

    #: the names of the attributes that reports change
    moving: ClassVar[tuple[str, ...]] = ("scale", "best", "waited")

    def __init__(self, goal: Goal, best: float | None) -> None:
        self.goal = goal
        self.scale = 1.0
        self.best = best
        self.waited = 0

    @never_raises
    def __repr__(self) -> str:
        given = inspect.signature(type(self)).parameters.values()
        values = {each.name: getattr(self.goal, each.name, getattr(self, each.name, None)) for each in given}
        options = [f"{each.name}={values[each.name]!r}" for each in given if values[each.name] != each.default]
        state = f"scale {self.scale:.6g}, best {self.best}, {self.waited} reports since"
        return f"{type(self).__name__}({'; '.join([*([', '.join(options)] if options else []), state])})"

    def update(self, metric: Any) -> float:
        """Report a metric and return the new scale.

        Args:
            metric: a number or an array of one number. NaN is never an improvement.

        Raises:
            TypeError, ValueError: it is not a number; nothing has been changed.
        """
        _core.write(self._reporting(metric))
        return self.scale

    def _reporting(self, metric: Any) -> list[_core.Entry]:
        """The entries that record a report."""
        value = reported("metric", metric)
        after = copy.copy(self)
        better = self.best is None or self.goal.is_better(value, self.best)
        after._react(better)
        if better:
            after.best = value
        return [(vars(self), name, getattr(after, name)) for name in self.moving]

    def step(self, metric: Any, optimizer: Any) -> float:
        """Report a metric, and multiply ``group["gradstep_scale"]`` of all groups by the change of the scale.

        It multiplies the rate of every update. The schedules of the groups, and other factors in ``gradstep_scale``,
        are unchanged. To resume, save both this object and the optimizer.

        Args:
            metric: as for :meth:`update`.
            optimizer: an optimizer of ``gradstep`` or ``gradstep.optim``, or the result of ``gradstep.attach`` for
                another.

        Raises:
            TypeError, ValueError: an argument can't be used; nothing has been changed.
        """
        if not isinstance(optimizer, Stepping | Attachment):
            raise TypeError(
                f"optimizer is a {type(optimizer).__name__}, which does not use gradstep_scale: pass an optimizer of "
                "gradstep or gradstep.optim, or the result of gradstep.attach(optimizer, lr=...), or set the rate "
                "yourself to schedule(t) * update(metric)"
            )
        scales = [scale_of(group) for group in optimizer.param_groups]
        entries = self._reporting(metric)
        scale = {name: value for _, name, value in entries}["scale"]
        if scale != self.scale:
            moved = zip(optimizer.param_groups, scales, strict=True)
            entries += [(group, SCALE, held * (scale / self.scale)) for group, held in moved]
        former: list[_core.Entry] = [(target, key, target.get(key, _core.REMOVED)) for target, key, _ in entries]
        try:
            _core.write(entries)
            if isinstance(optimizer, Attachment):
                optimizer.seek(optimizer.updates)  # the next update's rate is already in the groups
        except BaseException:
            _core.write(former)
            raise
        return self.scale

    def state_dict(self) -> dict[str, float | None]:
        """Everything that reports change, as plain numbers (None before the first report)."""
        return {name: getattr(self, name) for name in self.moving}

    def load_state_dict(self, state_dict: Mapping[str, float | None]) -> None:
        """Go on from a ``state_dict``.

        Raises:
            ValueError: another class saved it; nothing has been changed.
        """
        if set(state_dict) != set(self.moving):
            raise ValueError(
                f"the state dict holds {', '.join(state_dict)}, but {type(self).__name__} needs exactly "
                f"{', '.join(self.moving)}: load one of the same class"
            )
        vars(self).update(state_dict)

    def _react(self, better: bool) -> None:
        raise NotImplementedError(f"{type(self).__name__} defines the effect of a report")


def reports(name: str, value: Any) -> int:
    """Check a number of reports."""
    try:
        checked = -1 if isinstance(value, bool) else operator.index(value)
    except TypeError:
        checked = -1
    if checked < 0:
        raise ValueError(f"{name} is {value!r}: it counts reports and must be a whole number, 0 or more")
    return checked
