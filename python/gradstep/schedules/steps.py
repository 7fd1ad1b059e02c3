"""Checks of the steps at which a schedule is evaluated: one step or an array of steps."""

from typing import Any

import numpy as np
import numpy.typing as npt

from gradstep.interop.scalars import shown
from gradstep.schedules.fields import LARGEST_STEP

RULE = "a step is the number of updates already applied, an integer from 0 to 2**53"


def one_step(t: Any) -> int:
    if isinstance(t, (bool, np.bool_)):
        raise TypeError(f"t is {shown(t)}: {RULE}")
    step = int(t)
    if not 0 <= step <= LARGEST_STEP:
        raise ValueError(f"t is {shown(step)}: {RULE}")
    return step


def step_array(t: Any) -> npt.NDArray[np.int64]:
    steps = np.asarray(t)
    if steps.size == 0:
        return np.empty(steps.shape, np.int64)
    if steps.dtype.kind not in "iu":
        raise TypeError(f"t is {t!r} of dtype {steps.dtype}: {RULE}, or an array of such integers")
    if steps.dtype.kind == "u" and steps.max() > LARGEST_STEP:
        raise ValueError(f"t reaches {steps.max()}: {RULE}")
    return np.ascontiguousarray(steps, np.int64).reshape(steps.shape)
