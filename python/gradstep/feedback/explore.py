"""A rate for a search: lower when a better candidate is found, higher when the search is stuck."""

from __future__ import annotations

import math

from gradstep.feedback.metric_scale import Goal, MetricScale, Mode, ThresholdMode, reports
from gradstep.schedules.fields import not_negative, positive

__all__ = ["Explore"]


class Explore(MetricScale):
    """Multiplies the rate by one factor at each find and by another when the search is stuck: ``lr = s(t) * scale``.

    A report that is better than the best so far, see :class:`gradstep.feedback.metric_scale.Goal`, is a find. The first
    report is the one that the next are compared with.

    - At a find ``scale = scale * found``: the search continues near the candidate.
    - After more than ``patience`` reports in a row without a find ``scale = scale * stuck``, and the count starts
      again: the search goes further away.

    The scale stays from ``floor`` to ``ceiling``. With ``found`` above 1 and ``stuck`` below 1 it resembles
    GreedyLR (arXiv:2512.14527), which raises the rate while that helps; Explore acts on the first find, GreedyLR waits
    for several in a row.

    Args:
        found: the factor of the scale at a find, above 0.
        stuck: the factor of the scale when the search is stuck, above 0.
        patience: the reports in a row without a find that are tolerated, at least 0.
        mode: ``"min"`` if the metric should fall, ``"max"`` if it should rise.
        threshold: by how much a find must be better, at least 0.
        threshold_mode: ``"rel"``, a fraction of ``|best|``, or ``"abs"``, in the metric's unit.
        floor: the smallest scale, from 0 to 1.
        ceiling: the largest scale, at least 1.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    >>> explore = Explore(found=0.5, stuck=2.0, patience=1, mode="max")
    >>> [explore.update(score) for score in (0.7, 0.8, 0.8, 0.8, 0.9)]
    [1.0, 0.5, 0.5, 1.0, 0.5]
    """

    def __init__(
        self,
        found: float = 0.5,
        stuck: float = 2.0,
        patience: int = 10,
        mode: Mode = "min",
        threshold: float = 1e-4,
        threshold_mode: ThresholdMode = "rel",
        floor: float = 0.01,
        ceiling: float = 100.0,
    ) -> None:
        if not_negative("floor", floor) > 1 or not_negative("ceiling", ceiling) < 1:
            raise ValueError(
                f"floor is {floor!r} and ceiling {ceiling!r}: the scale starts at 1, so floor must be from 0 to 1 and "
                "ceiling at least 1"
            )
        self.found, self.stuck = positive("found", found), positive("stuck", stuck)
        self.floor, self.ceiling = float(floor), float(ceiling)
        self.patience = reports("patience", patience)
        super().__init__(Goal(mode, threshold, threshold_mode), best=None)

    def _react(self, better: bool) -> None:
        self.waited = 0 if better else self.waited + 1
        if better and self.best is not None and not math.isnan(self.best):
            self._multiply(self.found)
        elif self.waited > self.patience:
            self._multiply(self.stuck)
            self.waited = 0

    def _multiply(self, factor: float) -> None:
        self.scale = min(max(self.scale * factor, self.floor), self.ceiling)
