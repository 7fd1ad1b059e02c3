"""Schedules described in words: their values at the steps that matter, and what looks like a mistake."""

import numpy as np
import numpy.typing as npt

from gradstep.schedules.base import Schedule
from gradstep.schedules.fields import count
from gradstep.schedules.limits import limits
from gradstep.schedules.lint import warnings_about


def describe(s: Schedule, steps: int) -> str:
    """Describe the first `steps` updates of a schedule.

    A line says what happens at a step: a part begins or ends, a warmup is complete, the value is highest or lowest.
    Warnings follow for what looks like a mistake: a first or last update whose value is 0, a negative value, a jump of
    more than 1 % of the peak where one part follows another, and a value that rises again, or is missing, in a run of
    twice the length.

    Args:
        s: the schedule.
        steps: the updates of the run, 1 or more.

    Returns:
        The description, as lines of text.

    Raises:
        ValueError: the schedule has no value at one of the steps, or there are more steps than
            ``gradstep.schedules.limits.described``.

    >>> from gradstep import CosineDecay
    >>> print(CosineDecay(1.0, 90, past="mirror").warmup(10, offset=0).describe(100))
    CosineDecay(init=1.0, steps=90, past='mirror').warmup(10, offset=0)
      t  value
      0  0            first update, lowest
     10  1            warmup complete, highest
     99  0.000304586  last update
    100  0            end of CosineDecay, then past='mirror'
    warning: the first update is wasted, its value is 0; for a warmup leave offset=0 out
    warning: after the last update the value rises again, up to 1 at t = 190
    """
    updates = count("steps", steps)
    limits.check("described", updates, f"describe would evaluate {updates} updates")
    values = s(np.arange(updates))
    events = sorted(happenings(s, values).items())
    width = len(str(events[-1][0]))
    rows = (f"{t:>{width}}  {s(t):<11.6g}  {', '.join(what)}" for t, what in events)
    warnings = (f"warning: {each}" for each in warnings_about(s, values))
    return "\n".join([repr(s), f"{'t':>{width}}  value", *rows, *warnings])


def happenings(s: Schedule, values: npt.NDArray[np.float64]) -> dict[int, list[str]]:
    """The events of each step, up to one step after the last update."""
    events = {0: ["first update"]}
    for mark in s.landmarks():
        if mark.t <= len(values):
            events.setdefault(mark.t, []).append(mark.what)
    for t, what in ((values.argmax(), "highest"), (values.argmin(), "lowest"), (len(values) - 1, "last update")):
        events.setdefault(int(t), []).append(what)
    return events
