"""The range test: a ramp of rates, the reported losses, and the stopping rule."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from gradstep.interop.scalars import read_float
from gradstep.lr_finder.suggestions import Suggestions, suggest
from gradstep.schedules import ExponentialDecay, Linear, Schedule
from gradstep.schedules.fields import count, one_of, positive

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["LRFinder"]

FEWEST = 10
"""The fewest points from which a rate can be read."""

check_ramp = one_of("exponential", "linear")


class LRFinder:
    """A learning-rate range test: the rate rises with every update, and the loss shows which rates train.

    Your loop makes one update with each rate and reports the loss after it. ::

        exponential:  rate(t) = low * (high / low)**(t / (updates - 1))
        linear:       rate(t) = low + (high - low) * t / (updates - 1)        t = 0 ... updates - 1

    A loss computed before the update, as in many loops, belongs to the previous rate: reporting it moves every
    suggestion up by one point of the ramp, a factor of 1.2 with the defaults.

    The loop stops by the average ``sum(w_k * loss_k) / sum(w_k)`` with ``w_k = exp(-decades from rate_k / smoothing)``:
    a bias-corrected exponential moving average that does not depend on the number of updates. A new ``for`` over a
    finder starts a new test. Nothing is restored after the loop; the functions for torch and NumPy do that.

    Afterwards `rates`, `losses` and `smoothed` are arrays; `stopped` is "diverged", "not finite" or, if the ramp was
    completed, None; and `ramp` is the ramp as a schedule.

    Args:
        low, high: the first and the last rate, both above 0. Defaults 1e-7 and 10.
        updates: the points of the ramp, 10 or more. Default 100.
        ramp: "exponential" (the default) or "linear".
        smoothing: the width of the average in decades of the rate. Default 0.3, a factor of 2.
        diverge: the loop ends when the averaged loss exceeds its lowest value L by more than (diverge - 1) * abs(L):
            for a positive loss, when it exceeds diverge * L. Above 1; ``math.inf`` never ends it. Default 4. Pass
            ``math.inf`` for a loss that crosses 0. A NaN or infinite loss always ends the loop, and is dropped.

    Raises:
        ValueError, TypeError: an argument is out of range.
        RuntimeError: the loop does not report exactly once for each rate.

    Source: Smith 2017, arXiv:1506.01186, section 3.3.

    >>> import numpy as np
    >>> from gradstep import LRFinder
    >>> w, scale = np.ones(3), np.array([1, 2, 4])
    >>> finder = LRFinder(low=1e-4, high=100, updates=50)
    >>> for lr in finder:
    ...     w -= lr * scale * w
    ...     finder.report(np.sum(scale * w**2) / 2)
    >>> finder.stopped, len(finder.rates)
    ('diverged', 37)
    >>> round(finder.suggestion().steepest, 2)
    0.03
    """

    def __init__(
        self,
        low: float = 1e-7,
        high: float = 10.0,
        updates: int = 100,
        *,
        ramp: Literal["exponential", "linear"] = "exponential",
        smoothing: float = 0.3,
        diverge: float = 4.0,
    ) -> None:
        low, high = positive("low", low), positive("high", high)
        if high <= low:
            raise ValueError(f"high is {high:g}: it must be above low = {low:g}, since the rate rises from low to high")
        if count("updates", updates) < FEWEST:
            raise ValueError(f"updates is {updates}: it must be {FEWEST} or more, to give a readable curve")
        if not diverge > 1:
            raise ValueError(f"diverge is {diverge!r}: it must be above 1; math.inf completes the ramp")
        exponential = check_ramp("ramp", ramp) == "exponential"
        self.ramp: Schedule = (
            ExponentialDecay(low, high / low, updates - 1) if exponential else Linear(low, high, updates - 1)
        )
        self.updates = updates
        self.smoothing = positive("smoothing", smoothing)
        self.diverge = diverge
        self._start()

    def _start(self) -> None:
        self.stopped: Literal["diverged", "not finite"] | None = None
        self._rates: list[float] = []
        self._losses: list[float] = []
        self._smoothed: list[float] = []
        self._waiting: float | None = None
        self._sum = self._weight = 0.0

    def __repr__(self) -> str:
        low, high = self.ramp(0), self.ramp(self.updates - 1)
        ended = f", {self.stopped}" if self.stopped else ""
        losses = len(self._losses)
        return f"LRFinder(low={low:.6g}, high={high:.6g}, updates={self.updates}; {losses} losses{ended})"

    def __iter__(self) -> Iterator[float]:
        """Start the test: yields the rate of each update, until the ramp ends or the loss diverges."""
        self._start()
        for t in range(self.updates):
            self._waiting = rate = self.ramp(t)
            yield rate
            if self._waiting is not None:
                raise RuntimeError(
                    f"there is no loss for the rate {rate:.3g}: call report(loss) in each iteration of the loop"
                )
            if self.stopped:
                return

    def report(self, loss: Any) -> None:
        """Report the loss after the update with the current rate.

        Args:
            loss: a number, or an array or tensor of one number.

        Raises:
            RuntimeError: this is outside the loop, or a second report in one iteration.
            TypeError: it is not a number.
        """
        value = read_float(loss.item() if hasattr(loss, "item") else loss, "loss")
        if self._waiting is None:
            raise RuntimeError("there is no rate to report for: call report(loss) once in each iteration of the loop")
        rate, self._waiting = self._waiting, None
        if not math.isfinite(value):
            self.stopped = "not finite"
            return
        self._smoothed.append(self._average(rate, value))
        self._rates.append(rate)
        self._losses.append(value)
        lowest = min(self._smoothed)
        if self._smoothed[-1] - lowest > (self.diverge - 1) * abs(lowest):
            self.stopped = "diverged"

    def _average(self, rate: float, loss: float) -> float:
        decades = math.log10(rate / self._rates[-1]) if self._rates else 0.0
        keep = math.exp(-decades / self.smoothing)
        self._sum = keep * self._sum + loss
        self._weight = keep * self._weight + 1
        return self._sum / self._weight

    @property
    def rates(self) -> NDArray[np.float64]:
        """The rates that have a finite loss."""
        return np.array(self._rates)

    @property
    def losses(self) -> NDArray[np.float64]:
        """The losses as reported, one for each of `rates`."""
        return np.array(self._losses)

    @property
    def smoothed(self) -> NDArray[np.float64]:
        """The averaged losses of the stopping rule, one for each of `rates`."""
        return np.array(self._smoothed)

    def suggestion(self) -> Suggestions:
        """The rates that the curve suggests, with their spreads; None where it shows none. See `Suggestions`."""
        return suggest(self.rates, self.losses, self.smoothing, ended_high=self.stopped is not None)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Plot the losses over the rate, with the suggestions and their spreads. It needs matplotlib.

        Args:
            ax: matplotlib's axes. Default: those of a new figure.

        Returns:
            The axes.

        Raises:
            ValueError: no finite loss has been reported.
        """
        from gradstep.lr_finder.figure import draw

        return draw(self, ax)
