"""A rate that falls when a metric stops improving."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, TypeAlias, get_args

from gradstep.feedback.metric_scale import Goal, MetricScale, Mode, ThresholdMode, reports
from gradstep.schedules.fields import one_of, real

__all__ = ["Plateau"]

PlateauRule: TypeAlias = Literal["torch", "keras"]


class Plateau(MetricScale):
    """Multiplies the rate by ``factor`` when a metric has not improved for a while: ``lr = s(t) * scale``.

    A report that is better than the best so far becomes the best, see :class:`gradstep.feedback.metric_scale.Goal`; any
    other is bad. After too many bad reports in a row ``scale = max(scale * factor, floor)``, and bad reports among the
    next ``cooldown`` ones do not count. The scale multiplies the rate, whether that is a number or a schedule.

    ``rule`` says how many are too many. For a metric that does not change:

    - ``"torch"``, as ReduceLROnPlateau: more than ``patience``, so that the report ``patience + 2`` is the first to
      reduce.
    - ``"keras"``, as the callback of the same name: ``patience`` (1 if it is 0), so that the report ``patience + 1``
      is. Keras counts the last report of the cooldown, torch does not. Keras's threshold is absolute: pass
      ``threshold_mode="abs"`` for it.

    Three things intentionally differ. A relative threshold is a fraction of ``|best|``: in torch an unchanged negative
    metric always counts as improving. A number is better than NaN: in Keras nothing is better than a NaN that came
    first. Every reduction is made, however small: torch skips those below its ``eps`` of 1e-8.

    Args:
        factor: the factor of a reduction, above 0 and below 1.
        patience: the bad reports in a row that are tolerated, at least 0.
        mode: ``"min"`` if the metric should fall, ``"max"`` if it should rise.
        threshold: by how much a report must be better, at least 0.
        threshold_mode: ``"rel"``, a fraction of ``|best|``, or ``"abs"``, in the metric's unit.
        cooldown: the reports after a reduction among which bad ones do not count, at least 0.
        floor: the smallest scale, from 0 to 1. For a rate of at least r from a constant lr: ``r / lr``.
        rule: ``"torch"`` or ``"keras"``.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Source: the rules of torch 2.13 (``torch.optim.lr_scheduler.ReduceLROnPlateau``) and of Keras 3
    (``keras.callbacks.ReduceLROnPlateau``), which are tested against both.

    >>> plateau = Plateau(factor=0.5, patience=2)
    >>> [plateau.update(loss) for loss in (1.0, 1.0, 1.0, 1.0, 0.9)]
    [1.0, 1.0, 1.0, 0.5, 0.5]

    With an optimizer whose rate is a schedule:

    >>> import numpy as np, gradstep
    >>> opt = gradstep.SGD([np.zeros(3)], lr=gradstep.CosineDecay(0.1, steps=1000))
    >>> plateau = Plateau(factor=0.5, patience=0)
    >>> [plateau.step(loss, opt) for loss in (1.0, 1.0)]
    [1.0, 0.5]
    >>> opt.param_groups[0]["gradstep_scale"]
    0.5
    """

    moving: ClassVar[tuple[str, ...]] = (*MetricScale.moving, "cooling")

    def __init__(
        self,
        factor: float = 0.1,
        patience: int = 10,
        mode: Mode = "min",
        threshold: float = 1e-4,
        threshold_mode: ThresholdMode = "rel",
        cooldown: int = 0,
        floor: float = 0.0,
        rule: PlateauRule = "torch",
    ) -> None:
        if not 0 < real("factor", factor) < 1:
            raise ValueError(f"factor is {factor!r}: it must be above 0 and below 1")
        if not 0 <= real("floor", floor) <= 1:
            raise ValueError(f"floor is {floor!r}: it is a fraction of the rate and must be from 0 to 1")
        goal = Goal(mode, threshold, threshold_mode)
        self.factor, self.floor = float(factor), float(floor)
        self.patience = reports("patience", patience)
        self.cooldown = reports("cooldown", cooldown)
        self.rule = one_of(*get_args(PlateauRule))("rule", rule)
        # Keras's first report is always the best; torch's must be better than infinity.
        super().__init__(goal, best=None if rule == "keras" else goal.worst)
        self.cooling = 0

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Load a pickle. Those of earlier versions hold a method instead of the rule."""
        former = state.get("_is_plateau")
        vars(self).update({key: value for key, value in state.items() if key != "_is_plateau"})
        if former is not None:
            self.rule = former.__name__.removeprefix("_")

    def _react(self, better: bool) -> None:
        if self._torch(better) if self.rule == "torch" else self._keras(better):
            self.scale = max(self.scale * self.factor, self.floor)
            self.cooling = self.cooldown
            self.waited = 0

    def _torch(self, better: bool) -> bool:
        self.waited = 0 if better or self.cooling else self.waited + 1
        self.cooling = max(self.cooling - 1, 0)
        return self.waited > self.patience

    def _keras(self, better: bool) -> bool:
        self.cooling = max(self.cooling - 1, 0)
        self.waited = 0 if better or self.cooling else self.waited + 1
        return self.waited >= max(self.patience, 1)
