"""Times in epochs, samples or shares of a run, as steps."""

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
    "dur": ("shares of the whole run", "total='90ep'"),
}
LONGEST = 100
"""The characters of a time."""
TIME = re.compile(rf"(\d+|\d*\.\d+|\d+\.\d*)\s*({'|'.join(UNITS)})")


@dataclass(frozen=True)
class Units:
    """Turns times into steps, once: ``Units(steps_per_epoch=391, total="90ep")("0.9dur")`` is 31671.

    steps_per_epoch: updates in an epoch; "ep" needs it.
    total: the whole run, a number of steps or a time; "dur" is a share of it.
    batch_size: samples in an update; "sp" needs it.

    A time is a number and its unit: "5ep" (epochs), "1000ba" or "1000st" (batches, steps), "0.1dur" (shares
    of the run), "50000sp" (samples); an integer is a number of steps already. The arithmetic is exact and its
    result goes to the nearest step, so that nothing is cut off; a time above 0 that would become no step at
    all raises ValueError, as do a time that can't be read and a unit that was not told what it is.

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
            raise ValueError(f"total is {self.total!r}: the whole run can't be a share of itself")
        if self.total is not None:
            object.__setattr__(self, "total", count("total", self(self.total)))

    def __call__(self, time: str | int) -> int:
        """The time as a number of steps."""
        if not isinstance(time, str):
            return count_or_zero("time", time)
        read = TIME.fullmatch(time.strip()) if len(time) <= LONGEST else None
        if read is None:
            known = ", ".join(f"{unit} ({what})" for unit, (what, _) in UNITS.items())
            raise ValueError(f"{shown(time)} is no time: write a number and one of {known}")
        exact = Fraction(read[1]) * self.steps_in(read[2], time)
        steps = math.floor(exact + Fraction(1, 2))
        if exact and not steps:
            raise ValueError(f"{time!r} is {float(exact):.3g} of a step: less than half of one, so it would be nothing")
        return count_or_zero("time", steps)

    def steps_in(self, unit: str, time: str) -> Fraction:
        per_sample = None if self.batch_size is None else Fraction(1, self.batch_size)
        sizes = {"ep": self.steps_per_epoch, "ba": 1, "st": 1, "sp": per_sample, "dur": self.total}
        size = sizes[unit]
        if size is None:
            what, argument = UNITS[unit]
            raise ValueError(f"{time!r} is in {what}: say what they are, as in Units({argument})")
        return Fraction(size)
