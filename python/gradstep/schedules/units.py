"""Conversion of epochs, samples and fractions of a run into steps."""

import math
import re
from dataclasses import dataclass
from fractions import Fraction

from gradstep.interop.scalars import shown
from gradstep.schedules.fields import count, count_or_zero, natural

UNITS = {
    "ep": ("epochs", "steps_per_epoch=391"),
    "ba": ("batches, which are steps", ""),
    "st": ("steps", ""),
    "sp": ("samples", "batch_size=128"),
    "dur": ("fractions of the whole run", "total='90ep'"),
}
LONGEST = 100
"""The most characters of a duration."""
TIME = re.compile(rf"(\d+|\d*\.\d+|\d+\.\d*)\s*({'|'.join(UNITS)})")


@dataclass(frozen=True)
class Units:
    """Converts durations into steps: ``Units(steps_per_epoch=391, total="90ep")("0.9dur")`` is 31671.

    A duration is a number with a unit: "5ep" (epochs), "1000ba" or "1000st" (batches or steps), "0.1dur" (a fraction of
    the run), "50000sp" (samples). An integer is a number of steps already. The arithmetic is exact and the result is
    rounded to the nearest step.

    Args:
        steps_per_epoch: updates in an epoch; "ep" needs it.
        total: the whole run, a number of steps or a duration; "dur" is a fraction of it.
        batch_size: samples in an update; "sp" needs it.

    Raises:
        ValueError: a duration can't be read, would round to no step, or has a unit whose size was not given.

    >>> from gradstep import CosineDecay, Units
    >>> units = Units(steps_per_epoch=391, total="90ep")
    >>> CosineDecay(0.1, units("85ep")).warmup(units("5ep"))
    CosineDecay(init=0.1, steps=33235).warmup(1955)
    """

    steps_per_epoch: int | None = None
    total: int | str | None = None
    batch_size: int | None = None

    def __post_init__(self) -> None:
        for name in ("steps_per_epoch", "batch_size"):
            if (given := getattr(self, name)) is not None:
                object.__setattr__(self, name, natural(name, given))
        if isinstance(self.total, str) and self.total.endswith("dur"):
            raise ValueError(f"total is {self.total!r}: the whole run can't be a fraction of itself")
        if self.total is not None:
            object.__setattr__(self, "total", count("total", self(self.total)))

    def __call__(self, time: str | int) -> int:
        """Convert a duration into a number of steps."""
        if not isinstance(time, str):
            return count_or_zero("time", time)
        read = TIME.fullmatch(time.strip()) if len(time) <= LONGEST else None
        if read is None:
            known = ", ".join(f"{unit} ({what})" for unit, (what, _) in UNITS.items())
            raise ValueError(f"{shown(time)} is not a duration: write a number and one of {known}")
        exact = Fraction(read[1]) * self.steps_in(read[2], time)
        steps = math.floor(exact + Fraction(1, 2))
        if exact and not steps:
            raise ValueError(f"{time!r} is {float(exact):.3g} of a step: less than half, which rounds to none")
        return count_or_zero("time", steps)

    def steps_in(self, unit: str, time: str) -> Fraction:
        per_sample = None if self.batch_size is None else Fraction(1, self.batch_size)
        sizes = {"ep": self.steps_per_epoch, "ba": 1, "st": 1, "sp": per_sample, "dur": self.total}
        size = sizes[unit]
        if size is None:
            what, argument = UNITS[unit]
            raise ValueError(f"{time!r} is in {what}: say how long they are, as in Units({argument})")
        return Fraction(size)
