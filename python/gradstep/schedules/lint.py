"""Likely mistakes in a schedule: each function looks for one and describes it in a sentence."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from gradstep.schedules.base import Schedule

Values = npt.NDArray[np.float64]

NOTICEABLE = 0.01
"""The smallest change that is worth a warning, as a fraction of the peak."""


def warnings_about(s: Schedule, values: Values) -> Iterator[str]:
    """The warnings about a run that uses `values`, the schedule's from t = 0 on."""
    yield from wasted_updates(values)
    yield from negative_values(values, first=0)
    yield from jumps(s, values)
    yield from longer_run(s, values)


def wasted_updates(values: Values) -> Iterator[str]:
    used = np.flatnonzero(values)
    if values[0] == 0:
        yield "the first update is wasted, its value is 0; for a warmup leave offset=0 out"
    if len(used) and (idle := len(values) - 1 - int(used[-1])):
        one = idle == 1
        wasted = "the last update is wasted, its value is 0" if one else f"the last {idle} updates are wasted at 0"
        yield (
            f"{wasted}; end the schedule {idle} update{'s' * (not one)} later (a warmup does that with "
            f"within={len(values)}) or above 0"
        )


def negative_values(values: Values, first: int) -> Iterator[str]:
    if values.min() < 0:
        i = int((values < 0).argmax())
        yield f"the value is negative from t = {first + i} on, where it is {values[i]:.6g}; bound it with clip(lo=0)"


def jumps(s: Schedule, values: Values) -> Iterator[str]:
    """Steps between two parts at which the change equals neither the slope before nor the slope after."""
    least = NOTICEABLE * np.abs(values).max()
    for t in sorted({mark.t for mark in s.landmarks() if mark.joint and 2 <= mark.t < len(values) - 1}):
        before, here, after = np.diff(values[t - 2 : t + 2])
        if min(abs(here - before), abs(here - after)) > least:
            yield f"the value jumps from {values[t - 1]:.6g} to {values[t]:.6g} at t = {t}, where two parts meet"


def longer_run(s: Schedule, values: Values) -> Iterator[str]:
    """Problems of a run of up to twice the length that this run does not have."""
    later = np.arange(len(values), 2 * len(values) + 1)
    try:
        beyond = s(later)
    except ValueError as ended:
        yield f"a longer run fails: {ended}"
        return
    if values.min() >= 0:
        yield from negative_values(beyond, first=len(values))
    least = NOTICEABLE * np.abs(values).max()
    if values[-1] < values.max() - least and beyond.max() > values[-1] + least:
        t = int(later[beyond.argmax()])
        yield f"after the last update the value rises again, up to {beyond.max():.6g} at t = {t}"
